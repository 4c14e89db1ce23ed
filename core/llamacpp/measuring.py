"""What the measuring children share: a model in memory, contexts over it, and how busy the machine is meanwhile.

Each child takes one task of core/gguf/measures.py on its standard input and says frames on its standard output.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from core.errors import ModelLoadFailed, WorkbenchError
from core.gguf import measures
from core.gguf.measures import Frame, Setup, Task
from core.llamacpp import loading
from core.llamacpp.loading import Batch
from core.llamacpp.vocabulary import Vocabulary
from core.models.local.model_settings import physical_cores

Logits = NDArray[np.float32]


class Measured:
    """A model in memory. Raises `ModelUnsupported` or `ModelLoadFailed`."""

    def __init__(self, path: str, name: str, setup: Setup) -> None:
        loading.begin()
        self.name = name
        self.setup = setup
        self.threads = setup.threads or physical_cores()
        params = llama.llama_model_default_params()
        params.n_gpu_layers = setup.gpu_layers
        model = llama.llama_model_load_from_file(os.fsencode(path), params)
        if not model:
            raise loading.reason(name)
        self._model = model
        self.vocabulary = Vocabulary(model)

    def close(self) -> None:
        """Gives its memory back."""
        llama.llama_model_free(self._model)

    def context(self, tokens: int, *, sequences: int = 1, outputs: int = 1) -> Context:
        """A context that holds so many tokens of all sequences together."""
        setup = self.setup
        params = llama.llama_context_default_params()
        params.n_ctx = tokens
        params.n_batch = params.n_ubatch = max(min(setup.batch, tokens), sequences)
        params.n_outputs_max = max(outputs, sequences)
        params.n_seq_max = sequences
        params.n_threads = params.n_threads_batch = self.threads
        params.type_k = params.type_v = loading.KV_TYPES[setup.kv_type]
        params.flash_attn_type = loading.FLASH[setup.flash_attention]
        params.kv_unified = True
        params.no_perf = True
        context = llama.llama_init_from_model(self._model, params)
        if not context:
            raise loading.reason(self.name)
        return Context(self, context, int(params.n_batch))

    def fingerprint(self) -> str:
        """Of the vocabulary: the same for models whose tokens are the same ones."""
        digest = hashlib.sha256()
        for token in range(self.vocabulary.size):
            digest.update((llama.llama_vocab_get_text(self.vocabulary.handle, token) or b"") + b"\0")
        return digest.hexdigest()[:32]


class Context:
    """A context and a batch for it."""

    def __init__(self, of: Measured, handle: llama.llama_context_p, size: int) -> None:
        self._of = of
        self._handle = handle
        self.size = size
        self.batch = Batch(size)

    def close(self) -> None:
        """Gives its memory back; the model stays."""
        self.batch.close()
        llama.llama_free(self._handle)

    def clear(self) -> None:
        """Forgets all tokens."""
        llama.llama_memory_clear(llama.llama_get_memory(self._handle), True)

    def decode(self) -> None:
        """Computes what is in the batch, to the end. Raises `ModelLoadFailed` where llama.cpp cannot."""
        code = llama.llama_decode(self._handle, self.batch.handle)
        if code:
            raise ModelLoadFailed(model=self._of.name, detail=f"llama_decode gave {code}")
        llama.llama_synchronize(self._handle)

    def logits(self, row: int, rows: int = 1) -> Logits:
        """The logits of so many outputs of the batch that follow each other, from this row of it on. A view: gone with
        the next `decode`."""
        pointer = llama.llama_get_logits_ith(self._handle, row)
        return np.ctypeslib.as_array(pointer, shape=(rows, self._of.vocabulary.size))

    def read(self, tokens: Sequence[int], *, at: int = 0) -> None:
        """Computes tokens of one sequence from position `at` on, with the output of the last of each batch only."""
        for start in range(0, len(tokens), self.size):
            part = tokens[start : start + self.size]
            self.batch.clear()
            for place, token in enumerate(part):
                self.batch.add(0, token, at + start + place, place == len(part) - 1)
            self.decode()


class Machine:
    """What other programs took of this machine's cores since it was made."""

    def __init__(self) -> None:
        self._began, self._own, self._busy = time.perf_counter(), time.process_time(), _busy_s()

    def others(self) -> float | None:
        """0 to 1; None where it cannot be known."""
        wall = (time.perf_counter() - self._began) * (os.cpu_count() or 1)
        if wall <= 0:
            return None
        taken = _busy_s() - self._busy - (time.process_time() - self._own)
        return min(max(taken / wall, 0.0), 1.0)


def _busy_s() -> float:
    """Seconds that all cores together have computed since the machine was started."""
    import psutil

    times = psutil.cpu_times()
    # guest time is counted in user time already; iowait and idle are no computing
    return float(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")))


def peak_bytes() -> int | None:
    """The most memory this process has had at once. From /proc where there is one: `getrusage` counts the parent's."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def finished(machine: Machine) -> measures.Finished:
    """The last frame."""
    return measures.Finished(peak_bytes=peak_bytes(), others=machine.others())


def task() -> Task:
    """What is asked."""
    asked: Task = measures.decode_task(sys.stdin.buffer.readline())
    return asked


def say(frames: Iterable[Frame]) -> None:
    """Says frames as they come, and an error as the last one."""
    try:
        for frame in frames:
            _put(frame)
    except WorkbenchError as error:
        _put(measures.Failed(error=error.to_dict()))


def _put(frame: Frame) -> None:
    sys.stdout.buffer.write(measures.encode(frame) + b"\n")
    sys.stdout.buffer.flush()
