"""From `streamlit run app.py` to a page that can be used, and what is imported on the way.

Chromium is open already; the page can be used when a question can be typed. Every start is with a new data folder.
"""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.chat_page import ChatPage, chromium
from benchmarks.figure import ROOT, Figure, Plan
from benchmarks.server import workbench

HEAVY = ("torch", "chromadb", "sentence_transformers", "transformers", "llama_cpp")
IMPORT = f"""
import sys, time
began = time.perf_counter()
import core.workbench
took = time.perf_counter() - began
print(took, *[name for name in {HEAVY!r} if name in sys.modules])
"""


def measure(plan: Plan) -> list[Figure]:
    """The start of the server, the import of core, the heavy modules that the one or the other has loaded."""
    starts: list[float] = []
    mapped: set[str] = set()
    for _ in range(plan.repeat):
        with chromium() as page, workbench(plan) as server:
            ChatPage(page, server.address).open()
            starts.append(time.perf_counter() - server.began)
            mapped |= _mapped(server.pid)
    imports = [_import() for _ in range(plan.repeat)]
    heavy = sorted({name for _, names in imports for name in names} | mapped)
    return [
        Figure.of_runs("startup.page", "from `streamlit run` to a usable page", starts, "s", ("≤", 4.0)),
        Figure.of_runs(
            "startup.import",
            "`import core.workbench`, all of core that the server starts with",
            [took for took, _ in imports],
            "s",
            ("≤", 0.3),
        ),
        Figure(
            name="startup.heavy",
            what="heavy modules imported by core, or loaded by the server with its first page",
            value=len(heavy),
            unit="modules",
            target=("≤", 0),
            details={"loaded": heavy, "not loaded": [name for name in HEAVY if name not in heavy]},
        ),
    ]


def _import() -> tuple[float, list[str]]:
    done = subprocess.run([sys.executable, "-c", IMPORT], cwd=ROOT, capture_output=True, text=True, check=True)
    took, *names = done.stdout.split()
    return float(took), names


def _mapped(pid: int) -> set[str]:
    """The heavy modules of whose files a process has some in memory, as all that are compiled have."""
    import psutil

    try:
        paths = [region.path for region in psutil.Process(pid).memory_maps()]
    except (psutil.Error, AttributeError):  # systems that do not tell
        return set()
    return {name for name in HEAVY if any(f"/{name}/" in path for path in paths)}
