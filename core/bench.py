"""Measures a local model on this machine: how fast it reads a prompt and writes an answer, alone and several at once.

Each level of parallel requests has the model loaded anew, with a context that just holds them; one request warms it up;
then that many are handed over at once, `repeat` times. Prompts are tokens that look random, another beginning for each
request, so that nothing comes from the cache. Answers are greedy and go on after an end token. The figures are those of
core/metrics.py; only the aggregate rate is defined here. Knows no terminal and no page.
"""

from __future__ import annotations

import itertools
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

from core.errors import AnswerBroken
from core.events import Finished, Loading
from core.messages import ChatRequest, Sampling
from core.models.base import ChatModel
from core.models.local import wire
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel

WARM_UP_TOKENS = 4

RESERVE = 64
"""Tokens of context a request has besides its own: what the engine wants free before it admits one more."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One level: `parallel` requests at once, of `prompt_tokens` and `generated_tokens` each.

    Medians: over all requests for `prompt_rate`, `decode_rate` (tokens a second of one request) and `ttft_s`, over the
    repeats for `aggregate_rate` (all requests together, see `aggregate_rate`). None: cannot be known.
    """

    parallel: int
    prompt_tokens: int
    generated_tokens: int
    prompt_rate: float | None
    decode_rate: float | None
    aggregate_rate: float | None
    ttft_s: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: the model's id, the threads it computes with, a result for each level."""

    model: str
    threads: int
    results: tuple[Result, ...]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the measurement, for people to see: round `number` of `total` at this level; 0 is the warm-up."""

    parallel: int
    number: int
    total: int


class Run(msgspec.Struct, frozen=True):
    """One answer: when it was handed over (`time.perf_counter`), and its end."""

    handed_over: float
    finished: Finished


Notice = Callable[[Loading | Round], None]
Opener = Callable[[ModelSettings], LocalModel]


def measure(
    open_model: Opener,
    *,
    prompt_tokens: int = 512,
    generate: int = 128,
    parallel: Sequence[int] = (1,),
    repeat: int = 3,
    notice: Notice = lambda _: None,
) -> Report:
    """Measures each level of `parallel`. `open_model` gives the model with the settings asked for.

    Raises what loading and answering raise, and `SettingInvalid` for a level that the engine does not take.
    """
    results: list[Result] = []
    threads = 0
    for level in parallel:
        context = max(level * (prompt_tokens + generate + RESERVE), 4 * RESERVE)
        model = open_model(ModelSettings(context_length=context, parallel=level))
        ready = load(model, notice)
        threads = ready.threads
        asked = requests(prompt_tokens, generate, vocabulary=ready.vocabulary)
        notice(Round(parallel=level, number=0, total=repeat))
        together(model, [msgspec.structs.replace(next(asked), max_tokens=min(WARM_UP_TOKENS, generate))])
        rounds = []
        for number in range(1, repeat + 1):
            notice(Round(parallel=level, number=number, total=repeat))
            rounds.append(together(model, list(itertools.islice(asked, level))))
        results.append(summary(rounds))
        model.close()
    return Report(model=model.info.id, threads=threads, results=tuple(results))


def load(model: LocalModel, notice: Notice = lambda _: None) -> wire.Ready:
    """Loads a model that is not in memory. Returns what it turned out to be."""
    engine = model.engine()
    for event in engine.load():
        if isinstance(event, Loading):
            notice(event)
    assert engine.ready is not None
    return engine.ready


def requests(prompt_tokens: int, generate: int, *, vocabulary: int) -> Iterator[ChatRequest]:
    """Requests without end, always the same ones; no two begin with the same token (up to the vocabulary's size)."""
    for number in itertools.count(1):
        draw = random.Random(number)
        ids = (number % vocabulary, *(draw.randrange(vocabulary) for _ in range(prompt_tokens - 1)))
        yield ChatRequest(prompt=ids, sampling=Sampling(temperature=0.0), max_tokens=generate, ignore_end=True)


def together(model: ChatModel, asked: Sequence[ChatRequest]) -> list[Run]:
    """Hands all requests over at once and reads each in a thread of its own. The model is in memory already.

    Raises the first error; whatever ends it, the other answers are stopped.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(len(asked)) as pool:
        try:
            return list(pool.map(partial(_run, model, stop), asked))
        finally:
            stop.set()


def summary(rounds: Sequence[Sequence[Run]]) -> Result:
    """The figures of one level. Every round has as many runs, at least one."""
    runs = [run.finished for each in rounds for run in each]
    return Result(
        parallel=len(rounds[0]),
        prompt_tokens=runs[0].usage.prompt_tokens,
        generated_tokens=runs[0].usage.generated_tokens,
        prompt_rate=_median(run.timings.prompt_rate for run in runs),
        decode_rate=_median(run.timings.decode_rate for run in runs),
        aggregate_rate=_median(aggregate_rate(each) for each in rounds),
        ttft_s=_median(run.timings.ttft_s for run in runs),
    )


def aggregate_rate(runs: Iterable[Run]) -> float | None:
    """All generated tokens ÷ (first token of the first answer → last token of the last), in tokens a second."""
    at = sorted(run.handed_over + moment for run in runs for moment in run.finished.timings.at)
    return len(at) / (at[-1] - at[0]) if at and at[-1] > at[0] else None


def _run(model: ChatModel, stop: threading.Event, request: ChatRequest) -> Run:
    handed_over = time.perf_counter()
    for event in model.stream(request):
        if isinstance(event, Finished):
            return Run(handed_over, event)
        if stop.is_set():
            break
    raise AnswerBroken(model=model.info.name, detail="the measurement was stopped")


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
