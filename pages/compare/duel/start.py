"""A new duel: a question, and who meets whom. Nothing is asked before *Start the duel*, or one of the ideas."""

from __future__ import annotations

import streamlit as st

from core.arena import pairing as pairings
from core.arena.votes import Pairing
from core.errors import WorkbenchError
from core.models.base import ModelInfo
from core.workbench import Workbench
from pages.compare.duel import address, chosen, terms
from pages.ui import error_box, press, privacy
from pages.ui.words import _, ngettext

PAIRING = "duel-pairing"
MODES: tuple[Pairing, ...] = ("random", "small_small", "small_big", "quantizations", "chosen")


def show(workbench: Workbench, me: str) -> None:
    """Draws the form; starts the duel and opens it."""
    models = workbench.duels.models(me)
    st.header(_("Which answer is better?"))
    st.markdown(_("Two models answer the same question. Who they are is shown when you have voted."))
    with st.form("duel-question-form", border=False):
        question = st.text_area(
            _("The question to both"),
            key="duel-question",
            height=130,
            placeholder=_("Type a question for both"),
            label_visibility="collapsed",
        )
        asked = press.submit(_("Start the duel"), key="duel-start", icon=":material/play_arrow:")
    problem = st.container()
    idea = _idea()
    pairing = _pairing(models)
    pair = chosen.show(models) if pairing == "chosen" else None
    wanted = terms.show(models, pairing)
    if where := _where(models, pairing, wanted, [one.model_id for one in pair] if pair else []):
        st.caption(where)
    if not asked and idea is None:
        return
    try:
        duel = workbench.duels.start(
            me,
            idea or question or "",
            pairing=pairing,
            chosen=pair and terms.limited(pair, wanted),
            among=wanted.among,
            asking=wanted.asking,
            even_pace=wanted.even_pace,
            category=wanted.category,
        )
    except WorkbenchError as error:
        with problem:
            error_box.show(error)
        return
    address.open_duel(duel.id)
    st.rerun()


def _idea() -> str | None:
    """Three questions to begin with."""
    ideas = {
        "child": _("Explain to a child why the sky is blue."),
        "poem": _("Write four lines of verse about a lighthouse."),
        "reason": _("A bat and a ball cost 1.10 € together; the bat costs 1 € more. What does the ball cost?"),
    }
    with st.container(horizontal=True, gap="small"):
        for name, idea in ideas.items():
            if press.button(idea, key=f"duel-idea-{name}", type="tertiary", icon=":material/lightbulb:", wrap=True):
                return idea
    return None


def _pairing(models: list[ModelInfo]) -> Pairing:
    names = _names()
    st.session_state.setdefault(PAIRING, "random" if len(models) > 1 else "chosen")
    mode: Pairing | None = st.pills(
        _("Who meets whom"),
        MODES,
        required=True,
        default=st.session_state[PAIRING],
        format_func=lambda mode: names[mode][0],
        key=PAIRING,
        persist_state="session",
    )
    mode = mode or MODES[0]
    st.caption(" ".join([names[mode][1], *_possible(models, mode)]))
    return mode


def _names() -> dict[Pairing, tuple[str, str]]:
    return {
        "random": (_("Random"), _("Any two models. Those that have met seldom are drawn more often.")),
        "small_small": (
            _("Small against small"),
            _("Two different models of at most 8 billion parameters, alike in size."),
        ),
        "small_big": (
            _("Small against big"),
            _("A model of at most 8 billion parameters, and one at least four times as big."),
        ),
        "quantizations": (_("Quantization against quantization"), _("The same model in two quantizations.")),
        "chosen": (_("Chosen"), _("You choose the two; only who is A and who is B is left to chance.")),
    }


def _possible(models: list[ModelInfo], mode: Pairing) -> list[str]:
    """What is to be known of the pairs before one is drawn."""
    if mode == "chosen":
        return []
    if mode == "random":
        return [] if len(models) > 1 else [_("There is only one model here: connect an endpoint, or choose.")]
    pairs = len(pairings.pairs(models, mode))
    notes = [ngettext("{count} pair is possible.", "{count} pairs are possible.", pairs)]
    unknown = pairings.unsized(models)
    if unknown and mode != "quantizations":
        notes.append(
            ngettext(
                "{count} model does not say its size, and is not drawn.",
                "{count} models do not say their size, and are not drawn.",
                unknown,
            )
        )
    return notes


def _where(models: list[ModelInfo], mode: Pairing, wanted: terms.Wanted, ids: list[str | None]) -> str:
    """Where the question may go: the farthest that a model of the draw is."""
    among = ids if mode == "chosen" else wanted.among
    drawn = [one for one in models if one.id in among] if among else models
    if mode not in ("random", "chosen"):
        drawn = [one for pair in pairings.pairs(drawn, mode) for one in pair]
    return privacy.of_route(drawn)
