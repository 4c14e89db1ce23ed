"""Runs the benchmarks: `python -m benchmarks [NAME …]`. A JSON line for each figure on standard output, a table on
standard error. Exit codes: 0 done; 1 something cannot be measured here; 2 the command was not understood.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
from collections.abc import Sequence

from benchmarks import document
from benchmarks.figure import Figure, Plan, Unmeasurable
from core.errors import WorkbenchError
from core.models.local import files
from core.models.local.model_settings import physical_cores

BUSY = 10.0
"""Percent of all cores together."""

NAMES = (
    "engine",
    "attention",
    "parallel",
    "api",
    "lesson",
    "second_turn",
    "startup",
    "memory",
    "page",
    "remote_page",
    "compare",
    "opening",
    "library",
    "classroom",
    "ranking",
    "quality",
    "header",
    "quantizing",
    "embedding",
    "retrieval",
    "languages",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is named, all of it when nothing is; goes on when one of them cannot be measured."""
    args = _parser().parse_args(arguments)
    plan = _plan(args)
    # Ended from outside, it still ends the servers and browsers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    figures: list[Figure] = []
    failed = False
    for name in args.names or NAMES:
        print(f"{name} …{_disturbance()}", file=sys.stderr, flush=True)
        try:
            found = importlib.import_module(f"benchmarks.{name}").measure(plan)
        except (Unmeasurable, WorkbenchError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
            continue
        for figure in found:
            print(json.dumps(figure.to_dict(), ensure_ascii=False), flush=True)
        figures += found
    print("\n".join([document.HEAD, *(document.row(figure, "now") for figure in figures)]), file=sys.stderr)
    if args.write:
        document.write(figures)
    return 1 if failed else 0


def _disturbance() -> str:
    """A warning when other programs use the processor: a ratio then says more about them than about us."""
    import psutil

    busy = psutil.cpu_percent(interval=1.0)
    return f" (other programs use {busy:.0f} % of the processor: the figures will mean little)" if busy > BUSY else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what docs/BENCHMARKS.md quotes.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all when none is named")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs, of which the median counts")
    parser.add_argument("--answers", type=int, default=200, metavar="N", help="short answers that memory is asked for")
    parser.add_argument("--threads", type=int, metavar="N", help="on both sides; else the physical cores")
    parser.add_argument("--quick", action="store_true", help="a few tokens, once: whether it runs, not how fast")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/BENCHMARKS.md")
    return parser


def _plan(args: argparse.Namespace) -> Plan:
    if unknown := sorted(set(args.names) - set(NAMES)):
        _parser().error(f"no such benchmark: {', '.join(unknown)}")
    if args.write and args.quick:
        _parser().error("--write takes whole measurements only")
    model = files.embedded()
    if model is None:
        _parser().error("the embedded model is not installed: pip install -r requirements.txt")
    threads = args.threads or physical_cores()
    if args.quick:
        return Plan(
            model=model, threads=threads, repeat=1, generate=24, prompt=64, parallel=3, conversation=200, answers=3,
            library=200,
        )  # fmt: skip
    return Plan(model=model, threads=threads, repeat=args.repeat, answers=args.answers)


if __name__ == "__main__":
    sys.exit(main())
