"""`python -m core gguf`: what a GGUF file holds, and the memory it takes when it is loaded with the defaults.

Of a file on the Hugging Face Hub, hf://OWNER/NAME/FILE, the header alone is fetched. JSON: {"path", "version",
"size_bytes", "architecture", "quantization", "parameters", "metadata": {key: {"type", "value"}, or {"type", "count"}
for a long array}, "tensors": [{"name", "type", "shape", "bytes", "part"}], "bits_per_weight", "types": [{"type",
"bits_per_weight", "tensors", "parameters", "n_bytes", "share"}], "memory": {"context_length", "weights", "kv_cache",
"compute", "total", "verdict", "longest_context"}}. Bytes; shapes are llama.cpp's, row length first. `verdict` and
`longest_context` are of this machine's RAM (core/models/local/room.py); null for a file that is no model.
"""

from __future__ import annotations

import argparse

from core import settings
from core.cli import terminal
from core.cli.local import OWNER, opened, opened_workbench
from core.errors import HubNotFound
from core.gguf import anatomy, reader
from core.gguf.header import GGUF, LongArray, Value
from core.gguf.memory import MemoryEstimate
from core.models.local import model_settings, room
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import Shelf

HUB = "hf://"
"""Before OWNER/NAME/FILE on the Hugging Face Hub."""

LONGEST_VALUE = 100
"""Characters of a metadata value in the table; JSON has the whole of it."""


def run(args: argparse.Namespace) -> int:
    """Reads and checks the file; loads nothing."""
    if args.path.startswith(HUB):
        file = _on_the_hub(args.path.removeprefix(HUB))
    else:
        with opened() as (catalog, _):
            file = reader.read(catalog.path(catalog.get(args.path)))
    context, estimate = _memory(file)
    if args.json:
        terminal.write_json(_described(file, context, estimate))
    else:
        _write(file, context, estimate)
    return 0


def _on_the_hub(name: str) -> GGUF:
    """OWNER/NAME/FILE, or OWNER/NAME/QUANTIZATION."""
    with opened_workbench() as workbench:
        permit = workbench.accounts.permit(OWNER)
        owner, _, rest = name.partition("/")
        repository, _, file = rest.partition("/")
        found = workbench.hub.repository(f"{owner}/{repository}", permit)
        variant = found.variant(file)
        if variant is None or not variant.complete:
            raise HubNotFound(name=name)
        return workbench.hub.whole_header(found, variant, permit)


def _memory(file: GGUF) -> tuple[int, MemoryEstimate]:
    defaults = ModelSettings()
    context = model_settings.context_length(defaults, trained=file.context_length)
    return context, model_settings.memory_needed(file, defaults)


def _described(file: GGUF, context: int, estimate: MemoryEstimate) -> dict[str, object]:
    return {
        "path": str(file.path),
        "version": file.version,
        "size_bytes": file.total_size,
        "architecture": file.architecture,
        "quantization": file.quantization,
        "parameters": file.parameters,
        "metadata": {key: {"type": file.types[key]} | _value(value) for key, value in file.metadata.items()},
        "tensors": [
            {"name": t.name, "type": t.type.name, "shape": t.shape, "bytes": t.n_bytes, "part": number}
            for number, part in enumerate((file, *file.parts), 1)
            for t in part.tensors
        ],
        "bits_per_weight": file.bits_per_weight,
        "types": anatomy.shares(file),
        "memory": {
            "context_length": context,
            "weights": estimate.weights,
            "kv_cache": estimate.kv_cache,
            "compute": estimate.compute,
            "total": estimate.total,
            "verdict": _verdict(file, estimate),
            "longest_context": room.longest_context(file, ModelSettings(), _ram()) or None,
        },
    }


def _ram() -> room.Memory:
    """With what local models may take of it."""
    return room.machine(limit=Shelf(budget_bytes=settings.from_environment().memory_bytes).budget_bytes).ram


def _verdict(file: GGUF, estimate: MemoryEstimate) -> str | None:
    if not file.architecture or not file.block_count:
        return None
    return room.verdict(estimate.total, _ram())


def _value(value: Value) -> dict[str, object]:
    return {"count": value.count} if isinstance(value, LongArray) else {"value": value}


def _write(file: GGUF, context: int, estimate: MemoryEstimate) -> None:
    from core.figures import count, percent, size

    terminal.write(
        f"{file.path}\n"
        f"GGUF {file.version}, {file.architecture or 'no architecture named'}, {file.quantization or '?'}, "
        f"{size(file.total_size, 'en')}, {count(file.parameters, 'en')} parameters, "
        f"{file.bits_per_weight:.2f} bits a weight\n\n"
    )
    terminal.write_table(
        ("TYPE", "BITS A WEIGHT", "TENSORS", "SIZE", "SHARE"),
        [
            (s.type, f"{s.bits_per_weight:g}", count(s.tensors, "en"), size(s.n_bytes, "en"), percent(s.share, "en"))
            for s in anatomy.shares(file)
        ],
    )
    terminal.write("\n")
    terminal.write_table(
        ("KEY", "TYPE", "VALUE"), [(key, file.types[key], _short(value)) for key, value in file.metadata.items()]
    )
    terminal.write("\n")
    terminal.write_table(
        ("TENSOR", "TYPE", "SHAPE", "SIZE"),
        [(t.name, t.type.name, " × ".join(map(str, t.shape)), size(t.n_bytes, "en")) for t in file.all_tensors],
    )
    parts = [("weights", estimate.weights), ("KV cache", estimate.kv_cache), ("compute", estimate.compute)]
    terminal.write(f"\nmemory with a context of {count(context, 'en')} tokens: {size(estimate.total, 'en')} (")
    terminal.write(", ".join(f"{name} {size(amount, 'en')}" for name, amount in parts) + ")\n")
    if (verdict := _verdict(file, estimate)) is not None:
        ram = _ram()
        longest = room.longest_context(file, ModelSettings(), ram)
        terminal.write(f"{verdict}: {size(ram.free, 'en')} of {size(ram.total, 'en')} are free; ")
        terminal.write(f"the longest context that fits has {count(longest, 'en')} tokens\n")


def _short(value: Value) -> str:
    if isinstance(value, LongArray):
        return f"{value.count} values"
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
