"""What a study is: a reference and variants of it, measured over one text, side by side. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.errors import WorkbenchError
from core.gguf.measures import Setup
from core.gguf.quality import Pass, Plan
from core.gguf.speed import Speed, SpeedPlan
from core.store.measurements import State

FIVE = ("Q8_0", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
"""The types of the study that one button makes: one for each number of bits that is common."""

REFERENCE = "F16"
"""What a source that is quantized already is unpacked to, to be held against."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a study: a file that is there, or a type to quantize the study's source to."""

    name: str
    path: str | None = None
    type: str | None = None


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured. `text_name`: "english", "french", or what a person's own text is called. `repeat`: of the tests
    of speed; 0 leaves them out."""

    source: str
    reference: Variant
    variants: tuple[Variant, ...]
    text_name: str
    text: str
    context: int = 512
    chunks: int | None = 8
    repeat: int = 3
    setup: Setup = Setup()

    @property
    def plan(self) -> Plan:
        """Of the passes over the text."""
        return Plan(text=self.text, context=self.context, chunks=self.chunks, setup=self.setup)

    @property
    def speed_plan(self) -> SpeedPlan:
        """Of the tests of speed."""
        return SpeedPlan(repeat=self.repeat, setup=self.setup)

    @property
    def all(self) -> tuple[Variant, ...]:
        """The reference, then the variants."""
        return (self.reference, *self.variants)


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """A study as it is kept, its spec read."""

    id: str
    created_at: float
    state: State
    spec: Spec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one model of a study. `bytes`: of its file; None while it is not made. `reference`: it is that
    one. `error`: why it could not be measured."""

    name: str
    reference: bool
    path: Path | None
    bytes: int | None
    quality: Pass | None
    speed: Speed | None
    error: WorkbenchError | None


def of_types(
    source: Path,
    types: tuple[str, ...] = FIVE,
    *,
    text_name: str,
    text: str,
    chunks: int | None = 8,
    context: int = 512,
    repeat: int = 3,
    quantized: bool = True,
) -> Spec:
    """The study that one button makes: a source quantized to some types. The reference is the source, or, where it is
    `quantized` itself, a copy of it with 16-bit floats, which computes the same and is what the others are made of."""
    reference = Variant(name=REFERENCE, type=REFERENCE) if quantized else Variant(name=source.stem, path=str(source))
    return Spec(
        source=str(source),
        reference=reference,
        variants=tuple(Variant(name=one, type=one) for one in types if one != REFERENCE),
        text_name=text_name,
        text=text,
        chunks=chunks,
        context=context,
        repeat=repeat,
    )


def with_files(spec: Spec, files: Sequence[Variant]) -> Spec:
    """The same, with files that are there already; each name once, as errors and figures are kept by it."""
    taken = {one.name for one in spec.all}
    added: list[Variant] = []
    for one in files:
        name, number = one.name, 2
        while name in taken:
            name, number = f"{one.name} ({number})", number + 1
        taken.add(name)
        added.append(msgspec.structs.replace(one, name=name))
    return msgspec.structs.replace(spec, variants=(*spec.variants, *added))
