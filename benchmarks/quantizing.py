"""Quantizing to a few types, beside llama-quantize on the same file in the same sitting.

The source is an f16 copy of the embedded model, made for it. Both write a file of their own in turns, with the same
threads, from the call to the process' end; ours counts its process' start, the plan, the checks and the flush to the
disk, which the tool leaves out. The files are compared: they are the same.
"""

from __future__ import annotations

import filecmp
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import llamacpp
from benchmarks.figure import Figure, Plan, Unmeasurable
from core.gguf import quantize

TYPES = ("Q8_0", "Q4_K_M", "Q2_K")


def measure(plan: Plan) -> list[Figure]:
    """For each type, our time to the tool's."""
    tool = llamacpp.tool("llama-quantize")
    with tempfile.TemporaryDirectory() as folder:
        source = quantize.quantize(plan.model, Path(folder, "source.gguf"), "F16", threads=plan.threads).path
        return [_figure(tool, source, type, plan) for type in TYPES]


def _figure(tool: Path, source: Path, type: str, plan: Plan) -> Figure:
    ours, theirs = source.with_name("ours.gguf"), source.with_name("theirs.gguf")
    took: dict[str, list[float]] = {"ours": [], "llama-quantize": []}
    for _ in range(plan.repeat + 1):  # the first of each warms up
        for path in (ours, theirs):
            path.unlink(missing_ok=True)
        began = time.perf_counter()
        quantize.quantize(source, ours, type, threads=plan.threads)
        took["ours"].append(time.perf_counter() - began)
        began = time.perf_counter()
        command = [str(tool), str(source), str(theirs), type, str(plan.threads)]
        done = subprocess.run(command, capture_output=True, text=True)
        took["llama-quantize"].append(time.perf_counter() - began)
        if done.returncode:
            raise Unmeasurable(f"llama-quantize ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        if not filecmp.cmp(ours, theirs, shallow=False):
            raise Unmeasurable(f"our {type} file is another one than llama-quantize's")
    runs = {side: seconds[1:] for side, seconds in took.items()}
    return Figure(
        name=f"quantizing.{type}",
        what=f"quantizing the embedded model's f16 copy to {type}, to llama-quantize",
        value=median(runs["ours"]) / median(runs["llama-quantize"]),
        unit="×",
        target=("≤", 1.1),
        details=runs,
    )
