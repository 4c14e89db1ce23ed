"""Why flash attention is off on a processor: llama-bench alone, writing after many tokens, without it and with it."""

from __future__ import annotations

from statistics import median

from benchmarks import llamacpp
from benchmarks.figure import Figure, Plan

DEPTHS = (256, 1024)
GENERATE = 64


def measure(plan: Plan) -> list[Figure]:
    """Its rate without flash attention to that with it, for each of `DEPTHS`."""
    return [_at(plan, depth) for depth in DEPTHS]


def _at(plan: Plan, depth: int) -> Figure:
    rates: dict[str, list[float]] = {"off": [], "on": []}
    for _ in range(plan.repeat):
        for flash, told in rates.items():
            told.append(llamacpp.bench(plan, generate=min(GENERATE, plan.generate), depth=depth, flash_attention=flash))
    return Figure(
        name=f"attention.{depth}",
        what=f"llama-bench after {depth} tokens: writing without flash attention, to with it",
        value=median(rates["off"]) / median(rates["on"]),
        unit="×",
        details=rates,
    )
