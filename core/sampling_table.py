"""The parameters of `Sampling` as rows: name, label, what it is, range, step, neutral value, group. No streamlit.

A row a field, in the order they are drawn. Labels and helps are msgids, and helps name the source. Ranges are those of
core/models/local/limits.py. What the current value does is core/sampling_help.py's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from core.errors import N_
from core.models.local.limits import RANGES

Kind = Literal["slider", "number", "switch", "lines", "biases"]
"""How it is set: a slider, a number typed, on or off, a text a line, a token and its bias a line."""

Group = Literal["first", "cuts", "repetition", "surprise", "seed", "bias"]

GROUPS: Mapping[Group, str] = MappingProxyType(
    {
        "cuts": N_("Which tokens may be drawn"),
        "repetition": N_("Repetition"),
        "surprise": N_("Surprise"),
        "seed": N_("Seed"),
        "bias": N_("Logit bias"),
    }
)
"""The titles of the groups that are folded, in order; "first" is always in sight."""

WARMEST = 2.0
"""The highest temperature that is offered; llama.cpp takes more, and nothing readable comes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One field of `Sampling`. low, high, step: numbers of the field's type, None for texts and switches.

    neutral: the value at which it changes nothing; None where there is none.
    """

    name: str
    group: Group
    label: str
    help: str
    kind: Kind = "number"
    low: float | None = None
    high: float | None = None
    step: float | None = None
    neutral: Any = None

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.low, int)


def _row(name: str, group: Group, label: str, help: str, *, kind: Kind = "number", **more: Any) -> Parameter:
    low, high = RANGES.get(name, (None, None))
    return Parameter(name=name, group=group, label=label, help=help, kind=kind, **{"low": low, "high": high, **more})


_ROWS = (
    _row(
        "temperature",
        "first",
        N_("Temperature"),
        N_("Divides the logits before a token is drawn: low keeps to the probable, high gives chances to the rest."),
        kind="slider",
        high=WARMEST,
        step=0.05,
        neutral=1.0,
    ),
    _row(
        "top_k",
        "cuts",
        N_("Top-k"),
        N_("Only so many tokens, the most probable, may be drawn (Fan and others, 2018). 0: all."),
        step=1,
        neutral=0,
    ),
    _row(
        "top_p",
        "cuts",
        N_("Top-p"),
        N_("The fewest tokens that together have this probability may be drawn: the nucleus (Holtzman, 2020). 1: all."),
        kind="slider",
        step=0.01,
        neutral=1.0,
    ),
    _row(
        "min_p",
        "cuts",
        N_("Min-p"),
        N_("Cuts tokens less probable than this share of the best one (Nguyen and others, 2024). 0: none."),
        kind="slider",
        step=0.01,
        neutral=0.0,
    ),
    _row(
        "typical_p",
        "cuts",
        N_("Typical-p"),
        N_("Keeps the tokens that surprise as much as the model expects (Meister and others, 2022). 1: all."),
        kind="slider",
        step=0.01,
        neutral=1.0,
    ),
    _row(
        "repeat_penalty",
        "repetition",
        N_("Repetition penalty"),
        N_("Makes the logits of tokens already used worse by this factor (Keskar and others, 2019). 1: off."),
        step=0.05,
        neutral=1.0,
    ),
    _row(
        "presence_penalty",
        "repetition",
        N_("Presence penalty"),
        N_("Taken from the logit of each token already used, once (OpenAI's API). 0: off."),
        step=0.1,
        neutral=0.0,
    ),
    _row(
        "frequency_penalty",
        "repetition",
        N_("Frequency penalty"),
        N_("Taken from the logit of a token for each time it was used (OpenAI's API). 0: off."),
        step=0.1,
        neutral=0.0,
    ),
    _row(
        "repeat_last_n",
        "repetition",
        N_("Tokens the penalties look back over"),
        N_("How far back a token counts as used, for the three penalties above. −1: everything, 0: off."),
        step=1,
        neutral=0,
    ),
    _row(
        "dry_multiplier",
        "repetition",
        N_("DRY: strength"),
        N_("DRY (“don't repeat yourself”, p-e-w, 2024) penalises what would prolong a repeated passage. 0: off."),
        step=0.1,
        neutral=0.0,
    ),
    _row(
        "dry_base",
        "repetition",
        N_("DRY: growth"),
        N_("The penalty is the strength times this number to the power of the length beyond the allowed one."),
        step=0.05,
    ),
    _row(
        "dry_allowed_length",
        "repetition",
        N_("DRY: allowed length"),
        N_("So many tokens in a row may be repeated freely."),
        step=1,
    ),
    _row(
        "dry_penalty_last_n",
        "repetition",
        N_("DRY: tokens looked back over"),
        N_("How far back repeated passages are sought. −1: everything, 0: off."),
        step=1,
        neutral=0,
    ),
    _row(
        "dry_sequence_breakers",
        "repetition",
        N_("DRY: what ends a passage"),
        N_("One on each line; \\n stands for a line break. A repetition is not followed across them."),
        kind="lines",
    ),
    _row(
        "xtc_probability",
        "surprise",
        N_("XTC: chance"),
        N_("XTC (“exclude top choices”, p-e-w, 2024) now and then cuts the obvious tokens. 0: never."),
        kind="slider",
        step=0.01,
        neutral=0.0,
    ),
    _row(
        "xtc_threshold",
        "surprise",
        N_("XTC: threshold"),
        N_("The probability from which a token is an obvious one. More than 0.5: off."),
        kind="slider",
        step=0.01,
    ),
    _row(
        "mirostat",
        "surprise",
        N_("Mirostat 2.0"),
        N_("Keeps the text as surprising as asked, by a limit that follows what was drawn (Basu and others, 2021)."),
        kind="switch",
        neutral=0,
    ),
    _row(
        "mirostat_tau",
        "surprise",
        N_("Mirostat: target surprise"),
        N_("The surprise aimed at, in bits a token: τ in the paper."),
        step=0.5,
    ),
    _row(
        "mirostat_eta",
        "surprise",
        N_("Mirostat: learning rate"),
        N_("How quickly the limit follows what was drawn: η in the paper."),
        step=0.05,
    ),
    _row(
        "seed",
        "seed",
        N_("Seed"),
        N_("Where the random numbers begin. Empty: somewhere else each time."),
        step=1,
    ),
    _row(
        "logit_bias",
        "bias",
        N_("Logit bias"),
        N_("A token's number, =, and what is added to its logit, on each line. −100 forbids it, 100 forces it."),
        kind="biases",
    ),
)

PARAMETERS: Mapping[str, Parameter] = MappingProxyType({row.name: row for row in _ROWS})
"""By name, in the order they are drawn."""


def rows(group: Group) -> list[Parameter]:
    """The rows of a group, in order."""
    return [row for row in _ROWS if row.group == group]
