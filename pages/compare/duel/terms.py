"""What else a duel is started with, folded: both are asked alike, by as little as a person wants to say."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import streamlit as st

from core.arena.duel import LONGEST_ANSWER
from core.arena.votes import Pairing
from core.chat import Asking
from core.messages import Sampling
from core.models.base import ModelInfo
from core.models.tasks import NAMES
from pages.ui import model_picker
from pages.ui.words import _


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """`asking`: of both, without a model. `among`: the ids to draw from, all where there are none. `category`: None is
    found by the question's words."""

    asking: Asking
    among: tuple[str, ...]
    even_pace: bool
    category: str | None


def show(models: list[ModelInfo], pairing: Pairing) -> Wanted:
    """Draws the panel."""
    drawn = pairing != "chosen"
    with st.expander(_("More"), icon=":material/tune:", key="duel-more"):
        among = _among(models) if drawn else ()
        asking = _asking() if drawn else Asking()
        longest = st.number_input(
            _("Longest answer, in tokens"),
            min_value=1,
            max_value=100_000,
            value=LONGEST_ANSWER,
            step=100,
            key="duel-longest",
            persist_state="session",
            help=_(
                "Both are stopped there. Nobody sees an answer while it is written, so an endless one needs a limit."
            ),
        )
        even_pace = st.toggle(
            _("Same pace for both"),
            value=True,
            key="duel-even-pace",
            persist_state="session",
            help=_(
                "Both answers are written first and then shown word by word at one pace. Off, each is shown as fast "
                "as it is written, once both have begun: that may give a model away."
            ),
        )
        category = _category()
    asking = msgspec.structs.replace(asking, max_tokens=int(longest))
    return Wanted(asking=asking, among=among, even_pace=even_pace, category=category)


def limited(pair: tuple[Asking, Asking], wanted: Wanted) -> tuple[Asking, Asking]:
    """Two that were chosen, with the limit that is set here."""
    one, other = (msgspec.structs.replace(asking, max_tokens=wanted.asking.max_tokens) for asking in pair)
    return one, other


def _among(models: list[ModelInfo]) -> tuple[str, ...]:
    names = model_picker.labels(models)
    picked: list[str] = st.multiselect(
        _("Draw from"),
        list(names),
        format_func=lambda id: names.get(id, id),
        key="duel-among",
        persist_state="session",
        placeholder=_("All models"),
        help=_("The models that take part. With none picked, all do that can be asked here."),
    )
    return tuple(picked)


def _asking() -> Asking:
    prompt = st.text_area(
        _("System prompt"),
        key="duel-system",
        persist_state="session",
        placeholder=_("You are a patient teacher."),
        help=_("Stands before the question, for both alike."),
    )
    temperature = st.slider(
        _("Temperature"),
        0.0,
        2.0,
        Sampling().temperature,
        0.05,
        key="duel-temperature",
        persist_state="session",
        help=_("0 always takes the most probable token; the higher, the more is left to chance."),
    )
    return Asking(system_prompt=prompt or "", sampling=Sampling(temperature=temperature))


def _category() -> str | None:
    picked: str | None = st.selectbox(
        _("Kind of question"),
        [None, *NAMES],
        format_func=lambda task: _("as its words say") if task is None else _(NAMES[task]),
        key="duel-category",
        help=_("The ranking can be seen for one kind of question alone."),
    )
    return picked
