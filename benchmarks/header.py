"""Reading and checking the header of a GGUF file, beside `gguf.GGUFReader` on the same file in the same sitting.

Of a file of 100 MB (the embedded model), of one of 40 GB, and of one with a vocabulary of 150,000 tokens; the last two
are made for it, sparse, so that they take no room. Each reading is in a process of its own, in turns; imports are not
counted, on either side. Memory is the growth of the process' peak (elsewhere than on Linux: of what it has in the end).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figure import ROOT, Figure, Plan

GIGA = 10**9
LARGE, TOKENS = 40 * GIGA, 150_000
LAYERS, WIDTH = 80, 8192

_READ = """
import json, sys, time
from pathlib import Path
if sys.argv[1] == "ours":
    from core.gguf.reader import read
else:
    from gguf import GGUFReader as read
import psutil
before = psutil.Process().memory_info().rss
began = time.perf_counter()
kept = read(Path(sys.argv[2]))
took = time.perf_counter() - began
status = Path("/proc/self/status")  # the peak of getrusage has that of the process before it in it
lines = status.read_text().splitlines() if status.exists() else []
highest = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]
peak = highest[0] if highest else psutil.Process().memory_info().rss
print(json.dumps({"seconds": took, "megabytes": max(peak - before, 0) / 1e6}))
"""


def measure(plan: Plan) -> list[Figure]:
    """Seconds, megabytes, and the ratio, of each file."""
    with tempfile.TemporaryDirectory() as folder:
        large = made(Path(folder, "large.gguf"), n_bytes=LARGE, tokens=1000)
        wordy = made(Path(folder, "wordy.gguf"), n_bytes=10**8, tokens=TOKENS)
        files = (
            ("embedded", "of 100 MB", plan.model),
            ("large", "of 40 GB", large),
            ("wordy", "with 150,000 tokens", wordy),
        )
        return [figure for name, what, path in files for figure in _figures(name, what, path, plan.repeat)]


def _figures(name: str, what: str, path: Path, repeat: int) -> Iterator[Figure]:
    runs = [(_read("ours", path), _read("theirs", path)) for _ in range(repeat)]
    ours, theirs = ([run[side] for run in runs] for side in (0, 1))
    seconds = [run["seconds"] for run in ours]
    yield Figure.of_runs(f"header.{name}", f"the header of a GGUF file {what}", seconds, "s", ("≤", 0.3))
    yield Figure.of_runs(
        f"header.{name}_memory", f"memory for it, {what}", [run["megabytes"] for run in ours], "MB", ("≤", 150)
    )
    yield Figure(
        name=f"header.{name}_ratio",
        what=f"how many times as fast as gguf.GGUFReader, {what}",
        value=median(run["seconds"] for run in theirs) / median(seconds),
        unit="×",
        target=("≥", 3.0),
        details={"GGUFReader": theirs},
    )


def _read(side: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-c", _READ, side, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said: dict[str, float] = json.loads(done.stdout)
    return said


def made(path: Path, *, n_bytes: int, tokens: int) -> Path:
    """A sparse llama model of about so many bytes, with so many tokens and merges, in a file that takes no room."""
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFWriter, TokenType

    writer = GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(131_072)
    writer.add_embedding_length(WIDTH)
    writer.add_head_count(64)
    writer.add_head_count_kv(8)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token{number}" for number in range(tokens)])
    writer.add_token_types([TokenType.NORMAL] * tokens)
    writer.add_token_merges([f"to ken{number}" for number in range(tokens)])
    names = [f"blk.{layer}.{kind}.weight" for layer in range(LAYERS) for kind in ("attn_q", "ffn_up", "ffn_down")]
    rows = max(n_bytes // len(names) // (WIDTH // 256 * 144), 1)
    size = rows * (WIDTH // 256 * 144)
    for name in names:
        writer.add_tensor_info(name, (rows, WIDTH // 256 * 144), np.dtype(np.uint8), size, GGMLQuantizationType.Q4_K)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        begin = -(-file.seek(0, 2) // 32) * 32
        file.truncate(begin + len(names) * size)
    return path
