"""What a benchmark is asked and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Unmeasurable(Exception):
    """A benchmark cannot be run here; the text says what is missing and what to do."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to measure, how often and how long.

    generate, prompt: tokens of the comparison with llama-bench. answers: short ones, for the growth of memory.
    library: conversations in the list.
    """

    model: Path
    threads: int
    app: Path = ROOT / "app.py"
    repeat: int = 3
    generate: int = 256
    prompt: int = 512
    parallel: int = 8
    conversation: int = 1500
    answers: int = 200
    library: int = 10_000


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number, and what it should be.

    name: "benchmark.what". target: "≥" or "≤" and the bound; None: told for its own sake. details: all it came from.
    """

    name: str
    what: str
    value: float
    unit: str
    target: tuple[str, float] | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_runs(
        cls, name: str, what: str, runs: Sequence[float], unit: str, target: tuple[str, float] | None = None
    ) -> Figure:
        """The median of several runs."""
        return cls(name=name, what=what, value=median(runs), unit=unit, target=target, details={"runs": list(runs)})

    @property
    def reached(self) -> bool | None:
        """Whether the target is; None without one."""
        if self.target is None:
            return None
        sign, bound = self.target
        return self.value >= bound if sign == "≥" else self.value <= bound

    def shown(self) -> str:
        """The value with its unit."""
        return _number(self.value, self.unit)

    def wanted(self) -> str:
        """The target with its unit."""
        return f"{self.target[0]} {_number(self.target[1], self.unit)}" if self.target else "–"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.wanted() if self.target else None,
            "reached": self.reached,
            "details": self.details,
        }


def _number(value: float, unit: str) -> str:
    digits = {"×": 2, "s": 2, "MB": 0, "%": 1, "modules": 0, "nDCG@10": 4}.get(unit, 1)
    return f"{value:.{digits}f} {unit}"
