"""A route as a `ChatModel`: chooses who answers, says who and why (`Routed`), and goes on to the next when it fails.

It goes on only before the first word: once text, thinking or a tool call has come, that stays and the error is raised.
When all fail the last error is raised, and the `Routed` before it names the others. What a model may be asked at all
(nothing but local ones, a budget) is held in the models: to a route it is a reason among others. The figures of an
answer are those of the model that spoke; the time that others took before it is not in them. Thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import cast

from core.errors import ContextOverflow, RouteInvalid, WorkbenchError
from core.events import Event, Finished, Idle, Loading, Prefill, Queued, Reasoning, Text, ToolCall, Trimmed
from core.messages import ChatRequest
from core.models import choices, fallbacks, routes
from core.models.base import ChatModel, ModelInfo
from core.models.breaker import Breaker
from core.models.choices import Choice, Known, Speed
from core.models.fallbacks import PASSES_ON, Failure
from core.models.remote.client import RemoteModel
from core.models.remote.connections import is_remote
from core.models.remote.endpoint import whereabouts
from core.models.routes import Route, is_route

__all__ = ["Describe", "Router", "endpoint_of", "info_of", "is_route", "models_of"]

PROGRESS = (Idle, Loading, Queued, Prefill)
"""What may be said of a model that has not spoken yet."""


def endpoint_of(model_id: str) -> str | None:
    """The base URL of a model's endpoint, by which the breaker knows it; None for a model that has none."""
    return model_id.partition("#")[0] if is_remote(model_id) else None


Describe = Callable[[str], ModelInfo]
"""What is known of the model of an id; raises where there is none."""


def models_of(route: Route, describe: Describe) -> dict[str, ModelInfo]:
    """The models that a route may choose, in the order of its rule; those that cannot be found are left out."""
    found = {}
    for id in routes.models_of(route.rule):
        try:
            found[id] = describe(id)
        except WorkbenchError:
            continue
    return found


def info_of(route: Route, describe: Describe) -> ModelInfo:
    """What is known of a route: `local` where all its models are on this machine; `provider` names those of the others,
    and `country` theirs where it is one and the same."""
    models = models_of(route, describe).values()
    away = [info for info in models if not (info.local or whereabouts(info.id) == "machine")]
    countries = {info.country for info in away}
    return ModelInfo(
        id=route.model_id,
        name=route.name,
        provider=", ".join(dict.fromkeys(info.provider for info in away)),
        local=not away,
        country=countries.pop() if len(countries) == 1 else None,
    )


class Router:
    """A route over the models that `resolve` gives by their ids, or raises for.

    describe: what is known of a model, for where none is asked; by default the model itself tells. speeds: how fast
    models were lately, by id; asked when a rule needs it.
    """

    def __init__(
        self,
        route: Route,
        resolve: Callable[[str], ChatModel],
        *,
        describe: Describe | None = None,
        breaker: Breaker | None = None,
        speeds: Callable[[], Mapping[str, Speed]] = dict,
    ) -> None:
        self.route = route
        self._resolve = resolve
        self._describe = describe or (lambda id: resolve(id).info)
        self._breaker = breaker or Breaker()
        self._speeds = speeds

    @property
    def info(self) -> ModelInfo:
        return info_of(self.route, self._describe)

    def models(self) -> list[ModelInfo]:
        """The models that it may choose, in the order of its rule; those that cannot be found are left out."""
        return list(models_of(self.route, self._describe).values())

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """See `ChatModel.stream`. Raises what the last of its models raised, or `RouteInvalid`."""
        failures: list[Failure] = []
        order = choices.of(self.route.rule, request, Known(models_of(self.route, self._describe), self._speeds))
        for place, choice in enumerate(order, start=1):
            if not _is_due(choice, failures):
                continue
            others = any(_is_due(later, failures) for later in order[place:])
            attempt = _Attempt(choice, self._breaker, last=not others)
            try:
                yield from attempt.stream(self._model, request, failures)
                return
            except PASSES_ON as error:
                if attempt.begun:
                    raise
                failures.append(Failure(choice, attempt.model_name, error, attempt.trimmable))
        raise failures[-1].error

    def close(self) -> None:
        """Its models are others' too."""

    def _model(self, model_id: str) -> ChatModel:
        if is_route(model_id):  # kept so by another version, or another program
            raise RouteInvalid(detail=routes.NO_ROUTE)
        return self._resolve(model_id)


class _Attempt:
    """One model being asked. `begun`: it has spoken, and nobody else may any more. `trimmable`: see `Failure`."""

    def __init__(self, choice: Choice, breaker: Breaker, *, last: bool) -> None:
        self.model_name = choice.model_id.rpartition("#")[2]
        self.begun = False
        self.trimmable = False
        self._choice = choice
        self._breaker = breaker
        self._last = last

    def stream(
        self, resolve: Callable[[str], ChatModel], request: ChatRequest, failures: list[Failure]
    ) -> Iterator[Event]:
        model = resolve(self._choice.model_id)
        self.model_name = model.info.name
        endpoint = endpoint_of(model.info.id)
        with self._breaker.watching(endpoint, name=model.info.provider):
            yield fallbacks.routed(self._choice, model.info, failures)
            if isinstance(model, RemoteModel) and not self._last:
                self._check_length(model.info, request)
                model = model.impatient()
            with closing(cast("Generator[Event]", model.stream(request))) as events:
                try:
                    yield from self._until_begun(events, model.info, request)
                    yield from events
                except GeneratorExit:  # stopped by its reader, and well
                    if endpoint and self.begun:
                        self._breaker.forget(endpoint)
                    raise

    def _until_begun(self, events: Iterator[Event], info: ModelInfo, request: ChatRequest) -> Iterator[Event]:
        """Up to the first word. What belongs to the answer is held back until then: it may be of no answer at all."""
        held: list[Event] = []
        for event in events:
            if isinstance(event, Trimmed) and self._choice.whole:
                raise self._too_long(info, request)
            if isinstance(event, PROGRESS):
                yield event
                continue
            held.append(event)
            if _speaks(event):
                self.begun = True
                yield from held
                return
            yield Idle()

    def _check_length(self, info: ModelInfo, request: ChatRequest) -> None:
        """Some servers leave out, without a word, what does not fit: they are not asked for it."""
        if info.context_length is not None and choices.prompt_tokens(request) >= info.context_length:
            raise self._too_long(info, request)

    def _too_long(self, info: ModelInfo, request: ChatRequest) -> ContextOverflow:
        self.trimmable = request.overflow != "stop"
        return ContextOverflow(prompt_tokens=choices.prompt_tokens(request), context_length=info.context_length or "?")


def _is_due(choice: Choice, failures: list[Failure]) -> bool:
    return not choice.trimmed or any(failure.trimmable for failure in failures)


def _speaks(event: Event) -> bool:
    return isinstance(event, Finished | ToolCall) or (isinstance(event, Text | Reasoning) and bool(event.text))
