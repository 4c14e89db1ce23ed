"""Which local models are in memory: started when asked, kept while there is room, the least recently used out first.

Never closes one that is answering. A model whose process died three times in a row is set aside until it is asked for
with other settings or forgiven. Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ModelDied, ModelTooLarge, ModelUnstable, SchemaInvalid
from core.events import Event, Finished
from core.messages import ChatRequest
from core.models.base import ModelInfo
from core.models.local import files, model_settings, wire
from core.models.local.cores import Cores
from core.models.local.engine import PACE_S, Engine
from core.models.local.model_settings import ModelSettings, memory_needed

DEATHS_ALLOWED = 3


@dataclass(frozen=True)
class Loaded:
    """A model in memory, for people to see. `memory_bytes`: the process's resident memory; None when it just ended."""

    info: ModelInfo
    settings: ModelSettings
    ready: wire.Ready | None
    answering: int
    memory_bytes: int | None


@dataclass
class _Place:
    """A model's place: its engine while there is one, who is using it, what it needs, how often it has died."""

    info: ModelInfo
    settings: ModelSettings
    engine: Engine | None = None
    users: int = 0
    needed: int = 0
    last_used: float = 0.0
    deaths: list[str] = field(default_factory=list)


class Shelf:
    """The local models of one server. `budget_bytes`: what they may take together; None: half of the memory.

    `measured`: given an answer's events, gives them with the energy that it took (core/energy/metering.py).
    """

    def __init__(
        self,
        *,
        budget_bytes: int | None = None,
        measured: Callable[[Iterator[Event]], Iterator[Event]] = iter,
    ) -> None:
        self._budget = budget_bytes
        self.measured = measured
        self._places: dict[tuple[str, ModelSettings], _Place] = {}
        self._lock = threading.RLock()
        self.cores = Cores(model_settings.physical_cores())

    @property
    def budget_bytes(self) -> int:
        """Bytes that all models together may take."""
        if self._budget is None:
            import psutil

            self._budget = int(psutil.virtual_memory().total) // 2
        return self._budget

    def model(
        self,
        info: ModelInfo,
        path: Path,
        settings: ModelSettings | None = None,
        *,
        pace_s: float = PACE_S,
        more: Callable[[], bool] = lambda: False,
    ) -> LocalModel:
        """The model as a `ChatModel`, loaded when it is first asked something. `pace_s`, `more`: as `Engine.stream`."""
        return LocalModel(self, info, path, (settings or ModelSettings()).checked(), pace_s=pace_s, more=more)

    def loaded(self) -> list[Loaded]:
        """What is in memory now."""
        with self._lock:
            places = [(p, p.engine) for p in self._places.values() if p.engine is not None and p.engine.alive]
        return [Loaded(p.info, p.settings, e.ready, e.answering, _resident(e.pid)) for p, e in places]

    def in_memory(self, info: ModelInfo, settings: ModelSettings) -> Engine | None:
        """The engine of a model that has been loaded and is well; None starts nothing and keeps nothing in memory."""
        with self._lock:
            place = self._places.get((info.id, settings))
            engine = place.engine if place is not None else None
        return engine if engine is not None and engine.alive and engine.ready is not None else None

    def forgive(self, model_id: str) -> None:
        """Lets a model that was set aside be tried again."""
        with self._lock:
            for place in self._places.values():
                if place.info.id == model_id:
                    place.deaths.clear()

    def unload(self, model_id: str) -> None:
        """Takes a model out of memory, also in mid-answer."""
        with self._lock:
            engines = [self._take_out(p) for p in self._places.values() if p.info.id == model_id]
        _close(engines)

    def close(self) -> None:
        """Takes every model out of memory."""
        with self._lock:
            engines = [self._take_out(p) for p in self._places.values()]
        _close(engines)

    def engine(self, info: ModelInfo, path: Path, settings: ModelSettings) -> Engine:
        """The running engine of a model, started when there is none; it may still be loading.

        Raises `ModelNotFound`, `ModelFileInvalid`, `ModelTooLarge` or `ModelUnstable`.
        """
        with self._lock:
            place = self._places.setdefault((info.id, settings), _Place(info, settings))
            place.last_used = time.monotonic()
            if place.engine is not None and place.engine.alive:
                return place.engine
            if len(place.deaths) >= DEATHS_ALLOWED:
                raise ModelUnstable(model=info.name, detail=place.deaths[-1])
            _close([self._take_out(place)])
            gguf = files.checked(path)
            place.needed = memory_needed(gguf, settings).total
            _close(self._make_room(place))
            place.engine = Engine(path, name=info.name, settings=settings)
            return place.engine

    @contextmanager
    def using(self, info: ModelInfo, path: Path, settings: ModelSettings) -> Iterator[Engine]:
        """As `engine`; for as long as the block lasts, also while it loads, no other model takes its place."""
        with self._lock:
            engine = self.engine(info, path, settings)
            place = self._places[info.id, settings]
            place.users += 1
        try:
            yield engine
        finally:
            with self._lock:
                place.users -= 1
                place.last_used = time.monotonic()

    def died(self, info: ModelInfo, settings: ModelSettings, engine: Engine, detail: str) -> None:
        """Remembers that this process of the model ended while it was needed: once, however many it was answering, and
        not where it was taken out of memory."""
        with self._lock:
            place = self._places[info.id, settings]
            if place.engine is engine:
                place.deaths.append(detail)
                _close([self._take_out(place)])

    def answered(self, info: ModelInfo, settings: ModelSettings) -> None:
        """Remembers that the model's process is well."""
        with self._lock:
            self._places[info.id, settings].deaths.clear()

    def _make_room(self, wanted: _Place) -> list[Engine | None]:
        others = [p for p in self._places.values() if p.engine is not None and p.engine.alive]
        idle = [p for p in others if p.engine is not None and not p.users and not p.engine.answering]
        free = self.budget_bytes - sum(p.needed for p in others)
        if wanted.needed > (most := free + sum(p.needed for p in idle)):
            raise self._too_large(wanted, most)
        # The same model with other settings has been replaced; it goes first.
        idle.sort(key=lambda p: (p.info.id != wanted.info.id, p.last_used))
        out: list[Engine | None] = []
        for place in idle:
            if place.info.id == wanted.info.id or wanted.needed > free:
                out.append(self._take_out(place))
                free += place.needed
        return out

    def _too_large(self, place: _Place, free: int) -> ModelTooLarge:
        return ModelTooLarge(
            model=place.info.name, needed_gb=f"{place.needed / 1e9:.1f}", free_gb=f"{max(free, 0) / 1e9:.1f}"
        )

    def _take_out(self, place: _Place) -> Engine | None:
        engine, place.engine = place.engine, None
        return engine


class LocalModel:
    """A GGUF model on this machine as a `ChatModel`. Costs nothing until it is asked."""

    def __init__(
        self,
        shelf: Shelf,
        info: ModelInfo,
        path: Path,
        settings: ModelSettings,
        *,
        pace_s: float,
        more: Callable[[], bool],
    ) -> None:
        self.info = info
        self.settings = settings
        self._pace_s = pace_s
        self._more = more
        self._shelf = shelf
        self._path = path

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """Loads the model where it is not in memory (`Loading` events), then answers; see `ChatModel.stream`."""
        began = time.perf_counter()
        request = _sound(request)
        with self._using() as engine:
            fresh = engine.ready is None
            yield from engine.load()
            load_s = time.perf_counter() - began if fresh else 0.0
            with self._shelf.cores.working(engine):
                yield from self._answering(engine, request, load_s)

    def _answering(self, engine: Engine, request: ChatRequest, load_s: float) -> Iterator[Event]:
        for event in self._shelf.measured(engine.stream(request, pace_s=self._pace_s, more=self._more)):
            if isinstance(event, Finished):
                self._shelf.answered(self.info, self.settings)
                event = _with_load(event, load_s)
            try:
                yield event
            except GeneratorExit:  # stopped by its reader, and well
                if engine.alive:
                    self._shelf.answered(self.info, self.settings)
                raise

    def engine(self) -> Engine:
        """The model's engine, started when there is none."""
        return self._shelf.engine(self.info, self._path, self.settings)

    def count(self, request: ChatRequest) -> wire.Counted:
        """Prompt tokens of a request, without answering it; loads the model where it is not in memory."""
        request = _sound(request)
        with self._ready() as engine:
            return engine.count(request)

    def tokenize(self, text: str, *, special: bool = False) -> wire.Tokenized:
        """Token ids and pieces of a text; `special`: control tokens written in it are recognised. Loads the model."""
        with self._ready() as engine:
            return engine.tokenize(_clean(text), special=special)

    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens spelled out. Loads the model. Raises `SettingInvalid`."""
        with self._ready() as engine:
            return engine.detokenize(ids)

    def embed(self, texts: Sequence[str]) -> wire.Embedded:
        """A vector of length 1 for each text; see core/llamacpp/embedding.py. Loads the model.

        Raises `EmptyPrompt`, `ContextOverflow` for a text longer than the context, or `ModelUnsupported`.
        """
        with self._ready() as engine, self._shelf.cores.working(engine):
            return engine.embed(_clean(texts))

    def in_memory(self) -> Engine | None:
        """The model's engine where it is loaded and well, which this does not change."""
        return self._shelf.in_memory(self.info, self.settings)

    def close(self) -> None:
        """Takes the model out of memory."""
        self._shelf.unload(self.info.id)

    @contextmanager
    def _ready(self) -> Iterator[Engine]:
        with self._using() as engine:
            for _ in engine.load():
                pass
            yield engine

    @contextmanager
    def _using(self) -> Iterator[Engine]:
        with self._shelf.using(self.info, self._path, self.settings) as engine:
            try:
                yield engine
            except ModelDied as error:
                self._shelf.died(self.info, self.settings, engine, str(error.values.get("detail", "")))
                raise


def _with_load(finished: Finished, load_s: float) -> Finished:
    return msgspec.structs.replace(finished, timings=msgspec.structs.replace(finished.timings, load_s=load_s))


def _sound(request: ChatRequest) -> ChatRequest:
    """The request with lone surrogates (which are no characters, and which JSON cannot carry) as question marks.

    Raises `SchemaInvalid` for a schema too deep for JSON.
    """
    try:
        try:
            wire.encode(request)
            return request
        except UnicodeEncodeError:
            return msgspec.convert(_clean(msgspec.to_builtins(request)), ChatRequest)
    except RecursionError as error:
        raise SchemaInvalid(detail="it is nested too deeply") from error


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(key): _clean(child) for key, child in value.items()}
    return [_clean(child) for child in value] if isinstance(value, list | tuple) else value


def _resident(pid: int) -> int | None:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def _close(engines: list[Engine | None]) -> None:
    for engine in engines:
        if engine is not None:
            engine.close()
