"""Our engine against llama-bench: the same model and threads, each side's own flash attention, greedy, in turns.

Each run is a fresh process on both sides, warmed up. Writing: `tg256`, 256 tokens from an empty context. Reading:
`pp512`, a prompt of 512 tokens. The ratio is that of the medians.
"""

from __future__ import annotations

from statistics import median

from benchmarks import llamacpp, local
from benchmarks.figure import Figure, Plan
from core import bench
from core.events import Timings

WARM_UP = (64, 8)
"""Prompt and generated tokens of the request before the one that counts."""


def measure(plan: Plan) -> list[Figure]:
    """The two ratios."""
    ours: dict[str, list[float]] = {"writing": [], "reading": []}
    theirs: dict[str, list[float]] = {"writing": [], "reading": []}
    for _ in range(plan.repeat):
        theirs["writing"].append(llamacpp.bench(plan, generate=plan.generate))
        ours["writing"].append(writing(plan))
        theirs["reading"].append(llamacpp.bench(plan, prompt=plan.prompt))
        ours["reading"].append(reading(plan))
    return [_figure(plan, what, rates, theirs[what]) for what, rates in ours.items()]


def writing(plan: Plan) -> float:
    """Decode rate of `plan.generate` tokens after a prompt of one."""
    return _one(plan, prompt=1, generate=plan.generate).decode_rate or 0.0


def reading(plan: Plan) -> float:
    """Prompt rate of a prompt of `plan.prompt` tokens."""
    return _one(plan, prompt=plan.prompt, generate=1).prompt_rate or 0.0


def _one(plan: Plan, *, prompt: int, generate: int) -> Timings:
    with local.model(plan) as (model, ready):
        warm_prompt, warm_generate = WARM_UP
        local.ask(model, next(bench.requests(min(warm_prompt, prompt), warm_generate, vocabulary=ready.vocabulary)))
        later = bench.requests(prompt, generate, vocabulary=ready.vocabulary)
        next(later)
        return local.ask(model, next(later))[1].timings


def _figure(plan: Plan, what: str, ours: list[float], theirs: list[float]) -> Figure:
    test = f"tg{plan.generate}" if what == "writing" else f"pp{plan.prompt}"
    return Figure(
        name=f"engine.{what}",
        what=f"engine alone, {what}, to llama-bench {test}",
        value=median(ours) / median(theirs),
        unit="×",
        target=("≥", 0.95),
        details={
            "ours": ours,
            "llama-bench": theirs,
            "threads": plan.threads,
            "flash attention": f"llama-bench: {llamacpp.FLASH_ATTENTION}",
        },
    )
