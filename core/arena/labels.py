"""What panes are called: the model's name and, where that does not tell them apart, what does. Same in all languages.

Knows values only; asks no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.chat import Asking
from core.messages import Sampling
from core.models.base import ModelInfo

PROMPT_LENGTH = 24

_Aspect = Callable[[Asking, ModelInfo], str]
"""One thing that may differ, in short; empty where there is nothing to say."""

_ASPECTS: tuple[_Aspect, ...] = (
    lambda asking, info: f"T {asking.sampling.temperature:g}",
    lambda asking, info: f"seed {asking.sampling.seed}" if asking.sampling.seed is not None else "",
    lambda asking, info: f"top-p {asking.sampling.top_p:g}",
    lambda asking, info: f"top-k {asking.sampling.top_k}",
    lambda asking, info: f"min-p {asking.sampling.min_p:g}",
    lambda asking, info: f"KV {asking.settings.kv_type}",
    lambda asking, info: f"context {asking.settings.context_length}" if asking.settings.context_length else "",
)


def labels(askings: Sequence[Asking], infos: Sequence[ModelInfo]) -> tuple[str, ...]:
    """A name for each pane, no two alike: "SmolLM2 Q4_1", "SmolLM2 Q8_0 · T 0.2", "SmolLM2 · prompt 2".

    Of what differs only as much is said as tells them apart; where nothing does, they are numbered.
    """
    prompts = list(dict.fromkeys(asking.system_prompt.strip() for asking in askings))

    def prompt(asking: Asking, info: ModelInfo) -> str:
        return f"prompt {prompts.index(asking.system_prompt.strip()) + 1}"

    names = [info.name for info in infos]
    names = _told_apart(names, [_named(info.name, info.quantization) for info in infos])
    for aspect in (_provider, prompt, *_ASPECTS):
        said = [aspect(asking, info) for asking, info in zip(askings, infos, strict=True)]
        longer = [f"{name} · {more}" if more else name for name, more in zip(names, said, strict=True)]
        names = _told_apart(names, longer)
    numbered = [f"{name} · {names[:at].count(name) + 1}" for at, name in enumerate(names)]
    return tuple(numbered[at] if names.count(name) > 1 else name for at, name in enumerate(names))


def ranked(asking: Asking, info: ModelInfo) -> str:
    """What stands in a ranking, whoever it was compared with: the name, the quantization, and what is not as usual."""
    usual = Sampling()
    prompt = " ".join(asking.system_prompt.split())
    parts = (
        f"T {asking.sampling.temperature:g}" if asking.sampling.temperature != usual.temperature else "",
        f"“{prompt[:PROMPT_LENGTH]}…”" if len(prompt) > PROMPT_LENGTH else f"“{prompt}”" if prompt else "",
    )
    return " · ".join((_named(info.name, info.quantization), *filter(None, parts)))


def _told_apart(names: Sequence[str], longer: Sequence[str]) -> list[str]:
    """Longer names for those that share theirs with one whose longer name is another."""
    pairs = list(zip(names, longer, strict=True))
    return [more if any(name == n and more != m for n, m in pairs) else name for name, more in pairs]


def _provider(asking: Asking, info: ModelInfo) -> str:
    return "" if info.local else info.provider


def _named(name: str, quantization: str | None) -> str:
    """With the quantization, where the name does not say it."""
    said = not quantization or quantization.lower() in name.lower()
    return name if said else f"{name} {quantization}"
