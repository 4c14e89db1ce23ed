"""How far the files are: each with its tensor, time left and a stop; the finished ones with what can be done next."""

from __future__ import annotations

import streamlit as st

from core import quantizing
from core.gguf.quantize import Quantized
from core.jobs import Job
from core.workbench import Workbench
from pages.quantization import source, views
from pages.ui import error_box, model_picker, places, press, view_switch
from pages.ui.words import _, count, ngettext, number, seconds, size

LOOK_S = 0.5
SHOWN = 8


def show(workbench: Workbench, me: str) -> None:
    """Draws the newest; while one runs, again twice a second."""
    jobs = workbench.jobs.list(me, quantizing.KIND)
    if not jobs:
        return
    st.subheader(_("Made here"), anchor=False)
    running = sum(job.state == "running" for job in jobs)
    st.fragment(_draw, run_every=LOOK_S if running else None)(workbench, me, running)


def _draw(workbench: Workbench, me: str, ran: int) -> None:
    jobs = workbench.jobs.list(me, quantizing.KIND)
    if sum(job.state == "running" for job in jobs) != ran:
        st.rerun()
    begun = [job for job in reversed(jobs) if job.state == "running"]
    for job in [*begun, *(job for job in jobs if job.state != "running")][:SHOWN]:
        if job.state == "running":
            _running(job)
        elif isinstance(job.result, Quantized):
            _done(workbench, me, job, job.result)
        else:
            _failed(workbench, me, job)


def _running(job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        parts = [job.subject]
        if job.note == quantizing.WAITING:
            parts.append(_(quantizing.WAITING))
        elif job.total:
            parts.append(_("tensor {done} of {total}", done=count(int(job.done)), total=count(int(job.total))))
            if job.seconds_left is not None:
                parts.append(_("about {duration} left", duration=seconds(job.seconds_left)))
        st.progress(job.fraction or 0.0, text=error_box.plain(" · ".join(parts)))
        st.button(
            _("Stop"),
            key=f"quantize-stop-{job.id}",
            icon=":material/stop:",
            on_click=job.cancel,
            disabled=job.halting,
            help=_("Nothing half-made is left."),
        )


def _done(workbench: Workbench, me: str, job: Job, made: Quantized) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        facts = [
            size(made.size_bytes),
            _("{bits} bits a weight", bits=number(round(made.bits_per_weight, 2))),
            seconds(made.seconds),
        ]
        if made.fallbacks:
            facts.append(
                ngettext("{count} tensor of another type", "{count} tensors of another type", len(made.fallbacks))
            )
        if made.requantized:
            facts.append(_("requantized"))
        st.markdown(
            f":material/check_circle: **{error_box.plain(job.subject)}** · {' · '.join(facts)}", width="content"
        )
        if st.button(
            _("Inspect"),
            key=f"quantize-inspect-{job.id}",
            icon=":material/frame_inspect:",
            type="tertiary",
            on_click=_inspect,
            args=(made,),
        ):
            st.rerun()  # of the whole page: this is only a part of it
        if press.button(_("Use in Chat"), key=f"quantize-chat-{job.id}", icon=":material/chat:", type="tertiary"):
            model_picker.pick_next(str(made.path))
            st.switch_page(places.chat())


def _inspect(made: Quantized) -> None:
    source.choose(made.path)
    st.query_params[view_switch.ADDRESS] = "inspect"
    st.session_state[views.KEY] = "inspect"


def _failed(workbench: Workbench, me: str, job: Job) -> None:
    if job.error is not None:
        st.markdown(f":material/cancel: **{error_box.plain(job.subject)}**")
        error_box.show(job.error)
    else:
        st.caption(_("{file}: stopped; nothing half-made is left.", file=error_box.plain(job.subject)))
