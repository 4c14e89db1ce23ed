"""Memory against context length, beside what this machine has; the longest context that fits."""

from __future__ import annotations

import streamlit as st

from core import gguf_plots
from core.gguf.header import GGUF
from core.gguf.memory import KvType
from core.models.local import model_settings, room
from core.models.local.model_settings import ModelSettings
from core.models.local.room import Machine, Memory, Verdict
from core.workbench import Workbench
from pages.quantization import charts
from pages.quantization.inspect import facts
from pages.ui import chart, error_box
from pages.ui.words import _, size, tokens

KV_TYPES: tuple[KvType, ...] = ("f16", "q8_0", "q4_0")
MOST_PARALLEL = 16


def show(workbench: Workbench, gguf: GGUF) -> None:
    """Draws the settings, the verdict and the curve."""
    if not gguf.architecture or not gguf.block_count:
        st.info(_("This file is no model that can be loaded: there is nothing to estimate."), icon=":material/info:")
        return
    settings, context = _settings(gguf)
    machine = room.machine(limit=workbench.shelf.budget_bytes)
    needed = room.needed(gguf, settings, context)
    for memory in (machine.ram, *machine.cards):
        _line(gguf, settings, context, needed.total, memory)
    points = room.curve(gguf, settings)
    parts = {"weights": _("weights"), "kv_cache": _("KV cache"), "compute": _("computing")}
    title = _title(gguf, settings, machine)
    words = charts.words(title, x=_("context length, tokens"), y=_("memory, GB"), parts=parts)
    free = _free(machine)
    chart.show(
        "memory-against-context",
        lambda dark: gguf_plots.memory_curve(points, free, chosen=context, words=words, dark=dark),
        title=title,
        name="memory",
        csv=lambda: gguf_plots.memory_csv(points),
    )
    st.caption(
        _(
            "Weights: the tensors as they are in the file. KV cache: what the model remembers of each token; it grows "
            "with the context. Computing: room for one batch and its results. An estimate: for most models within a "
            "few percent of what llama.cpp really takes; the process itself needs about {overhead} more.",
            overhead=size(room.OVERHEAD),
        )
    )


def _settings(gguf: GGUF) -> tuple[ModelSettings, int]:
    longest = max(gguf.context_length or 131_072, 256)
    usual = model_settings.context_length(ModelSettings(), trained=gguf.context_length)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        context = (
            st.slider(
                _("Context length"),
                256,
                longest // 256 * 256,
                max(usual // 256 * 256, 256),
                256,
                key=f"inspect-context-{longest}",
                help=_("Tokens that the conversation, its documents and the answer may have together."),
                width=320,
                disabled=longest < 512,
            )
            if longest >= 512
            else 256
        )
        kv_type = st.segmented_control(
            _("KV cache"),
            KV_TYPES,
            default="f16",
            required=True,
            key="inspect-kv",
            help=_("q8_0 and q4_0 make the KV cache 1.9 and 3.6 times smaller, at some cost in quality."),
        )
        parallel = st.number_input(
            _("Answers at once"),
            1,
            MOST_PARALLEL,
            8,
            key="inspect-parallel",
            help=_("They share the context; each has results of its own."),
            width=210,
        )
    return ModelSettings(kv_type=kv_type, parallel=int(parallel)), int(context)


def _line(gguf: GGUF, settings: ModelSettings, context: int, needed: int, memory: Memory) -> None:
    verdict = room.verdict(needed, memory)
    easy = room.longest_context(gguf, settings, memory)
    word, icon, colour = facts.BADGES[verdict]
    said = _(
        "{needed} with {context}; {memory} has {free} free of {total}.",
        needed=f"**{size(needed + room.OVERHEAD)}**",
        context=tokens(context),
        memory=error_box.plain(memory.name),
        free=size(memory.free),
        total=size(memory.total),
    )
    st.markdown(f":{colour}-badge[{icon} " + _(word) + f"] {said} {_longest(gguf, verdict, easy)}")


def _longest(gguf: GGUF, verdict: Verdict, easy: int) -> str:
    if not easy:
        return _("Not even the shortest context fits what is free.")
    if gguf.context_length and easy >= gguf.context_length // 256 * 256:
        return _("Its whole context fits: {context}.", context=tokens(easy))
    return _("The longest context that fits: {context}.", context=tokens(easy))


def _free(machine: Machine) -> dict[str, Memory]:
    return {
        _("free now in {memory}: {free}", memory=memory.name, free=size(memory.free)): memory
        for memory in (machine.ram, *machine.cards)
    }


def _title(gguf: GGUF, settings: ModelSettings, machine: Machine) -> str:
    longest = room.longest_context(gguf, settings, machine.ram)
    if not longest:
        return _("It does not fit what is free, with any context")
    needed = size(room.needed(gguf, settings, longest).total)
    return _("Up to {context} fit: they take {needed}", context=tokens(longest), needed=needed)
