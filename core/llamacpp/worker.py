"""The process of one model: `python -m core.llamacpp.worker`. Frames in on stdin, frames out on stdout (wire.py).

Three threads: this one decodes; one reads, and ends the process when the pipe closes, so that none is ever left over;
one prepares (templates, tokens, grammars), so that a slow template holds nobody up. llama.cpp's own words go to stderr.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator

from core.errors import SettingInvalid, WorkbenchError
from core.events import Event
from core.llamacpp.batching import Batcher
from core.llamacpp.embedding import Embedder, Job
from core.llamacpp.generation import Generation
from core.llamacpp.loading import LoadedModel
from core.llamacpp.prompt import PromptMaker
from core.models.local import wire

PROGRESS_EVERY_S = 0.05

REST_AFTER_S = 2.0
"""Without anything to do: questions that come in a burst do not have the model change between them."""

SILENCE_S, GATHERED_S = 0.006, 0.03
"""What comes before such a silence after the first question, or was announced by the last one, and within such a time,
is read together with it: alone the first would be answered a little sooner, and all others wait until it was read."""

Work = Callable[[], None]


class Outbox:
    """Writes frames to the pipe, whole, from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, frame: wire.FromWorker) -> None:
        """Writes one frame; ends the process when nobody reads any more."""
        data = memoryview(wire.encode(frame) + b"\n")
        try:
            with self._lock:
                while data:
                    data = data[os.write(self._descriptor, data) :]
        except OSError:
            os._exit(0)


class Worker:
    """Prepares requests in one thread and decodes them in another."""

    def __init__(self, model: LoadedModel, outbox: Outbox, parallel: int) -> None:
        self._model = model
        self._outbox = outbox
        self._prompts = PromptMaker(model.vocabulary, model.template, model.context_length, model.tool_template)
        self._batcher = Batcher(model, parallel=parallel, emit=self._emit, fail=self.fail)
        self._embedder = Embedder(model, done=self._embedded, fail=self.fail)
        self._todo: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._more = False

    def run(self) -> None:
        """Decodes for as long as the process lives."""
        while True:
            idle = not self._batcher.busy and not self._embedder.busy
            if idle:
                self._wait()()
            while not self._todo.empty():
                self._todo.get()()
            if idle:
                self._gather()
            if self._batcher.busy:
                self._batcher.turn()
            if self._embedder.busy:
                self._embedder.turn(alone=not self._batcher.busy)

    def _wait(self) -> Work:
        with contextlib.suppress(queue.Empty):
            return self._todo.get(timeout=REST_AFTER_S)
        self._batcher.rest()
        return self._todo.get()

    def _gather(self) -> None:
        until = time.monotonic() + GATHERED_S
        with contextlib.suppress(queue.Empty):
            while self._batcher.gathers and (left := until - time.monotonic()) > 0:
                self._todo.get(timeout=left if self._more else min(SILENCE_S, left))()

    def prepare(self, frame: wire.ToWorker) -> None:
        """Does what can be done outside the decode thread, and hands it the rest."""
        if isinstance(frame, wire.Cancel):
            self._todo.put(lambda: self._cancel(frame.id))
            return
        if isinstance(frame, wire.Threads):
            self._todo.put(lambda: self._model.use_threads(frame.number))
            return
        try:
            if isinstance(frame, wire.Start):
                generation = self._generation(frame)
                self._outbox.send(wire.Prepared(frame.id))
                self._todo.put(lambda: self._submit(generation, more=frame.more))
            elif isinstance(frame, wire.Count):
                self._outbox.send(self._count(frame))
            elif isinstance(frame, wire.Tokenize):
                ids = self._model.vocabulary.tokenize(frame.text, special=frame.special)
                self._outbox.send(wire.Tokenized(frame.id, ids, [self._model.vocabulary.text(t) for t in ids]))
            elif isinstance(frame, wire.Detokenize):
                self._outbox.send(wire.Detokenized(frame.id, self._text(frame.ids)))
            elif isinstance(frame, wire.Embed):
                job = self._embedder.job(frame.id, frame.texts)
                self._todo.put(lambda: self._embedder.submit(job))
        except WorkbenchError as error:
            self.fail(frame.id if not isinstance(frame, wire.Load) else 0, error)

    def fail(self, request: int, error: WorkbenchError) -> None:
        """Tells the other side that a request failed."""
        self._outbox.send(wire.Raised(request, error.to_dict()))

    def _submit(self, generation: Generation, *, more: bool) -> None:
        self._more = more
        self._batcher.submit(generation)

    def _emit(self, items: list[tuple[int, Event]]) -> None:
        self._outbox.send(wire.Events(items))

    def _cancel(self, request: int) -> None:
        self._batcher.cancel(request)
        self._embedder.cancel(request)

    def _embedded(self, job: Job) -> None:
        self._outbox.send(wire.Embedded(job.id, job.vectors, job.tokens))

    def _text(self, ids: list[int]) -> str:
        size = self._model.vocabulary.size
        for number in ids:
            if not 0 <= number < size:
                raise SettingInvalid(setting="tokens", value=number, allowed=f"0 … {size - 1}")
        return self._model.vocabulary.detokenize(ids)

    def _generation(self, frame: wire.Start) -> Generation:
        prompt = self._prompts.make(frame.request)
        if prompt.trimmed is not None:
            self._emit([(frame.id, prompt.trimmed)])
        return Generation(
            frame.id,
            frame.request,
            prompt,
            handed_over=frame.handed_over,
            vocabulary=self._model.vocabulary,
            context_length=self._model.context_length,
            trained_context=self._model.trained_context,
        )

    def _count(self, frame: wire.Count) -> wire.Counted:
        prompt = self._prompts.make(frame.request)
        trimmed = prompt.trimmed
        return wire.Counted(
            frame.id,
            len(prompt.tokens),
            prompt.by_origin,
            trimmed.dropped_messages if trimmed else 0,
            trimmed.dropped_tokens if trimmed else 0,
        )


def main() -> None:
    """Reads the `Load` frame, loads, answers until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows a console interrupts all its processes
    # Whatever writes to the standard output goes to stderr: the pipe is for frames alone.
    outbox = Outbox(os.dup(1))
    os.dup2(2, 1)
    first = wire.decode_to_worker(sys.stdin.buffer.readline())
    assert isinstance(first, wire.Load)
    inbox: queue.SimpleQueue[wire.ToWorker] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(inbox,), daemon=True).start()
    try:
        model = LoadedModel(first, _progress(outbox))
        worker = Worker(model, outbox, first.settings.parallel)
    except WorkbenchError as error:
        outbox.send(wire.Raised(0, error.to_dict()))
        return
    outbox.send(model.ready())
    threading.Thread(target=_prepare, args=(inbox, worker), daemon=True).start()
    worker.run()


def _read(inbox: queue.SimpleQueue[wire.ToWorker]) -> None:
    with _ends_with_the_process():
        for line in sys.stdin.buffer:
            inbox.put(wire.decode_to_worker(line))
    os._exit(0)


def _prepare(inbox: queue.SimpleQueue[wire.ToWorker], worker: Worker) -> None:
    with _ends_with_the_process():
        while True:
            worker.prepare(inbox.get())


@contextlib.contextmanager
def _ends_with_the_process() -> Iterator[None]:
    """A thread that fails is a fault of ours: the other side must hear of it rather than wait for ever."""
    try:
        yield
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)


def _progress(outbox: Outbox) -> Callable[[float], None]:
    last = 0.0

    def report(fraction: float) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= PROGRESS_EVERY_S:
            last = now
            outbox.send(wire.Progress(fraction))

    return report


if __name__ == "__main__":
    main()
