"""How a local model is loaded, and the memory it takes with that, before it is loaded."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import get_args
from zlib import crc32

import streamlit as st

from core.errors import ModelTooLarge, WorkbenchError
from core.gguf.memory import KvType
from core.models.base import ModelInfo
from core.models.local import fit as fitting
from core.models.local.fit import Fit
from core.models.local.model_settings import CPU_BATCH, FlashAttention, ModelSettings, physical_cores
from pages.ui import error_box, figure_list
from pages.ui.figure_list import Figure
from pages.ui.words import _, count, ngettext, percent, size

UNKNOWN_CONTEXT = 1 << 20
"""Tokens: as many as can be chosen for a model that does not say what it was trained for."""


def show(
    key: str, info: ModelInfo, path: Path, begun: ModelSettings, *, budget: int, loaded: Collection[ModelSettings]
) -> ModelSettings:
    """The settings that the next question loads the model with. Begins with `begun`.

    budget: bytes that local models may take. loaded: the settings with which this model is in memory now.
    """
    key = f"{key}-{crc32(info.id.encode('utf-8', errors='replace')):x}"  # each model has its own
    try:
        before = fitting.fit(path, begun, budget=budget)
        context = _context(key, begun, before)
        memory = st.container(gap="small")
        chosen = _choose(key, begun, before, context)
        fit = fitting.fit(path, chosen, budget=budget)
    except WorkbenchError as error:
        error_box.show(error)
        return begun
    with memory:
        _memory(key, info, fit)
        st.caption(f"{_longest(fit)} {_next(chosen, loaded)}")
    return chosen


def _choose(key: str, begun: ModelSettings, fit: Fit, context: int | None) -> ModelSettings:
    kv_type = _kv_type(key, begun)
    flash = _flash_attention(key, begun, kv_type)
    with st.expander(_("Processor and GPU"), icon=":material/memory:", key=f"rare-{key}"):
        threads = _threads(key, begun)
        gpu_layers = _gpu_layers(key, begun, fit)
        batch_size = _batch_size(key, begun)
        parallel = _parallel(key, begun)
        mmap = _mmap(key, begun)
    return ModelSettings(
        context_length=context,
        threads=threads,
        batch_size=batch_size,
        kv_type=kv_type,
        flash_attention=flash,
        gpu_layers=gpu_layers,
        mmap=mmap,
        parallel=parallel,
    )


def _context(key: str, begun: ModelSettings, fit: Fit) -> int | None:
    most = fit.trained_context or UNKNOWN_CONTEXT
    value = st.number_input(
        _("Context length"),
        min_value=64,
        max_value=max(most, begun.context_length or 0, fit.default_context),
        value=begun.context_length or fit.default_context,
        step=256,
        key=f"context-{key}",
        help=_("Tokens that the model can have before it at once: conversation, documents and answer together."),
    )
    st.caption(
        _("{chosen} tokens; the model was trained for {most}.", chosen=count(value), most=count(fit.trained_context))
        if fit.trained_context
        else _("{chosen} tokens; what the model was trained for is not known.", chosen=count(value))
    )
    return _kept(value, begun.context_length, fit.default_context)


def _kv_type(key: str, begun: ModelSettings) -> KvType:
    types: tuple[KvType, ...] = get_args(KvType)
    kv_type = st.segmented_control(
        _("KV cache type"),
        types,
        default=begun.kv_type,
        required=True,
        key=f"kv-type-{key}",
        help=_("What the model remembers of each token of the context, and in how many bits a value."),
    )
    meaning = {
        "f16": _("f16: 16 bits a value, nothing is lost."),
        "q8_0": _("q8_0: 8 bits a value, 1.9 times smaller, with hardly a difference in the answers."),
        "q4_0": _("q4_0: 4 bits a value, 3.6 times smaller; answers suffer, in long conversations most."),
    }
    st.caption(meaning[kv_type])
    return kv_type


def _flash_attention(key: str, begun: ModelSettings, kv_type: KvType) -> FlashAttention:
    ways: tuple[FlashAttention, ...] = get_args(FlashAttention)
    names = {"auto": _("automatic"), "on": _("on"), "off": _("off")}
    flash = st.segmented_control(
        _("Flash attention"),
        ways,
        default=begun.flash_attention,
        required=True,
        format_func=lambda way: names[way],
        key=f"flash-{key}",
        help=_("Computes attention block by block (Dao et al., 2022): the same result with less memory."),
    )
    if kv_type != "f16" and flash == "off":
        st.caption(
            ":red[:material/error: " + _("A quantized KV cache needs flash attention: leave it automatic.") + "]"
        )
        return flash
    automatic = _(
        "Automatic: on a processor off for one answer or two, which are written faster without, and on for several at "
        "once; on a GPU llama.cpp decides."
    )
    if kv_type != "f16":
        automatic = _("Automatic: on, as the quantized KV cache needs it.")
    meaning = {
        "auto": automatic,
        "on": _("On: less memory for a long context; on a processor, one answer is slower from 256 tokens on."),
        "off": _("Off: the attention to the whole context is kept for each batch, which takes memory."),
    }
    st.caption(meaning[flash])
    return flash


def _threads(key: str, begun: ModelSettings) -> int | None:
    cores = physical_cores()
    value = st.number_input(
        _("Threads"),
        min_value=1,
        max_value=1024,
        value=begun.threads or cores,
        key=f"threads-{key}",
        help=_("Cores of the processor that compute at once. More than there are slow the model down."),
    )
    there = ngettext("This machine has {count} core.", "This machine has {count} cores.", cores)
    st.caption(there if value <= cores else there + " " + _("More threads than that slow each other down."))
    return _kept(value, begun.threads, cores)


def _gpu_layers(key: str, begun: ModelSettings, fit: Fit) -> int:
    value = st.number_input(
        _("Layers on the GPU"),
        min_value=-1,
        max_value=10_000,
        value=begun.gpu_layers,
        key=f"gpu-layers-{key}",
        help=_("Layers whose weights lie on a GPU, where they are computed faster. No effect without one."),
    )
    if value == -1:
        st.caption(_("−1: all of them, where there is a GPU."))
    elif value == 0:
        st.caption(_("0: none; the processor computes everything."))
    elif fit.layers and value >= fit.layers:
        st.caption(_("All {layers} layers, where there is a GPU.", layers=count(fit.layers)))
    else:
        st.caption(
            _("{chosen} of {layers} layers, where there is a GPU.", chosen=count(value), layers=count(fit.layers))
        )
    return value


def _batch_size(key: str, begun: ModelSettings) -> int | None:
    value = st.number_input(
        _("Batch size"),
        min_value=16,
        max_value=8192,
        value=begun.batch_size,
        step=16,
        key=f"batch-{key}",
        placeholder=count(CPU_BATCH),
        help=_("Prompt tokens computed at once. More are no faster on a processor, and take more memory."),
    )
    shown = count(value or CPU_BATCH)
    st.caption(
        _("{tokens} tokens of a prompt at once.", tokens=shown)
        if value
        else _("{tokens} tokens of a prompt at once, more on a GPU.", tokens=shown)
    )
    return value


def _parallel(key: str, begun: ModelSettings) -> int:
    value = st.number_input(
        _("Answers at once"),
        min_value=1,
        max_value=64,
        value=begun.parallel,
        key=f"parallel-{key}",
        help=_("Questions of several people or pages that are answered at the same time; further ones wait."),
    )
    st.caption(
        _("One answer at a time; it may take the whole context.")
        if value == 1
        else _("Up to {number} answers at once share the context.", number=count(value))
    )
    return value


def _mmap(key: str, begun: ModelSettings) -> bool:
    value = st.toggle(
        _("Read weights as they are needed"),
        begun.mmap,
        key=f"mmap-{key}",
        help=_("Memory mapping: the file is not read in at once, and the system may share it between programs."),
    )
    st.caption(
        _("The first answer may begin more slowly, loading is quicker.")
        if value
        else _("All weights are read before the first answer.")
    )
    return value


def _kept(chosen: int, begun: int | None, default: int) -> int | None:
    """What was chosen; None stays None while it is the default, as other settings mean another load."""
    return begun if chosen == (begun or default) else chosen


def _memory(key: str, info: ModelInfo, fit: Fit) -> None:
    figure_list.show(f"memory-{key}", _figures(fit))
    if not fit.fits:
        needed, free = (f"{amount / 1e9:.2f}" for amount in (fit.needed.total, max(fit.budget, 0)))
        error_box.show(ModelTooLarge(model=info.name, needed_gb=needed, free_gb=free))


def _longest(fit: Fit) -> str:
    if not fit.longest_context:
        return _("With these settings no context fits.")
    return _("The longest context that fits: {tokens} tokens.", tokens=count(fit.longest_context))


def _figures(fit: Fit) -> list[Figure]:
    weights, kv_cache = size(fit.needed.weights), size(fit.needed.kv_cache, estimated=True)
    compute, total = size(fit.needed.compute, estimated=True), size(fit.needed.total, estimated=True)
    return [
        Figure(
            label=_("Memory"),
            value=total,
            phrase=_("memory {total} of {budget}", total=total, budget=size(fit.budget)),
            help=_(
                "Estimated from the file before loading: {share} of what all local models together may use, which is "
                "half of this machine's memory, or WORKBENCH_MEMORY_GB.",
                share=_share(fit),
            ),
        ),
        Figure(
            label=_("Weights"),
            value=weights,
            phrase=_("weights {size}", size=weights),
            help=_("The model itself: all its tensors, as they are in the file."),
        ),
        Figure(
            label=_("KV cache"),
            value=kv_cache,
            phrase=_("KV cache {size}", size=kv_cache),
            help=_("What is kept of each token. Grows with the context length, shrinks with the cache's type."),
        ),
        Figure(
            label=_("Compute"),
            value=compute,
            phrase=_("compute {size}", size=compute),
            help=_("Room to compute in. Grows with the batch size, and with the context without flash attention."),
        ),
    ]


def _share(fit: Fit) -> str:
    return percent(fit.needed.total / fit.budget if fit.budget > 0 else None)


def _next(chosen: ModelSettings, loaded: Collection[ModelSettings]) -> str:
    if chosen in loaded:
        return _("The model is in memory with these settings.")
    if loaded:
        return _("The model is loaded anew with the next question.")
    return _("The model is loaded with the next question.")
