"""Load settings: what is fastest here, what a smaller KV cache costs; the best one kept for a conversation."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.chat import Asking, asking_to_settings
from core.gguf import sweep, verdict
from core.gguf.sweep import Axis, Effort, Swept, Trial
from core.jobs import Job
from core.models.local.model_settings import ModelSettings
from core.workbench import Workbench
from pages.quantization.measure import background
from pages.ui import error_box, model_picker, places, state
from pages.ui.words import N_, _, number, rate, size

KIND = "sweep"
BEGUN = "sweep-begun"
"""The conversation that the last click has begun."""


def show(workbench: Workbench, me: str) -> None:
    """Draws the choice, folded, and what came of it."""
    with st.expander(_("Which settings suit this machine"), icon=":material/speed:", key="fold-sweep"):
        st.caption(
            _(
                "Tries threads, flash attention, batch size, the KV cache's type and answers at once, one after "
                "another; each keeps the best of the one before. Another value is taken only where it is faster by "
                "more than twice its error."
            )
        )
        models = {one.id: one for one in workbench.catalog.models()}
        if not models:
            st.caption(_("There is no model on this machine yet: find one in “Find and download”."))
            return
        labels = model_picker.labels(list(models.values()))
        st.selectbox(_("Model"), list(models), format_func=lambda id: labels.get(id, id), key="sweep-model")
        axes = st.multiselect(
            _("What is tried"),
            list(sweep.AXES),
            default=list(sweep.AXES),
            format_func=lambda axis: _axes()[axis],
            key="sweep-axes",
        )
        st.button(
            _("Try them"),
            key="sweep-start",
            icon=":material/play_arrow:",
            disabled=not axes,
            help=_("A minute or two. What was tried before is not tried again."),
            on_click=partial(_start, workbench, me),
        )
        found = background.show(workbench, me, KIND)
        job = background.newest(workbench, me, KIND)
        if isinstance(found, Swept) and job is not None:
            _found(workbench, me, found, job.subject)


def _start(workbench: Workbench, me: str) -> None:
    """With what the widgets hold when it is clicked."""
    model_id, axes = str(st.session_state["sweep-model"]), tuple(st.session_state["sweep-axes"])
    background.start(workbench, me, KIND, model_id, partial(_work, workbench, me, model_id, axes))


def _work(workbench: Workbench, me: str, model_id: str, axes: tuple[Axis, ...], job: Job) -> Swept:
    info = workbench.catalog.get(model_id)
    return sweep.sweep(
        workbench.studies.bench,
        me,
        workbench.catalog.path(info),
        info.name,
        effort=Effort(axes=axes),
        notice=lambda done, total, what: job.step(done, total, NOTES[what]),
    )


NOTES = {
    "threads": N_("tries threads"),
    "flash_attention": N_("tries flash attention"),
    "batch": N_("tries batch sizes"),
    "kv_type": N_("tries types of the KV cache"),
    "parallel": N_("tries answers at once"),
}


def _axes() -> dict[str, str]:
    return {
        "threads": _("Threads"),
        "flash_attention": _("Flash attention"),
        "batch": _("Batch size"),
        "kv_type": _("KV cache type"),
        "parallel": _("Answers at once"),
    }


def _found(workbench: Workbench, me: str, found: Swept, model_id: str) -> None:
    names = _axes()
    st.dataframe(
        {
            _("Setting"): [names[one.axis] for one in found.trials],
            _("Value"): [one.value for one in found.trials],
            _("Reads"): [rate(one.speed.read.mean) if one.speed.read else "–" for one in found.trials],
            _("Writes"): [rate(one.speed.write.mean) if one.speed.write else "–" for one in found.trials],
            _("Memory, 4,096 tokens"): [size(one.memory, estimated=True) for one in found.trials],
            _("KL divergence"): [_kl(one) for one in found.trials],
            _("Best"): ["✓" if one.best else "" for one in found.trials],
        },
        hide_index=True,
        key="sweep-table",
    )
    if max((one.speed.others or 0.0 for one in found.trials), default=0.0) > verdict.BUSY:
        st.caption(
            ":material/warning: " + _("Other programs were busy meanwhile: try again when the machine is quiet.")
        )
    st.markdown(_("Best here: {settings}.", settings=error_box.plain(_described(found.best))))
    kept = workbench.load_settings(me, model_id) == found.best
    st.toggle(
        _("Load it with these in new conversations"),
        kept,
        key=f"sweep-default-{kept}",
        help=_("Where nothing else is chosen in a conversation's settings. Switched off, the defaults are used again."),
        on_change=workbench.keep_load_settings,
        args=(me, model_id, None if kept else found.best),
    )
    st.button(
        _("Begin a conversation with these"),
        key="sweep-keep",
        icon=":material/chat:",
        help=_("They are kept with it, under Model in its settings, where they can be changed."),
        on_click=_begin,
        args=(workbench, me, model_id, found.best),
    )
    if (begun := st.session_state.pop(BEGUN, None)) is not None:
        st.switch_page(places.chat(), query_params={state.CONVERSATION: begun})


def _begin(workbench: Workbench, me: str, model_id: str, best: ModelSettings) -> None:
    asking = Asking(model_id=model_id, settings=best)
    made = workbench.conversations.create(me, model_id=model_id, settings=asking_to_settings(asking))
    st.session_state[BEGUN] = made.id


def _kl(one: Trial) -> str:
    if one.kl is None:
        return "–"
    return f"{number(float(f'{one.kl.value:.2g}'))} ± {number(float(f'{one.kl.error:.1g}'))}"


def _described(best: ModelSettings) -> str:
    flash = {"auto": _("automatic"), "on": _("on"), "off": _("off")}[best.flash_attention]
    return " · ".join(
        (
            _("threads: {value}", value=number(best.threads) if best.threads else _("automatic")),
            _("batch size: {value}", value=number(best.batch_size or 0)),
            _("flash attention: {value}", value=flash),
            _("KV cache: {value}", value=best.kv_type),
            _("answers at once: {value}", value=number(best.parallel)),
        )
    )
