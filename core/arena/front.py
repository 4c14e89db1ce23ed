"""The Pareto front: what nothing else beats in both respects. Knows numbers, and no models."""

from __future__ import annotations

from collections.abc import Mapping

Point = tuple[float, float]
"""What it takes or gives (size, price, speed …), and its score: the more the better."""


def front(points: Mapping[str, Point], *, less_is_better: bool = True) -> tuple[str, ...]:
    """The names that no other one dominates, by what they take (or give), from little to much.

    One dominates another when it is at least as good in both respects, and better in one (Pareto efficiency).
    `less_is_better` is about the first respect: less for size, price and energy, more for speed. Two that are alike in
    both are both on the front.
    """
    sign = 1 if less_is_better else -1
    found: list[str] = []
    best: Point | None = None
    for name, (taken, score) in sorted(points.items(), key=lambda item: (sign * item[1][0], -item[1][1], item[0])):
        if best is None or score > best[1] or (taken, score) == best:
            found.append(name)
            best = (taken, score)
    return tuple(sorted(found, key=lambda name: (points[name][0], name)))
