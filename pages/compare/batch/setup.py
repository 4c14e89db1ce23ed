"""A new batch: which models, which prompts, how often; what that will take, and where it goes; and its start."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.arena.batch import MOST_AT_ONCE, Spec, Timing
from core.chat import Asking
from core.errors import WorkbenchError
from core.messages import Sampling
from core.models.base import ModelInfo
from core.models.routes import is_route
from core.workbench import Workbench
from pages.compare.batch import opened, prompts
from pages.compare.batch.prompts import Chosen
from pages.ui import error_box, model_picker, press, privacy
from pages.ui.words import _, ngettext, seconds

MOST_REPEATS = 50
LENGTH = 400
"""Tokens that an answer may have, to begin with: nobody watches a batch, so nobody stops an answer without an end."""


def show(workbench: Workbench, me: str) -> None:
    """Draws the form; a batch that is started is opened."""
    st.header(_("Many questions, several models"), anchor=False)
    st.markdown(
        _(
            "Each model is asked the same prompts in the background, as often as you like. Then compare what they say, "
            "how fast, at what price, and how many of their answers pass a check."
        )
    )
    models = _models(workbench, me)
    chosen = prompts.show()
    askings, repeats, timing, at_once, seed = _manner(models)
    if not models or chosen is None:
        press.button(_("Start"), key="batch-start", icon=":material/play_arrow:", disabled=True)
        return
    try:
        spec = workbench.batches.spec(
            me, askings, chosen.prompts, repeats=repeats, timing=timing, at_once=at_once, seed=seed
        )
        st.markdown(_size(spec) + _duration(workbench.batches.seconds_for(me, spec)))
        st.caption(" · ".join(dict.fromkeys(_place(one.info) for one in spec.models)))
        if press.button(_("Start"), key="batch-start", icon=":material/play_arrow:"):
            _start(workbench, me, spec, chosen)
    except WorkbenchError as error:
        error_box.show(error)


def _start(workbench: Workbench, me: str, spec: Spec, chosen: Chosen) -> None:
    made = workbench.batches.create(me, spec, name=chosen.name)
    workbench.batches.start(me, made.id)
    opened.open(made.id)
    st.rerun()


def _models(workbench: Workbench, me: str) -> Sequence[ModelInfo]:
    models = workbench.models(me)
    if workbench.connections.local_only(me):
        models = [one for one in models if is_route(one.id) or privacy.stays(one)]
    known, labels = {one.id: one for one in models}, model_picker.labels(models)
    begun = [one.id for one in models if one.local and not is_route(one.id)][:1]
    picked = st.multiselect(
        _("Models"),
        list(known),
        default=begun,
        format_func=lambda id: labels.get(id, id),
        key="batch-models",
        placeholder=_("Choose at least one model"),
        help=_("Models on this machine, two quantizations of one, or models of endpoints that you connected."),
    )
    return [known[id] for id in picked]


def _manner(models: Sequence[ModelInfo]) -> tuple[list[Asking], int, Timing, int, int | None]:
    """How each is asked: the same for all."""
    repeats = st.number_input(
        _("Repeats"),
        1,
        MOST_REPEATS,
        1,
        key="batch-repeats",
        help=_("How often each model is asked each prompt: once shows one answer, five show how much they vary."),
        width=200,
    )
    with st.expander(_("How they are asked"), icon=":material/tune:"):
        temperature = st.slider(
            _("Temperature"),
            0.0,
            2.0,
            Sampling().temperature,
            0.1,
            key="batch-temperature",
            help=_("0 always takes the most probable token: every repeat is then the same."),
        )
        length = st.number_input(
            _("Longest answer, in tokens"),
            1,
            100_000,
            LENGTH,
            key="batch-length",
            help=_("An answer that is longer ends there, and its checks see only what there is."),
            width=200,
        )
        seed = st.number_input(
            _("Seed"),
            0,
            2**31,
            None,
            key="batch-seed",
            help=_("With a number, the same batch gives the same answers again. Each repeat has the next one."),
            width=200,
        )
        system = st.text_area(
            _("System prompt"),
            key="batch-system",
            help=_("For every prompt that brings none of its own."),
            placeholder=_("You are a patient teacher."),
        )
        timing, at_once = _timing(models)
    sampling = Sampling(temperature=temperature)
    askings = [
        Asking(model_id=one.id, sampling=sampling, max_tokens=int(length), system_prompt=system) for one in models
    ]
    return askings, int(repeats), timing, at_once, None if seed is None else int(seed)


def _timing(models: Sequence[ModelInfo]) -> tuple[Timing, int]:
    if all(privacy.stays(one) for one in models):
        st.caption(_("Models on this machine answer one after another, so that their figures can be compared."))
        return "together", 1
    at_once = st.number_input(
        _("Answers at once from one endpoint"),
        1,
        MOST_AT_ONCE,
        4,
        key="batch-at-once",
        help=_(
            "More are quicker, and may meet the endpoint's limits. With 1, each answer has the machine and the network "
            "to itself. Models on this machine always answer one after another."
        ),
        width=200,
    )
    return ("together" if at_once > 1 else "alone"), int(at_once)


def _size(spec: Spec) -> str:
    factors = [
        ngettext("{count} model", "{count} models", len(spec.models)),
        ngettext("{count} prompt", "{count} prompts", len(spec.prompts)),
    ]
    if spec.repeats > 1:
        factors.append(ngettext("{count} repeat", "{count} repeats", spec.repeats))
    answers = ngettext("{count} answer", "{count} answers", spec.cells)
    return f"{' × '.join(factors)} = **{answers}**"


def _duration(left_s: float | None) -> str:
    if left_s is None:
        return ". " + _("How long that takes is seen with the first answers.")
    return ", " + _("about {duration} by the speeds measured here.", duration=seconds(left_s))


def _place(info: ModelInfo) -> str:
    if is_route(info.id):
        return _("{name}: where its route leads", name=error_box.plain(info.name))
    return privacy.badge(info)
