"""The tables of figures in docs/BENCHMARKS.md, between two marks; what stands around them is written by hand.

A table a machine, the one that measured last first: figures of two machines are never in one table. A row that was not
measured again stays as it was.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks import llamacpp
from benchmarks.figure import ROOT, Figure

PATH = ROOT / "docs" / "BENCHMARKS.md"
BEGIN, END = "<!-- figures: written by `python -m benchmarks --write` -->", "<!-- end of the figures -->"
MACHINE = "Machine: "
VECTORS = {"avx512f": " (AVX-512)", "avx2": " (AVX2)"}
"""What a processor's flags say of how many numbers it computes at once: one name stands for several of them."""

HEAD = "| what | here | target | reached | measured | by |\n| --- | --- | --- | --- | --- | --- |"


def row(figure: Figure, day: str) -> str:
    """One line of the table."""
    reached = {True: "yes", False: "**no**", None: "–"}[figure.reached]
    command = f"`python -m benchmarks {figure.name.split('.')[0]}`"
    return f"| {figure.what} | {figure.shown()} | {figure.wanted()} | {reached} | {day} | {command} |"


def write(
    figures: Sequence[Figure], *, path: Path = PATH, machine: str | None = None, today: date | None = None
) -> None:
    """Puts the figures into the document. Raises `ValueError` when it has no marks."""
    machine = machine or this_machine()
    day = (today or date.today()).isoformat()
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    tables = _tables(old)
    rows = tables.pop(machine, {}) | {figure.what: row(figure, day) for figure in figures}
    lines = [BEGIN, ""]
    for name, told in {machine: rows, **tables}.items():
        lines += [f"{MACHINE}{name}.", "", HEAD, *told.values(), ""]
    path.write_text(before + "\n".join([*lines, END]) + after, encoding="utf-8")


def this_machine() -> str:
    """Processor, cores, memory, system, and the versions that matter, in one line."""
    import psutil

    memory = psutil.virtual_memory().total / 1e9
    return (
        f"{_processor()}, {os.cpu_count()} logical cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, llama-cpp-python {llamacpp.version()}"
    )


def _tables(text: str) -> dict[str, dict[str, str]]:
    """The rows by what they measure, by the machine."""
    found: dict[str, dict[str, str]] = {}
    for part in text.split(MACHINE)[1:]:
        machine, *lines = part.splitlines()
        rows = [line for line in lines if line.startswith("| ") and line not in HEAD.splitlines()]
        found[machine.removesuffix(".")] = {line.split(" | ")[0].removeprefix("| "): line for line in rows}
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = said.get("model name") or platform.processor() or platform.machine()
    widest = next((word for flag, word in VECTORS.items() if flag in said.get("flags", "").split()), "")
    return name + widest
