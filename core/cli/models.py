"""`python -m core models`: every model within reach, or with --base-url those of an endpoint.

JSON: {"models": [ModelInfo …], "damaged": [{"path", "error", "message", "hint"} …]}.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli import terminal
from core.cli.local import opened
from core.errors import WorkbenchError
from core.models.base import ModelInfo


def run(args: argparse.Namespace) -> int:
    """Lists the models on standard output; files that cannot be used on standard error, with the reason."""
    models, damaged = _found(args.base_url)
    if args.json:
        broken = [{"path": str(path)} | terminal.described(error) for path, error in damaged]
        terminal.write_json({"models": models, "damaged": broken})
        return 0

    from core.figures import count, size

    rows = [
        (
            model.id,
            model.name,
            model.quantization or "?",
            size(model.size_bytes, "en"),
            count(model.parameters, "en"),
            count(model.context_length, "en"),
        )
        for model in models
    ]
    terminal.write_table(("ID", "NAME", "TYPE", "SIZE", "PARAMETERS", "CONTEXT"), rows)
    for path, error in damaged:
        terminal.say(f"left out: {path}: {error}")
    return 0


def _found(base_url: str | None) -> tuple[list[ModelInfo], list[tuple[Path, WorkbenchError]]]:
    if base_url is not None:
        from core.cli import remote

        return remote.models(base_url), []
    with opened() as (catalog, _):
        return catalog.models(), catalog.damaged()
