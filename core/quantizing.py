"""Quantizing in the background: one file a job, one job at a time, and none while something is being measured.

The jobs of core/jobs.py stand in the line of core/models/in_turn.py. What is made stays when a later job fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from core.errors import N_
from core.gguf import quantize, recipes
from core.gguf.header import GGUF
from core.gguf.quantize import Quantized
from core.jobs import Job, Jobs
from core.models.in_turn import Ticket, Turns
from core.models.local.uploads import safe_name

KIND = "quantize"
WAITING = N_("waiting for what was begun before")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all types; see `quantize.quantize`."""

    pure: bool = False
    output_type: str | None = None
    embedding_type: str | None = None
    imatrix: Path | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One file to make."""

    source: Path
    target: Path
    type: str
    options: Options = Options()


def orders(gguf: GGUF, folder: Path, types: Sequence[str], options: Options) -> list[Order]:
    """An order for each type, each with the name that its file gets in the folder. Raises `SettingInvalid`."""
    own = gguf.path.name if gguf.path.suffix == ".gguf" else safe_name(gguf.name or "model")
    named = dict.fromkeys(recipes.recipe(type).name for type in types)
    return [
        Order(source=gguf.path, target=folder / recipes.file_name(own, name), type=name, options=options)
        for name in named
    ]


def start(jobs: Jobs, turns: Turns, owner: str, wanted: Sequence[Order]) -> list[Job]:
    """Begins them, in this order; their results are `Quantized`."""
    return [jobs.start(owner, KIND, order.target.name, _work(order, turns.take())) for order in wanted]


def _work(order: Order, ticket: Ticket) -> Callable[[Job], Quantized]:
    def work(job: Job) -> Quantized:
        with ticket:
            for _ in ticket.wait():
                job.step(0.0, note=WAITING)
            return quantize.quantize(
                order.source,
                order.target,
                order.type,
                pure=order.options.pure,
                output_type=order.options.output_type,
                embedding_type=order.options.embedding_type,
                imatrix=order.options.imatrix,
                on_progress=job.step,
            )

    return work
