"""What a batch is: N models × M prompts × K repeats, one cell each, and what came of it. Frozen values.

A cell waits, is running, is done, or has failed; a batch is running, paused (nothing of it runs, something waits), or
done (nothing waits). Knows no store and no thread.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from core.arena.checks import Checked
from core.arena.prompts import Prompt
from core.chat import Asking
from core.errors import BatchEmpty, BatchTooLarge
from core.events import Finished, Routed
from core.messages import ChatRequest, Message
from core.models.base import ModelInfo
from core.models.remote.endpoint import whereabouts
from core.models.routes import is_route

State = Literal["running", "paused", "done"]
Status = Literal["waiting", "running", "done", "failed"]

Timing = Literal["alone", "together"]
"""`alone`: each answer has the machine to itself. `together`: those of models elsewhere come several at once; those of
models on this machine are alone all the same."""

MOST_CELLS = 20_000
MOST_AT_ONCE = 16
AT_ONCE = 4
"""Answers that one endpoint is asked for at the same time, unless said otherwise."""


class Entrant(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a batch as it is asked. `label`: tells it from the others."""

    asking: Asking
    info: ModelInfo
    label: str

    @property
    def alone(self) -> bool:
        """Whether it answers on this machine, so that nothing that is timed may run beside it. A route may."""
        return self.info.local or is_route(self.info.id) or whereabouts(self.info.id) == "machine"

    @property
    def endpoint(self) -> str:
        """What is asked: one address for all models behind it."""
        return self.info.id.partition("#")[0]


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of whom, and how.

    `seed`: repeat k of each cell is asked with seed + k, so that the same batch can be had again; None leaves it to the
    models' own settings. `at_once`: answers that one endpoint is asked for at the same time. `judge`: who compares the
    answers by twos; None: nobody.
    """

    models: tuple[Entrant, ...]
    prompts: tuple[Prompt, ...]
    repeats: int = 1
    timing: Timing = "together"
    seed: int | None = None
    at_once: int = AT_ONCE
    judge: Entrant | None = None

    @property
    def cells(self) -> int:
        """How many answers it is."""
        return len(self.models) * len(self.prompts) * self.repeats


class Place(msgspec.Struct, frozen=True, order=True):
    """Which cell: the numbers of its model and its prompt in the spec, and of its repeat, all from 0."""

    model: int
    prompt: int
    repeat: int


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `at`: when it was asked, seconds since 1970; `error`: a `WorkbenchError.to_dict()`.

    One that waits again keeps the text that had come until it is asked anew. `checks` is None until it is done.
    `routed`: whom a route chose to answer.
    """

    place: Place
    status: Status
    at: float | None = None
    answer: str = ""
    reasoning: str = ""
    finished: Finished | None = None
    error: dict[str, Any] | None = None
    checks: tuple[Checked, ...] | None = None
    routed: Routed | None = None

    @property
    def passed(self) -> bool | None:
        """Whether it has passed every check; None where there is none, or it is not done."""
        return all(one.passed for one in self.checks) if self.checks else None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch without its cells. `created_at`: seconds since 1970."""

    id: str
    owner: str
    name: str
    created_at: float
    state: State
    spec: Spec


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A line in the list of batches: cells by what has become of them."""

    id: str
    name: str
    created_at: float
    state: State
    done: int
    failed: int
    total: int


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """One model's cells of one status. `seconds`: their mean from asking to the last token, None where none is done."""

    model: int
    status: Status
    cells: int
    seconds: float | None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a batch is: cells, and pairs judged of those to be judged. `seconds_left`: None where nothing is known
    of how long a model takes."""

    done: int
    failed: int
    running: int
    waiting: int
    total: int
    judged: int = 0
    to_judge: int = 0
    seconds_left: float | None = None


def checked(spec: Spec) -> Spec:
    """The spec, when it can be run. Raises `BatchEmpty` or `BatchTooLarge`."""
    if spec.cells < 1 or spec.repeats < 1:
        raise BatchEmpty()
    if spec.cells > MOST_CELLS:
        raise BatchTooLarge(cells=spec.cells, limit=MOST_CELLS)
    return msgspec.structs.replace(spec, at_once=min(max(spec.at_once, 1), MOST_AT_ONCE))


def places(spec: Spec) -> Iterator[Place]:
    """All cells, model by model: each is loaded once. Repeats of a prompt are apart, so that the second does not find
    the first one's prompt in the cache and come the sooner."""
    for model in range(len(spec.models)):
        for repeat in range(spec.repeats):
            for prompt in range(len(spec.prompts)):
                yield Place(model, prompt, repeat)


def request(spec: Spec, place: Place) -> ChatRequest:
    """What a cell asks."""
    asking, prompt = spec.models[place.model].asking, spec.prompts[place.prompt]
    system = prompt.system.strip() or asking.system_prompt.strip()
    sampling = asking.sampling
    if spec.seed is not None:
        sampling = msgspec.structs.replace(sampling, seed=spec.seed + place.repeat)
    return ChatRequest(
        messages=(*([Message("system", system)] if system else []), Message("user", prompt.text)),
        sampling=sampling,
        max_tokens=asking.max_tokens,
        stop=asking.stop,
        grammar=asking.grammar,
        json_schema=asking.json_schema,
        overflow=asking.overflow,
    )


def seconds_for(spec: Spec, cells: Mapping[int, int], each: Mapping[int, float | None]) -> float | None:
    """How long so many cells of each model take, in seconds. `each`: of one, by model; None, or not there: unknown."""
    if any(each.get(model) is None for model, number in cells.items() if number):
        return None
    alone, elsewhere = 0.0, dict[str, float]()
    for model, number in cells.items():
        entrant, seconds = spec.models[model], each.get(model) or 0.0
        if entrant.alone or spec.timing == "alone":
            alone += number * seconds
        else:
            spent = math.ceil(number / spec.at_once) * seconds
            elsewhere[entrant.endpoint] = elsewhere.get(entrant.endpoint, 0.0) + spent
    return alone + max(elsewhere.values(), default=0.0)


def progress(spec: Spec, counts: Sequence[Count], usual: Mapping[int, float]) -> Progress:
    """From the counts of a batch's cells. `usual`: seconds that a model's answers took before."""
    number: dict[Status, int] = {"waiting": 0, "running": 0, "done": 0, "failed": 0}
    left: dict[int, int] = {}
    each: dict[int, float | None] = dict(usual)
    for one in counts:
        number[one.status] += one.cells
        if one.status in ("waiting", "running"):
            left[one.model] = left.get(one.model, 0) + one.cells
        if one.seconds is not None:
            each[one.model] = one.seconds
    return Progress(**number, total=spec.cells, seconds_left=seconds_for(spec, left, each))
