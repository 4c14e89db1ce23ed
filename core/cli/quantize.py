"""`python -m core quantize`: smaller files of a model, one for each type; or with --plan what they would be.

JSON: {"source", "requantized", "made": [{"type", "path" (not with --plan), "size_bytes", "bits_per_weight", "seconds"
(not with --plan), "needs_imatrix" (only with --plan), "fallbacks": [{"name", "meant", "type"}]}]}. `fallbacks` are the
tensors whose rows are no whole blocks of the type that was meant for them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.cli import terminal
from core.cli.local import opened
from core.gguf import quantize, reader, recipes
from core.gguf.quantize import Plan, Quantized


def run(args: argparse.Namespace) -> int:
    """Makes one file after the other. Those that are whole stay when a later one fails."""
    with opened() as (catalog, _):
        source = catalog.path(catalog.get(args.source))
    names = [recipes.recipe(name).name for name in args.types]
    requantized = quantize.is_quantized(reader.read(source))
    if requantized and not args.json:
        terminal.say("warning: the source is quantized already: what it has lost stays lost, and more is lost")
    made = [_planned(source, name, args) if args.plan else _made(source, name, args) for name in dict.fromkeys(names)]
    if args.json:
        terminal.write_json(
            {"source": str(source), "requantized": requantized, "made": [_described(one) for one in made]}
        )
    else:
        _write(made)
    return 0


def _planned(source: Path, name: str, args: argparse.Namespace) -> Plan:
    matrix = None if args.imatrix is None else Path(args.imatrix)
    return quantize.plan(
        source,
        name,
        pure=args.pure,
        output_type=args.output_type,
        embedding_type=args.embedding_type,
        imatrix=matrix,
    )


def _made(source: Path, name: str, args: argparse.Namespace) -> Quantized:
    progress = terminal.Progress()
    try:
        return quantize.quantize(
            source,
            Path(args.out) / recipes.file_name(source.name, name),
            name,
            pure=args.pure,
            output_type=args.output_type,
            embedding_type=args.embedding_type,
            imatrix=None if args.imatrix is None else Path(args.imatrix),
            threads=args.threads,
            on_progress=lambda done, total, tensor: progress.show(f"{name}: tensor {done} of {total}: {tensor}"),
        )
    finally:
        progress.clear()


def _described(one: Plan | Quantized) -> dict[str, Any]:
    extra: dict[str, Any] = (
        {"path": str(one.path), "seconds": one.seconds}
        if isinstance(one, Quantized)
        else {"needs_imatrix": one.needs_imatrix}
    )
    return {
        "type": one.type,
        "size_bytes": one.size_bytes,
        "bits_per_weight": one.bits_per_weight,
        **extra,
        "fallbacks": [{"name": t.name, "meant": t.meant, "type": t.after} for t in one.fallbacks],
    }


def _write(made: Sequence[Plan | Quantized]) -> None:
    from core.figures import count, seconds, size

    rows = [
        (
            one.type,
            size(one.size_bytes, "en"),
            f"{one.bits_per_weight:.2f}",
            count(len(one.fallbacks), "en"),
            seconds(one.seconds, "en") if isinstance(one, Quantized) else "–",
            str(one.path) if isinstance(one, Quantized) else "–",
        )
        for one in made
    ]
    terminal.write_table(("TYPE", "SIZE", "BITS A WEIGHT", "OTHER TYPE", "TIME", "FILE"), rows)
    if any(one.fallbacks for one in made):
        terminal.say("OTHER TYPE: tensors whose rows are no whole blocks of the type meant for them got another one")
