"""One model's process, seen from the server: started, watched, talked to, ended.

llama.cpp never runs in the server's process. A child that dies is `ModelDied` on the answers it was giving (what had
come is kept by their readers); `LocalModel` starts another on the next request. Thread-safe.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from core import child
from core.errors import ModelDied, ModelLoadFailed, WorkbenchError
from core.events import Event, Finished, Idle, Loading, Prefill, Queued, Text
from core.messages import ChatRequest
from core.models.local import limits, wire
from core.models.local.model_settings import ModelSettings

IDLE_S = 0.1
PREPARE_LIMIT_S = 20.0
"""A request that is not prepared in that time has a template or grammar that cannot be interrupted. What comes after,
waiting and reading, may take long on a busy machine."""

PACE_S = 0.1
"""Pause between two reads while text flows: the tokens come with their own times, and each wake-up of this process
takes time from the threads that compute. A reader may ask for a shorter one, and has it while it is alone; of several
each has a token less often, and the pause is as many times longer. There is none while such a reader waits for a first
word."""

LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""For the child (where the C library is glibc's): memory for the KV cache comes in pages of 2 MB, and making a context
takes 20 ms rather than 55."""

READ_SIZE = 1 << 20

F = TypeVar("F", bound=wire.FromWorker)
_Answer = wire.Counted | wire.Tokenized | wire.Detokenized | wire.Embedded
_Item = Event | WorkbenchError | wire.Prepared | _Answer


class Engine:
    """A child process with one model in it. Starts loading at once."""

    def __init__(self, path: Path, *, name: str, settings: ModelSettings) -> None:
        self.name = name
        self.settings = settings
        self.ready: wire.Ready | None = None
        self.fraction = 0.0
        self._failure: WorkbenchError | None = None
        self._loaded = threading.Event()
        self._lock = threading.Lock()
        self._readers: dict[int, queue.SimpleQueue[_Item]] = {}
        self._paces: dict[int, float] = {}
        self._unheard: set[int] = set()
        self._numbers = itertools.count(1)
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process is
        self._process = self._start()
        self._send(wire.Load(str(path), name, settings))
        self._reader = threading.Thread(target=self._read, name=f"engine {name}", daemon=True)
        self._reader.start()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "core.llamacpp.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                cwd=child.ROOT,
                env=child.QUIET | LARGE_PAGES | os.environ,
                # Ctrl-C in a terminal is for the server, which closes the pipe.
                process_group=0 if os.name == "posix" else None,
            )
        except OSError as error:  # no memory, process or file descriptor left for it
            raise ModelLoadFailed(model=self.name, detail=error.strerror or "no process could be started") from error

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take requests (also while it is still loading)."""
        return self._failure is None and self._process.poll() is None

    @property
    def answering(self) -> int:
        """Requests in progress."""
        return len(self._readers)

    def load(self) -> Iterator[Loading | Idle]:
        """Waits until the model is loaded, reporting progress. Raises what made loading fail."""
        shown = -1.0
        while not self._loaded.wait(IDLE_S):
            if self.fraction > shown:
                shown = self.fraction
                yield Loading(shown)
            else:
                yield Idle()
        if self._failure is not None:
            raise self._failure

    def stream(
        self, request: ChatRequest, *, pace_s: float = PACE_S, more: Callable[[], bool] = lambda: False
    ) -> Iterator[Event]:
        """Events of one request on the loaded model; see `ChatModel.stream`, and `PACE_S`. more: whether others are
        about to come, with which it is read."""
        limits.check(request)
        handed_over = time.perf_counter()
        with _Expecting(self, pace_s) as (number, inbox):
            self._send(wire.Start(number, request, handed_over, more()))
            prepared = False
            try:
                while True:
                    item = self._next(inbox, waiting_since=None if prepared else handed_over)
                    if isinstance(item, WorkbenchError):
                        raise item
                    if isinstance(item, wire.Prepared):
                        prepared = True
                        continue
                    assert not isinstance(item, _Answer)
                    yield item
                    if isinstance(item, Finished):
                        return
            finally:
                if self.alive:
                    self._send(wire.Cancel(number))

    def count(self, request: ChatRequest) -> wire.Counted:
        """Prompt tokens of a request, without answering it. Raises what making the prompt raises."""
        limits.check(request)
        return self._ask(lambda number: wire.Count(number, request), wire.Counted)

    def tokenize(self, text: str, *, special: bool = False) -> wire.Tokenized:
        """Token ids and pieces of a text."""
        return self._ask(lambda number: wire.Tokenize(number, text, special), wire.Tokenized)

    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens spelled out. Raises `SettingInvalid` for one that the model has not."""
        return self._ask(lambda number: wire.Detokenize(number, list(ids)), wire.Detokenized).text

    def embed(self, texts: Sequence[str]) -> wire.Embedded:
        """A vector for each text. Raises `EmptyPrompt`, `ContextOverflow` or `ModelUnsupported`."""
        return self._ask(lambda number: wire.Embed(number, list(texts)), wire.Embedded, takes_its_time=True)

    def use_cores(self, number: int) -> None:
        """Has the model compute with at most so many threads, and no more than it was loaded for."""
        if self.ready is not None and self.alive:
            self._send(wire.Threads(min(self.ready.threads, number)))

    def close(self) -> None:
        """Ends the process and gives all its memory back."""
        self._fail(ModelDied(model=self.name, detail="it was closed"))
        self._process.kill()
        self._process.wait()
        self._reader.join(timeout=2.0)
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # the child had gone with bytes unread
                    pipe.close()

    def _ask(self, frame: Callable[[int], wire.ToWorker], answer: type[F], *, takes_its_time: bool = False) -> F:
        began = None if takes_its_time else time.perf_counter()
        with _Expecting(self) as (number, inbox):
            self._send(frame(number))
            while True:
                item = self._next(inbox, waiting_since=began)
                if isinstance(item, WorkbenchError):
                    raise item
                if isinstance(item, answer):
                    return item

    def _next(self, inbox: queue.SimpleQueue[_Item], *, waiting_since: float | None) -> _Item:
        try:
            return inbox.get(timeout=IDLE_S)
        except queue.Empty:
            if waiting_since is not None and time.perf_counter() - waiting_since > PREPARE_LIMIT_S:
                self._fail(ModelDied(model=self.name, detail="the chat template or the grammar did not end in time"))
                self._process.kill()
            return Idle()

    def _send(self, frame: wire.ToWorker) -> None:
        data = wire.encode(frame) + b"\n"
        assert self._process.stdin is not None
        try:
            with self._lock:
                self._process.stdin.write(data)
                self._process.stdin.flush()
        except (OSError, ValueError):
            self._fail(self._death())

    def _read(self) -> None:
        stdout, rest = self._process.stdout, b""
        assert isinstance(stdout, io.BufferedReader)
        try:
            # All that has come at once: a frame at a time, with a pause after each, would hold a fast model back.
            while data := stdout.read1(READ_SIZE):
                *lines, rest = (rest + data).split(b"\n")
                flowing = [self._take(frame) for frame in _joined(list(map(wire.decode_from_worker, lines)))]
                if flowing and all(flowing):
                    time.sleep(self._pace_s())
        except msgspec.DecodeError:
            self._process.kill()
            self._fail(ModelDied(model=self.name, detail="what it said could not be read"))
        except (ValueError, OSError):  # closed under our hands
            pass
        self._fail(self._death())

    def _pace_s(self) -> float:
        with self._lock:
            shortest = min(self._paces.values(), default=0.0)
            if self._unheard and shortest < PACE_S:
                return 0.0
            return min(shortest * len(self._paces), max(shortest, PACE_S))

    def _take(self, frame: wire.FromWorker) -> bool:
        """Passes a frame on. True when it was nothing but text of answers that had begun."""
        if isinstance(frame, wire.Events):
            for number, event in frame.items:
                self._deliver(number, event)
            return all(isinstance(e, Text) for _, e in frame.items)
        if isinstance(frame, wire.Progress):
            self.fraction = frame.fraction
        elif isinstance(frame, wire.Ready):
            self.ready = frame
            self._loaded.set()
        elif isinstance(frame, wire.Raised) and frame.id == 0:
            self._fail(WorkbenchError.from_dict(frame.error))
        elif isinstance(frame, wire.Raised):
            self._deliver(frame.id, WorkbenchError.from_dict(frame.error))
        else:
            self._deliver(frame.id, frame)
        return False

    def _deliver(self, number: int, item: _Item) -> None:
        inbox = self._readers.get(number)
        if inbox is None:
            return
        inbox.put(item)
        if not isinstance(item, Queued | Prefill | wire.Prepared):
            self._unheard.discard(number)

    def _fail(self, error: WorkbenchError) -> None:
        with self._lock:
            if self._failure is None:
                self._failure = error
            inboxes = list(self._readers.values())
        for inbox in inboxes:
            inbox.put(self._failure)
        self._loaded.set()

    def _death(self) -> WorkbenchError:
        try:
            code = self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            code = 0
        detail = child.cause(code, child.last_words(self._stderr))
        if self.ready is None:
            return ModelLoadFailed(model=self.name, detail=detail)
        return ModelDied(model=self.name, detail=detail)


class _Expecting:
    """A request's number and inbox, registered for as long as the block lasts. Raises when the engine has failed."""

    def __init__(self, engine: Engine, pace_s: float = PACE_S) -> None:
        self._engine = engine
        self._pace_s = pace_s
        self._number = next(engine._numbers)

    def __enter__(self) -> tuple[int, queue.SimpleQueue[_Item]]:
        inbox: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        with self._engine._lock:
            if self._engine._failure is not None:
                raise self._engine._failure
            self._engine._readers[self._number] = inbox
            self._engine._paces[self._number] = self._pace_s
            self._engine._unheard.add(self._number)
        return self._number, inbox

    def __exit__(self, *_: object) -> None:
        with self._engine._lock:
            self._engine._readers.pop(self._number, None)
            self._engine._paces.pop(self._number, None)
            self._engine._unheard.discard(self._number)


def _joined(frames: list[wire.FromWorker]) -> list[wire.FromWorker]:
    """The frames of one read; where they are nothing but text, all of an answer as one event, to be kept in one go."""
    items = [item for frame in frames if isinstance(frame, wire.Events) for item in frame.items]
    texts: dict[int, list[Text]] = {}
    for number, event in items:
        if isinstance(event, Text):
            texts.setdefault(number, []).append(event)
    if not all(isinstance(f, wire.Events) for f in frames) or sum(map(len, texts.values())) < len(items) or not items:
        return frames
    return [wire.Events([(number, _one(parts)) for number, parts in texts.items()])]


def _one(parts: list[Text]) -> Text:
    return Text("".join(part.text for part in parts), tuple(token for part in parts for token in part.tokens))
