"""Our engine against llama-bench: the same model, threads and flash attention, greedy, taking turns.

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
    """The two ratios, for each value of `plan.spin`."""
    theirs: dict[str, list[float]] = {"writing": [], "reading": []}
    ours: dict[tuple[str, str], list[float]] = {}
    for _ in range(plan.repeat):
        theirs["writing"].append(llamacpp.bench(plan, generate=plan.generate))
        theirs["reading"].append(llamacpp.bench(plan, prompt=plan.prompt))
        for spin in plan.spin:
            with local.spinning(spin):
                ours.setdefault((spin, "writing"), []).append(writing(plan))
                ours.setdefault((spin, "reading"), []).append(reading(plan))
    return [_figure(plan, spin, what, rates, theirs[what]) for (spin, what), rates in ours.items()]


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


def _figure(plan: Plan, spin: str, what: str, ours: list[float], theirs: list[float]) -> Figure:
    test = f"tg{plan.generate}" if what == "writing" else f"pp{plan.prompt}"
    suffix = "" if spin == "default" else f", {local.SPIN}={spin}"
    return Figure(
        name=f"engine.{what}{suffix}",
        what=f"engine alone, {what}, to llama-bench {test}{suffix}",
        value=median(ours) / median(theirs),
        unit="×",
        target=("≥", 0.95),
        details={
            "ours": ours,
            "llama-bench": theirs,
            "threads": plan.threads,
            "flash attention": f"{llamacpp.FLASH_ATTENTION}, both",
        },
    )
