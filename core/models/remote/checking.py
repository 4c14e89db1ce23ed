"""A connection tested step by step, as a person waits: each step with its time, and what is wrong where one fails.

    resolved     the host's name has an address
    connected    something listens there
    secured      TLS, and a certificate that holds (https:// only)
    key          the endpoint does not refuse the key
    listed       it lists its models
    first_token  a model answers
    streaming    its answer comes in pieces, as it is written
    usage        it says how many tokens there were

The first three are done by hand, the others as a listing and an answer are (listing.py, client.py). How streaming is
judged is in arrivals.py. Sends one short question, which may cost a fraction of a cent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, cast

import msgspec

from core import errors
from core.errors import N_, WorkbenchError
from core.events import Event, Finished, Reasoning, Text
from core.messages import ChatRequest, Message, Sampling
from core.models.base import ModelInfo
from core.models.remote import body, listing, presets, prices
from core.models.remote.arrivals import judged
from core.models.remote.client import RemoteModel
from core.models.remote.endpoint import Endpoint, Timeouts
from core.models.remote.listing import Listed
from core.models.remote.reaching import Background, Connection, proxied
from core.models.remote.reading import certificates

NAMES: dict[str, str] = {
    "resolved": N_("Name found"),
    "connected": N_("Connected"),
    "secured": N_("Connection secured"),
    "key": N_("Key accepted"),
    "listed": N_("Models listed"),
    "first_token": N_("First token"),
    "streaming": N_("Answer streamed"),
    "usage": N_("Tokens reported"),
}
"""The steps in their order, and what they are called."""

T = TypeVar("T")

TICK_S = 0.1
"""How often a step that is running is said again."""

QUESTION = "Write a short paragraph about the sea."
MOST_TOKENS = 64
"""Enough to judge by, and soon over where each takes a second."""

TIMEOUTS = Timeouts(connect_s=5.0, read_s=60.0, linger_s=2.0)
"""A server may have to load the model first."""

_PLAIN = body.EXTENSIONS | set(Sampling.__struct_fields__)
"""Left out of the question, so that nothing is refused that a model may not take."""

_NOT_FOR_CHAT = (
    "embed",
    "rerank",
    "whisper",
    "tts",
    "audio",
    "image",
    "dall-e",
    "moderation",
    "transcribe",
    "realtime",
)

State = Literal["running", "done", "failed", "skipped"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the test. `detail`: a sentence to be translated, with `values` for its {placeholders}.

    `seconds`: how long it took, or has been running. `error`: what a failed one found, with the advice.
    """

    name: str
    state: State
    seconds: float | None = None
    detail: str = ""
    values: dict[str, Any] = {}
    error: WorkbenchError | None = None


def request() -> ChatRequest:
    """The question of the test."""
    return ChatRequest(messages=(Message("user", QUESTION),), max_tokens=MOST_TOKENS)


def request_model(endpoint: Endpoint, name: str, *, unsupported: frozenset[str] = frozenset()) -> RemoteModel:
    """The endpoint's model as the test asks it. `unsupported`: what its preset says that it does not take."""
    return _model(endpoint, listing.described(endpoint.base_url, endpoint.provider, name), unsupported)


def steps(endpoint: Endpoint, model: str | None = None, *, unsupported: frozenset[str] = frozenset()) -> Iterator[Step]:
    """The steps as they go: each *running*, again and again with its seconds, then as it ended.

    After one that fails the others are *skipped*, but for `streaming` and `usage`: an answer without them is one too.
    `model`: whom to ask; None takes one of those listed. `unsupported`: see `request_model`. Never raises what a step
    met. Closing the iterator stops the test, whatever it is waiting for.
    """
    with Background() as background:
        test = _Test(endpoint, model, unsupported, background)
        with suppress(_Failed):
            yield from test.run()
        yield from (Step(name=name, state="skipped") for name in test.names if name not in test.ended)


class _Failed(Exception):
    """A step failed, and it has been said."""


@dataclass
class _Test:
    endpoint: Endpoint
    model: str | None
    unsupported: frozenset[str]
    background: Background
    ended: set[str] = field(default_factory=set)

    @property
    def names(self) -> list[str]:
        """The steps that there are for this address."""
        secure = self.endpoint.base_url.lower().startswith("https://")
        return [name for name in NAMES if secure or name != "secured"]

    def run(self) -> Generator[Step, None, None]:
        yield from self._reach()
        listed = yield from self._list()
        info = self._named(listed) or _chosen(listed)
        if info is not None:
            yield from self._ask(_model(self.endpoint, info, self.unsupported))
        else:
            yield self._end("first_token", "skipped", detail=N_("there is no model to ask: type its name"))

    def _named(self, listed: Sequence[Listed]) -> ModelInfo | None:
        if self.model is None:
            return None
        described = listing.described(self.endpoint.base_url, self.endpoint.provider, self.model)
        return next((one.info for one in listed if one.info.name == self.model), described)

    def _reach(self) -> Generator[Step, None, None]:
        if proxied(self.endpoint):
            for name in ("resolved", "connected", "secured"):
                if name in self.names:
                    yield self._end(name, "skipped", detail=N_("a proxy stands between"))
            return
        way = Connection(self.endpoint)
        try:
            found, spent = yield from self._await("resolved", self._allowed(way.resolve))
            yield self._end("resolved", "done", spent, N_("at {addresses}"), addresses=", ".join(found))
            address, spent = yield from self._await("connected", way.connect(found))
            yield self._end("connected", "done", spent, N_("to {address}"), address=address)
            if "secured" in self.names:
                made, spent = yield from self._await("secured", way.secure(certificates()))
                say = N_("{version}, certificate valid until {until}")
                yield self._end("secured", "done", spent, say, version=made.version, until=made.until)
        finally:
            self.background.start(way.close())

    async def _allowed(self, resolve: Callable[[], Coroutine[Any, Any, list[str]]]) -> list[str]:
        self.endpoint.allowed()
        return await resolve()

    def _list(self) -> Generator[Step, None, tuple[Listed, ...]]:
        """The list is asked for with the key, and says whether the key is accepted."""
        try:
            listed, spent = yield from self._await("key", listing.ask(self.endpoint), fails=False)
        except (errors.KeyRefused, errors.AccessForbidden) as error:
            yield from self._fail("key", error)
            raise
        except (errors.EndpointNotFound, errors.RequestRejected) as error:
            yield self._end("key", "skipped", detail=N_("it is tried with the first token"))
            if self.model is None:
                yield from self._fail("listed", error)
            yield self._end("listed", "skipped", detail=N_("it does not list its models"))
            return ()
        except WorkbenchError as error:
            yield self._end("key", "skipped", detail=N_("it cannot be said"))
            yield from self._fail("listed", error)
            raise
        yield from self._key(spent)
        unknown = self.model is not None and all(one.info.name != self.model for one in listed)
        say = N_("models: {number}; {model} is not among them") if unknown else N_("models: {number}")
        yield self._end("listed", "done", spent, say, number=len(listed), model=self.model)
        return listed

    def _key(self, spent: float) -> Generator[Step, None, None]:
        """Many give their list to everybody: then it says nothing of the key."""
        if not self.endpoint.key and not self.endpoint.headers:
            yield self._end("key", "done", spent, N_("none is asked for"))
            return
        public, more = yield from self._await("key", self._public(), fails=False)
        say = N_("the list is open to all: the key is tried with the first token") if public else ""
        yield self._end("key", "skipped" if public else "done", spent + more, say)

    async def _public(self) -> bool:
        try:
            await listing.ask(replace(self.endpoint, key=None, headers={}))
        except WorkbenchError:
            return False
        return True

    def _ask(self, asked: RemoteModel) -> Generator[Step, None, None]:
        began, at = time.perf_counter(), list[float]()
        characters, step = 0, "first_token"
        answer = cast("Generator[Event, None, None]", asked.stream(request()))
        try:
            for event in answer:
                now = time.perf_counter() - began
                match event:
                    case Text(text=text) | Reasoning(text=text) if text:
                        characters += len(text)
                        at.append(now)
                    case Finished():
                        yield from self._finish(event, at, characters)
                        return
                if at and step == "first_token":
                    yield self._end(step, "done", at[0], N_("from {model}"), model=asked.model)
                    step = "streaming"
                yield Step(name=step, state="running", seconds=now - (at[0] if at else 0.0))
        except WorkbenchError as error:
            yield from self._fail(step, error)
        finally:
            answer.close()

    def _finish(self, end: Finished, at: list[float], characters: int) -> Generator[Step, None, None]:
        provider = self.endpoint.provider
        if not at and end.reason == "length":
            yield self._end("first_token", "skipped", detail=N_("it thought, and showed nothing in so few tokens"))
        elif not at:
            yield from self._fail("first_token", errors.AnswerMalformed(provider=provider, detail=N_("no text came")))
        how = judged(at, characters=characters)
        say = N_("{arrivals} arrivals, over {percent} percent of the time")
        told: dict[str, Any] = {"arrivals": how.arrivals, "percent": round(how.share * 100)}
        spent = at[-1] - at[0] if at else None
        if how.streamed is None:
            yield self._end("streaming", "skipped", spent, N_("too short or too quick an answer to say"))
        elif how.streamed:
            yield self._end("streaming", "done", spent, say, **told)
        else:
            error = errors.AnswerAtOnce(provider=provider, pieces=len(at))
            yield self._end("streaming", "failed", spent, say, error=error, **told)
        if end.usage.estimated:
            yield self._end("usage", "failed", error=errors.UsageMissing(provider=provider))
        else:
            say = N_("prompt: {prompt}, answer: {generated}")
            prompt, generated = end.usage.prompt_tokens, end.usage.generated_tokens
            yield self._end("usage", "done", None, say, prompt=prompt, generated=generated)

    def _await(
        self, name: str, task: Coroutine[Any, Any, T], *, fails: bool = True
    ) -> Generator[Step, None, tuple[T, float]]:
        """What the task gives and the seconds it took. `fails`: its error is this step's, and ends the test."""
        began = time.perf_counter()
        future = self.background.start(task)
        try:
            while not future.done():
                yield Step(name=name, state="running", seconds=time.perf_counter() - began)
                wait([future], timeout=TICK_S)
            return future.result(), time.perf_counter() - began
        except WorkbenchError as error:
            if fails:
                yield from self._fail(name, error, time.perf_counter() - began)
            raise
        finally:
            future.cancel()

    def _fail(self, name: str, error: WorkbenchError, spent: float | None = None) -> Generator[Step, None, None]:
        yield self._end(name, "failed", spent, error=error)
        raise _Failed

    def _end(
        self,
        name: str,
        state: State,
        seconds: float | None = None,
        detail: str = "",
        *,
        error: WorkbenchError | None = None,
        **values: Any,
    ) -> Step:
        self.ended.add(name)
        return Step(name=name, state=state, seconds=seconds, detail=detail, values=values, error=error)


def _model(endpoint: Endpoint, info: ModelInfo, unsupported: frozenset[str]) -> RemoteModel:
    """With its price, without which a budget lets nothing be asked."""
    known = msgspec.structs.replace(info, price=info.price or prices.of(presets.of(endpoint.base_url), info.name))
    return RemoteModel(
        known,
        endpoint.base_url,
        endpoint.key,
        timeouts=TIMEOUTS,
        headers=endpoint.headers,
        unsupported=_PLAIN | unsupported,
        retries=0,
        permit=endpoint.permit,
    )


def _chosen(listed: Sequence[Listed]) -> ModelInfo | None:
    """The cheapest of those that have a price, else the first; not one that is plainly for something else than chat."""
    infos = [one.info for one in listed]
    chat = [info for info in infos if not any(word in info.name.lower() for word in _NOT_FOR_CHAT)] or infos
    priced = [info for info in chat if info.price is not None and info.price.output > 0]
    return min(priced, key=_output_price) if priced else next(iter(chat), None)


def _output_price(info: ModelInfo) -> float:
    return info.price.output if info.price is not None else 0.0
