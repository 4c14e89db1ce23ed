"""A model and its context in memory: loaded, described, freed with the process."""

from __future__ import annotations

import ctypes
import os
import time
from collections import deque
from collections.abc import Callable, Iterator

import llama_cpp.llama_cpp as llama

from core.errors import ModelLoadFailed, ModelUnsupported, WorkbenchError
from core.llamacpp.templates import CHATML
from core.llamacpp.vocabulary import Vocabulary
from core.models.local import model_settings
from core.models.local.wire import Load, Ready

KV_TYPES = {"f16": llama.GGML_TYPE_F16, "q8_0": llama.GGML_TYPE_Q8_0, "q4_0": llama.GGML_TYPE_Q4_0}
FLASH = {
    "auto": llama.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": llama.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": llama.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}

_TURN = 512
"""Tokens that may be handed over together; llama.cpp computes them in parts of the batch size."""

_WARNING = 3
"""GGML_LOG_LEVEL_WARN of ggml.h, which llama-cpp-python leaves out; 4 is an error, 5 goes on with the line before."""

_log: deque[str] = deque(maxlen=50)


def _log_line(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    if level >= _WARNING:
        _log.append(text.decode("utf-8", errors="replace").strip())


_keep_log = llama.llama_log_callback(_log_line)


def begin() -> None:
    """Before anything else of llama.cpp: what it says is kept for `reason`, and its backends are there."""
    llama.llama_log_set(_keep_log, None)
    llama.llama_backend_init()


class LoadedModel:
    """One model, one context. Raises `ModelUnsupported` or `ModelLoadFailed` with llama.cpp's own words."""

    def __init__(self, load: Load, progress: Callable[[float], None]) -> None:
        began = time.perf_counter()
        self.name = load.name
        begin()
        self._settings = load.settings
        self._model = self._load(load, progress)
        self.vocabulary = Vocabulary(self._model)
        self.trained_context = int(llama.llama_model_n_ctx_train(self._model))
        self.can_share_prefix = not (
            llama.llama_model_is_recurrent(self._model) or llama.llama_model_is_hybrid(self._model)
        )
        self.threads = load.settings.threads or model_settings.physical_cores()
        self.sequences = min(load.settings.parallel, llama.llama_max_parallel_sequences() - 1)
        self.threads_now = self.threads
        self.flash, self._can_flash = False, True
        self.context = self._new_context(self._params())
        self.context_length = int(llama.llama_n_ctx(self.context))
        self.load_s = time.perf_counter() - began

    @property
    def chooses_attention(self) -> bool:
        """Whether it computes with flash attention or without, as it suits the number of answers (batching.py)."""
        return self._can_flash and self.can_share_prefix and self._settings.chooses_attention(gpu=self._on_gpu)

    def attend(self, *, flash: bool) -> llama.llama_context_p:
        """Another context, in place of the one that was there, with flash attention or without; always without for a
        model that cannot have it. Raises `ModelLoadFailed`."""
        llama.llama_free(self.context)
        params = self._params()
        params.n_threads = params.n_threads_batch = self.threads_now
        if flash:
            params.flash_attn_type = FLASH["on"]
        try:
            self.context = self._new_context(params)
        except WorkbenchError:
            if not flash:
                raise
            self._can_flash = False
            return self.attend(flash=False)
        self.flash = flash
        return self.context

    @property
    def template(self) -> str:
        """The file's chat template, ChatML when it has none."""
        return self._own_template() or CHATML

    @property
    def tool_template(self) -> str | None:
        """The file's chat template for conversations with tools, where it has one of its own for them."""
        return self._own_template(b"tool_use")

    def use_threads(self, number: int) -> None:
        """Computes with so many threads from now on."""
        self.threads_now = number
        llama.llama_set_n_threads(self.context, number, number)

    def metadata(self, key: str) -> str | None:
        """A value of the file's metadata; `{arch}` in the key is its architecture."""
        if "{arch}" in key:
            key = key.replace("{arch}", self.metadata("general.architecture") or "")
        buffer = ctypes.create_string_buffer(256)
        size = llama.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", errors="replace") if size >= 0 else None

    def ready(self) -> Ready:
        """What the other side is told of it."""
        return Ready(
            context_length=self.context_length,
            trained_context=self.trained_context,
            threads=self.threads,
            vocabulary=self.vocabulary.size,
            has_template=self._own_template() is not None,
            can_share_prefix=self.can_share_prefix,
            load_s=self.load_s,
        )

    @property
    def batch_size(self) -> int:
        """Tokens computed at once (llama.cpp makes it no larger than a short context)."""
        return int(llama.llama_n_ubatch(self.context))

    @property
    def dimension(self) -> int:
        """Numbers in the vector of a token."""
        return int(llama.llama_model_n_embd_out(self._model))

    def new_batch(self, size: int | None = None) -> Batch:
        """An empty batch of at most so many tokens, by default as many as a turn may hand over."""
        return Batch(size or int(llama.llama_n_batch(self.context)), sequences=self.sequences)

    def _own_template(self, name: bytes | None = None) -> str | None:
        template = llama.llama_model_chat_template(self._model, name)
        return template.decode("utf-8", errors="replace") if template else None

    def _load(self, load: Load, progress: Callable[[float], None]) -> llama.llama_model_p:
        def report(fraction: float, _: ctypes.c_void_p) -> bool:
            progress(fraction)
            return True

        params = llama.llama_model_default_params()
        params.n_gpu_layers = load.settings.gpu_layers
        params.load_mode = llama.LLAMA_LOAD_MODE_MMAP if load.settings.mmap else llama.LLAMA_LOAD_MODE_NONE
        callback = llama.llama_progress_callback(report)
        params.progress_callback = callback
        model = llama.llama_model_load_from_file(os.fsencode(load.path), params)
        if not model:
            raise reason(self.name)
        return model

    def embedding_context(self, *, tokens: int, at_once: int, sequences: int) -> llama.llama_context_p:
        """Another context over the same weights, which gives a vector for each token. Free it with `llama_free`."""
        params = self._params()
        params.embeddings = True
        params.pooling_type = llama.LLAMA_POOLING_TYPE_NONE
        params.n_ctx = tokens
        params.n_batch = params.n_ubatch = params.n_outputs_max = at_once
        params.n_seq_max = sequences
        return self._new_context(params)

    @property
    def _on_gpu(self) -> bool:
        return bool(llama.llama_supports_gpu_offload()) and self._settings.gpu_layers != 0

    def _params(self) -> llama.llama_context_params:
        settings, gpu = self._settings, self._on_gpu
        params = llama.llama_context_default_params()
        params.n_ctx = model_settings.context_length(settings, trained=self.trained_context)
        params.n_ubatch = max(settings.batch(gpu=gpu), self.sequences)
        params.n_batch = max(params.n_ubatch, _TURN)
        spare = 1 if self.chooses_attention else 0  # packing.py; a recurrent model would keep a state for it
        params.n_seq_max = params.n_outputs_max = self.sequences + spare
        params.n_threads = params.n_threads_batch = self.threads
        params.type_k = params.type_v = KV_TYPES[settings.kv_type]
        params.flash_attn_type = FLASH[settings.flash(gpu=gpu)]
        params.kv_unified = True
        params.no_perf = True
        return params

    def _new_context(self, params: llama.llama_context_params) -> llama.llama_context_p:
        context = llama.llama_init_from_model(self._model, params)
        if not context:
            raise reason(self.name)
        return context


class Batch:
    """Tokens for one `llama_decode`, written through ctypes into llama.cpp's own arrays."""

    def __init__(self, size: int, *, sequences: int = 1) -> None:
        self.handle = llama.llama_batch_init(size, 0, sequences)
        self._size = size
        self._sequences: list[list[int]] = []

    def close(self) -> None:
        """Gives its memory back."""
        llama.llama_batch_free(self.handle)

    @property
    def count(self) -> int:
        """Tokens in it."""
        return len(self._sequences)

    @property
    def room(self) -> int:
        """Tokens that still fit."""
        return self._size - len(self._sequences)

    def clear(self) -> None:
        """Takes everything out."""
        self._sequences.clear()
        self.handle.n_tokens = 0

    def add(self, sequence: int, token: int, position: int, output: bool) -> int:
        """Adds a token of a sequence; its row, which is also where its logits are read when `output`."""
        row, batch = len(self._sequences), self.handle
        batch.token[row] = token
        batch.pos[row] = position
        batch.n_seq_id[row] = 1
        batch.seq_id[row][0] = sequence
        batch.logits[row] = output
        self._sequences.append([sequence])
        batch.n_tokens = row + 1
        return row

    def join(self, row: int, sequence: int) -> None:
        """Makes the token of a row another sequence's too, at the same position: it is computed once for all."""
        of = self._sequences[row]
        self.handle.seq_id[row][len(of)] = sequence
        of.append(sequence)
        self.handle.n_seq_id[row] = len(of)

    def output(self, row: int) -> None:
        """Has the logits of a row computed."""
        self.handle.logits[row] = True

    def contents(self) -> Iterator[tuple[list[int], int]]:
        """(sequences, token) in order."""
        token = self.handle.token
        return ((sequences, token[row]) for row, sequences in enumerate(self._sequences))


def reason(name: str) -> WorkbenchError:
    """Why the model could not be loaded, in llama.cpp's own last words."""
    lines = [line for line in _log if line]
    for line in lines:
        if "unknown model architecture" in line:
            return ModelUnsupported(model=name, detail=line.split("error loading model: ")[-1])
    detail = next((line for line in reversed(lines) if "error" in line.lower() or "fail" in line.lower()), "")
    return ModelLoadFailed(model=name, detail=(detail or "llama.cpp gave no reason").rstrip("."))
