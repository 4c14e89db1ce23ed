"""Our API over our engine alone, and against `llama-server --parallel`: alone and several streams at once.

The same prompts (token ids), lengths, threads and context everywhere, greedy, past the end token; each run is a fresh
process, warmed up. They take turns, and each round is compared by itself. Both servers are read by the same client over
HTTP, as /v1/completions. A rate is all generated tokens ÷ (first token of the first answer → last token of the last):
as the engine stamps them where it runs alone, as they arrive where a server is between. Time to first token: request
sent → first piece arrived; its 95th percentile is each run's own, so that one slow moment of the machine does not stand
for all runs.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks import llamacpp, local
from benchmarks.figure import ROOT, Figure, Plan, Unmeasurable
from benchmarks.memory import resident
from core import bench
from core.gguf import reader
from core.messages import ChatRequest
from core.metrics import gaps, percentile
from core.models.catalog import EMBEDDED_ID
from core.models.local.model_settings import DEFAULT_CONTEXT, physical_cores

PROMPT = 32
ANSWER_LIMIT_S = 300

Body = dict[str, object]
"""What is asked: a `prompt` or `messages`, and what goes with it."""


@dataclass(frozen=True)
class Streamed:
    """One answer over HTTP: when it was asked and when its pieces came (`time.perf_counter`), and its tokens."""

    sent: float
    at: list[float]
    tokens: int


@dataclass(frozen=True)
class Served:
    """The answers of one run, and the memory of the server with its model in megabytes."""

    answers: list[Streamed]
    memory: float

    @property
    def rate(self) -> float:
        """Tokens a second of all together."""
        first, last = min(each.at[0] for each in self.answers), max(each.at[-1] for each in self.answers)
        return sum(each.tokens for each in self.answers) / (last - first)


def measure(plan: Plan) -> list[Figure]:
    """Rates to the engine's and to llama-server's, times to first token, memory."""
    require_all_cores(plan)
    many = plan.parallel
    bodies = {count: _bodies(plan, count) for count in (1, many)}
    engine: dict[int, list[float]] = {1: [], many: []}
    ours: dict[int, list[Served]] = {1: [], many: []}
    theirs: list[Served] = []
    take_turns(
        plan,
        [
            lambda: engine[1].append(alone(plan, 1)),
            lambda: ours[1].append(workbench(bodies[1])),
            lambda: engine[many].append(alone(plan, many)),
            lambda: ours[many].append(workbench(bodies[many])),
            lambda: theirs.append(llama_server(plan, bodies[many])),
        ],
    )
    return [
        *(_over_engine(count, ours[count], rates) for count, rates in engine.items()),
        *to_server("api", many, ours[many], theirs),
    ]


def take_turns(plan: Plan, steps: Sequence[Callable[[], None]]) -> None:
    """All of them in each round, every other round backwards: a machine that grows slower does so for all alike."""
    for number in range(plan.repeat):
        for step in steps if number % 2 == 0 else reversed(steps):
            step()


def alone(plan: Plan, count: int) -> float:
    """Aggregate rate of `count` requests at once on our engine."""
    with local.model(plan, parallel=8) as (model, ready):
        warm_up, *asked = _requests(plan, count, ready.vocabulary)
        local.ask(model, warm_up)
        return bench.aggregate_rate(bench.together(model, asked)) or 0.0


def require_all_cores(plan: Plan) -> None:
    """Raises `Unmeasurable` where the plan asks for other threads than our API computes with."""
    if plan.threads != physical_cores():
        raise Unmeasurable("the API computes with all physical cores: leave --threads out")


def workbench(bodies: Sequence[Body]) -> Served:
    """The requests to our API, in a fresh process."""
    with _workbench() as (port, pid):
        return _served(port, pid, bodies)


def llama_server(plan: Plan, bodies: Sequence[Body]) -> Served:
    """The requests to a fresh llama-server."""
    with llamacpp.server(plan, context=DEFAULT_CONTEXT) as port:
        return _served(port, _listener(port), bodies)


def _served(port: int, pid: int, bodies: Sequence[Body]) -> Served:
    """The requests at once over HTTP, after the first, which is for warming up."""
    warm_up, *asked = bodies
    _read(port, warm_up)
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(partial(_read, port), asked))
    return Served(answers, resident(pid)["rss"])


@contextmanager
def _workbench() -> Iterator[tuple[int, int]]:
    """Port and process id of `python -m core serve`."""
    command = [sys.executable, "-m", "core", "serve", "--port", "0", "--json"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environ = os.environ | {"WORKBENCH_HOME": home}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if not said:
                raise Unmeasurable("`python -m core serve` does not start")
            yield int(json.loads(said)["base_url"].split(":")[2].split("/")[0]), process.pid
        finally:
            process.terminate()
            process.wait()


def _listener(port: int) -> int:
    """The process, begun by this one, that listens there."""
    import psutil

    for process in psutil.Process().children():
        if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in process.net_connections()):
            return int(process.pid)
    raise Unmeasurable("llama-server has gone")


def _requests(plan: Plan, count: int, vocabulary: int) -> list[ChatRequest]:
    """One more than `count`: the first is for warming up."""
    return list(itertools.islice(bench.requests(PROMPT, plan.generate, vocabulary=vocabulary), count + 1))


def _bodies(plan: Plan, count: int) -> list[Body]:
    requests = _requests(plan, count, reader.read(plan.model).vocabulary_size or 1)
    return [{"prompt": request.prompt, "max_tokens": request.max_tokens, "cache_prompt": False} for request in requests]


def _read(port: int, asked: Body) -> Streamed:
    body = asked | {
        "model": EMBEDDED_ID,
        "temperature": 0.0,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    path, piece = ("/v1/chat/completions", b'"content":"') if "messages" in asked else ("/v1/completions", b'"text":"')
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)
    sent = time.perf_counter()
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    at: list[float] = []
    tokens = 0
    for line in connection.getresponse():
        if piece in line and piece + b'"' not in line:
            at.append(time.perf_counter())
        if b'"usage":{' in line:
            tokens = int(json.loads(line.removeprefix(b"data: "))["usage"]["completion_tokens"])
    connection.close()
    return Streamed(sent, at, tokens)


def _over_engine(count: int, ours: Sequence[Served], engine: Sequence[float]) -> Figure:
    rates = [each.rate for each in ours]
    return Figure(
        name=f"api.{'one' if count == 1 else 'parallel'}",
        what=f"{count} stream{'s' if count > 1 else ''} through our API, to the engine alone",
        value=_ratio(rates, engine),
        unit="×",
        target=("≥", 0.95),
        details={"API": rates, "engine": list(engine), "p95 gap between pieces, s": _gap(ours)},
    )


def to_server(name: str, count: int, ours: Sequence[Served], theirs: Sequence[Served]) -> list[Figure]:
    """Rates, times to first token and memory, to llama-server's with as many slots."""
    them = f"llama-server --parallel {count}"
    rates = [each.rate for each in ours], [each.rate for each in theirs]
    firsts = _firsts(ours), _firsts(theirs)
    slowest = [[percentile(sorted(run), 0.95) for run in runs] for runs in firsts]
    memory = [each.memory for each in ours], [each.memory for each in theirs]
    gap = {"p95 gap between pieces, s": {"ours": _gap(ours), "llama-server": _gap(theirs)}}
    every = {"all": {"ours": firsts[0], "llama-server": firsts[1]}}
    first_token = f"time to first token of {count} streams, 95th percentile, to {them}"
    return [
        _compared(f"{name}.server", f"{count} streams through our API, to {them}", *rates, ("≥", 0.95), gap),
        _compared(f"{name}.ttft", first_token, *slowest, ("≤", 1.0), every),
        _compared(f"{name}.memory", f"resident memory of server and model, to {them}", *memory, None, {}),
    ]


def _compared(
    name: str,
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    target: tuple[str, float] | None,
    more: dict[str, object],
) -> Figure:
    return Figure(
        name=name,
        what=what,
        value=_ratio(ours, theirs),
        unit="×",
        target=target,
        details={"ours": list(ours), "llama-server": list(theirs), **more},
    )


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' own: what lies between two rounds is the machine's doing."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def _firsts(runs: Sequence[Served]) -> list[list[float]]:
    return [[each.at[0] - each.sent for each in run.answers] for run in runs]


def _gap(runs: Sequence[Served]) -> float | None:
    between = sorted(gap for run in runs for each in run.answers for gap in gaps(each.at))
    return percentile(between, 0.95) if between else None
