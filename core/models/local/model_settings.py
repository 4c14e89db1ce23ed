"""How a local model is loaded: one frozen value, checked, with defaults taken from the machine."""

from __future__ import annotations

import os
from typing import Literal

import msgspec

from core.errors import SettingInvalid

KvType = Literal["f16", "q8_0", "q4_0"]
FlashAttention = Literal["auto", "on", "off"]

DEFAULT_CONTEXT = 4096
"""Tokens, where neither the model nor the memory asks for less: long enough for a lesson, small enough for a laptop."""


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one loaded model. None: chosen from the machine and the model when it is loaded.

    context_length: tokens that all conversations in progress share; one conversation may take all of them.
    threads: for the decode loop; batch_size: prompt tokens computed at once; parallel: answers in progress at once.
    kv_type: q8_0 and q4_0 make the KV cache 1.9 and 3.6 times smaller, and need flash attention.
    gpu_layers: layers kept on a GPU, −1 for all; no effect without one. mmap: weights are read as they are needed.
    """

    context_length: int | None = None
    threads: int | None = None
    batch_size: int = 512
    kv_type: KvType = "f16"
    flash_attention: FlashAttention = "auto"
    gpu_layers: int = -1
    mmap: bool = True
    parallel: int = 8

    @property
    def sequences(self) -> int:
        """Sequences in the KV cache: as many idle ones again as answers in progress, so that the conversations of a
        class are not prefilled anew at every turn."""
        return 2 * self.parallel

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
