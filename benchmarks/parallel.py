"""Several streaming requests at once on our engine: against one alone, and against `llama-server --parallel`.

The same prompts (token ids), lengths, threads and context on both sides, greedy; each run is a fresh process, warmed
up, and the three take turns. The figure is the aggregate rate of core/bench.py: all generated tokens ÷ (first token of
the first answer → last token of the last), as their reader sees them.
"""

from __future__ import annotations

import http.client
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median

from benchmarks import llamacpp, local
from benchmarks.figure import Figure, Plan
from core import bench
from core.bench import RESERVE
from core.gguf import reader
from core.messages import ChatRequest

PROMPT = 32
ANSWER_LIMIT_S = 300


def measure(plan: Plan) -> list[Figure]:
    """Together ÷ alone, and together ÷ llama-server."""
    alone, together, theirs = [], [], []
    for _ in range(plan.repeat):
        alone.append(ours(plan, 1))
        together.append(ours(plan, plan.parallel))
        theirs.append(llama_server(plan))
    details = {"alone": alone, "together": together, "llama-server": theirs, "tokens each": _generate(plan)}
    return [
        Figure(
            name="parallel.gain",
            what=f"{plan.parallel} parallel requests together, to one alone",
            value=median(together) / median(alone),
            unit="×",
            target=("≥", 1.2),
            details=details,
        ),
        Figure(
            name="parallel.server",
            what=f"{plan.parallel} parallel requests together, to llama-server --parallel {plan.parallel}",
            value=median(together) / median(theirs),
            unit="×",
            target=("≥", 0.95),
            details=details,
        ),
    ]


def ours(plan: Plan, count: int) -> float:
    """Aggregate rate of `count` requests at once on our engine."""
    with local.model(plan, parallel=plan.parallel, context_length=_context(plan)) as (model, ready):
        warm_up, *asked = _requests(plan, count, ready.vocabulary)
        local.ask(model, warm_up)
        return bench.aggregate_rate(bench.together(model, asked)) or 0.0


def llama_server(plan: Plan) -> float:
    """Aggregate rate of `plan.parallel` requests at once on a llama-server, read over HTTP."""
    warm_up, *asked = _requests(plan, plan.parallel, reader.read(plan.model).vocabulary_size or 1)
    with llamacpp.server(plan, context=_context(plan)) as port, ThreadPoolExecutor(plan.parallel) as pool:
        _read(port, warm_up)
        answers = list(pool.map(partial(_read, port), asked))
    first = min(at[0] for at, _ in answers)
    last = max(at[-1] for at, _ in answers)
    return sum(tokens for _, tokens in answers) / (last - first)


def _requests(plan: Plan, count: int, vocabulary: int) -> list[ChatRequest]:
    """One more than `count`: the first is for warming up."""
    return list(itertools.islice(bench.requests(PROMPT, _generate(plan), vocabulary=vocabulary), count + 1))


def _generate(plan: Plan) -> int:
    return max(plan.generate // 2, 2)


def _context(plan: Plan) -> int:
    return plan.parallel * (PROMPT + _generate(plan) + RESERVE)


def _read(port: int, request: ChatRequest) -> tuple[list[float], int]:
    """When each piece of a streamed completion came (`time.perf_counter`), and how many tokens the server counted."""
    body = {
        "prompt": request.prompt,
        "n_predict": request.max_tokens,
        "temperature": 0.0,
        "ignore_eos": True,
        "cache_prompt": False,
        "stream": True,
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)
    connection.request("POST", "/completion", json.dumps(body), {"Content-Type": "application/json"})
    at: list[float] = []
    last = b"{}"
    for line in connection.getresponse():
        if line.startswith(b"data: "):
            at.append(time.perf_counter())
            last = line.removeprefix(b"data: ")
    connection.close()
    return at, int(json.loads(last)["tokens_predicted"])
