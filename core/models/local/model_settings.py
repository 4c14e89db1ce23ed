"""How a local model is loaded: one frozen value, checked, with defaults taken from the machine."""

from __future__ import annotations

import os
from typing import Literal, TypedDict

import msgspec

from core.errors import SettingInvalid
from core.gguf import memory
from core.gguf.header import GGUF
from core.gguf.memory import KvType, MemoryEstimate

FlashAttention = Literal["auto", "on", "off"]

DEFAULT_CONTEXT = 4096
"""Tokens, where neither the model nor the memory asks for less: long enough for a lesson, small enough for a laptop."""

CPU_BATCH = 256
GPU_BATCH = 512
"""Prompt tokens computed at once. More are no faster on a processor, and take more memory."""


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one loaded model. None: chosen from the machine and the model when it is loaded.

    context_length: tokens that all conversations in progress share; one conversation may take all of them.
    threads: for the decode loop; batch_size: prompt tokens computed at once; parallel: answers in progress at once.
    flash_attention: "auto" is llama.cpp's own choice on a GPU and with a quantized KV cache. On a processor it is off
    for one or two answers, written up to twice as fast without it, and on for more (docs/BENCHMARKS.md).
    kv_type: q8_0 and q4_0 make the KV cache 1.9 and 3.6 times smaller, and need flash attention.
    gpu_layers: layers kept on a GPU, −1 for all; no effect without one. mmap: weights are read as they are needed.
    """

    context_length: int | None = None
    threads: int | None = None
    batch_size: int | None = None
    kv_type: KvType = "f16"
    flash_attention: FlashAttention = "auto"
    gpu_layers: int = -1
    mmap: bool = True
    parallel: int = 8

    def batch(self, *, gpu: bool) -> int:
        """Prompt tokens computed at once, as they suit a processor or a GPU."""
        return self.batch_size or (GPU_BATCH if gpu else CPU_BATCH)

    def flash(self, *, gpu: bool) -> FlashAttention:
        """Flash attention on a processor or a GPU for one answer; "auto" leaves it to llama.cpp."""
        return "off" if self.chooses_attention(gpu=gpu) else self.flash_attention

    def chooses_attention(self, *, gpu: bool) -> bool:
        """Whether flash attention is used or not as it suits the answers in progress."""
        return not gpu and self.flash_attention == "auto" and self.kv_type == "f16"

    def checked(self) -> ModelSettings:
        """These settings, or `SettingInvalid` naming the first one out of range."""
        for name, value, low, high in (
            ("context_length", self.context_length, 64, 10_000_000),
            ("threads", self.threads, 1, 1024),
            ("batch_size", self.batch_size, 16, 8192),
            ("gpu_layers", self.gpu_layers, -1, 10_000),
            ("parallel", self.parallel, 1, 64),
        ):
            if value is not None and not low <= value <= high:
                raise SettingInvalid(setting=name, value=value, allowed=f"{low} … {high}")
        if self.kv_type != "f16" and self.flash_attention == "off":
            raise SettingInvalid(setting="flash_attention", value="off", allowed="auto, on (with a quantized KV cache)")
        return self


def physical_cores() -> int:
    """Cores this process may use, hyper-threads counted once: more threads than that slow llama.cpp down."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or allowed, allowed))


def context_length(settings: ModelSettings, *, trained: int | None, fits: int | None = None) -> int:
    """The context to load with, in tokens: what was asked, else `DEFAULT_CONTEXT` within what the model was trained for
    and what fits the memory."""
    if settings.context_length is not None:
        return settings.context_length
    return max(64, min(DEFAULT_CONTEXT, trained or DEFAULT_CONTEXT, fits or DEFAULT_CONTEXT))


def memory_needed(gguf: GGUF, settings: ModelSettings) -> MemoryEstimate:
    """What loading the model with these settings takes on a processor."""
    length = context_length(settings, trained=gguf.context_length)
    return memory.estimate(gguf, context_length=length, **_on_processor(settings))


def context_that_fits(gguf: GGUF, settings: ModelSettings, *, budget: int) -> int:
    """The longest context in tokens with which it takes no more than `budget` bytes on a processor, 0 where none."""
    return memory.context_that_fits(gguf, budget, **_on_processor(settings))


class _OnProcessor(TypedDict):
    kv_type: KvType
    parallel: int
    batch: int
    flash_attention: bool


def _on_processor(settings: ModelSettings) -> _OnProcessor:
    return _OnProcessor(
        kv_type=settings.kv_type,
        parallel=settings.parallel,
        batch=settings.batch(gpu=False),
        flash_attention=settings.flash(gpu=False) != "off",
    )
