"""Variants side by side over one text: what each expects at every place, and where they part, each going its own way.

On a text that is given, every place is the same question to each variant, and their distributions can be compared all
along. When each goes on by itself they can be compared only as far as all have taken the same tokens: from the first
one that differs on, they answer different questions. Blocks; takes a place in the line of whoever is timed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from core.errors import NothingToMeasure
from core.gguf.measures import BesideTask, Position, Variant
from core.gguf.quality import said, spoken
from core.models.in_turn import Turns
from core.models.local import files

ALTERNATIVES = 5


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One variant's. `comparable`: its tokens are the reference's. `positions` in the order of the text."""

    name: str
    comparable: bool
    positions: tuple[Position, ...]


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """All readings, the reference first. `own_way`: tokens that each wrote by itself at most; 0: all read the text."""

    text: str
    own_way: int
    readings: tuple[Reading, ...]

    @property
    def reference(self) -> Reading:
        return self.readings[0]


def read(
    models: Sequence[tuple[str, Path]],
    text: str,
    turns: Turns,
    *,
    own_way: int = 0,
    notice: Callable[[int, int], None] = lambda done, total: None,
) -> Beside:
    """Names and files, the reference first. `notice`: variants that are done; it may raise, which ends it.

    Raises what loading raises, `NothingToMeasure`, `TextTooShort`, `LogitsInvalid`, `MeasureDied`.
    """
    if not models:
        raise NothingToMeasure()
    for _name, path in models:
        files.checked(path)
    task = BesideTask(
        paths=tuple(str(files.located(path)) for _name, path in models),
        names=tuple(name for name, _path in models),
        text=text,
        own_way=own_way,
        alternatives=ALTERNATIVES,
    )
    readings: list[Reading] = []
    with turns.take() as ticket:
        for _ in ticket.wait():
            notice(0, len(models))
        with spoken(models[0][0]), closing(said("core.llamacpp.beside", task)) as frames:
            for frame in frames:
                if isinstance(frame, Variant):
                    name = models[frame.number][0]
                    readings.append(Reading(name=name, comparable=frame.comparable, positions=frame.positions))
                notice(len(readings), len(models))
    return Beside(text=text, own_way=own_way, readings=tuple(readings))


def changes(found: Beside) -> list[int]:
    """Places of a text at which some variant holds another token most probable than the reference."""
    own = found.reference.positions
    comparable = [one for one in found.readings[1:] if one.comparable]
    return [
        place
        for place, position in enumerate(own)
        if any(one.positions[place].top[0].id != position.top[0].id for one in comparable)
    ]


def parting(reference: Reading, other: Reading) -> int | None:
    """The first place at which two that went their own way took different tokens; None where they never did."""
    for place, (ours, theirs) in enumerate(zip(reference.positions, other.positions, strict=False)):
        if ours.came.id != theirs.came.id:
            return place
    shorter = min(len(reference.positions), len(other.positions))
    return shorter if len(reference.positions) != len(other.positions) else None


def written(reading: Reading) -> str:
    """What one wrote by itself."""
    return "".join(position.came.text for position in reading.positions)
