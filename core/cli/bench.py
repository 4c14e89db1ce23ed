"""`python -m core bench`: how fast a model is on this machine, alone and for several requests at once.

JSON: {"model", "threads", "results": [{"parallel", "prompt_tokens", "generated_tokens", "prompt_rate", "decode_rate",
"aggregate_rate", "ttft_s"}]}; what each is stands in core/bench.py.
"""

from __future__ import annotations

import argparse

from core import bench
from core.bench import Report, Round
from core.cli import terminal
from core.cli.local import opened
from core.events import Loading


def run(args: argparse.Namespace) -> int:
    """Measures, and writes a table or JSON."""
    progress = terminal.Progress()
    with opened() as (catalog, shelf):
        info = catalog.get(args.model)
        path = catalog.path(info)
        try:
            report = bench.measure(
                lambda settings: shelf.model(info, path, settings),
                prompt_tokens=args.prompt_tokens,
                generate=args.generate,
                parallel=args.parallel,
                repeat=args.repeat,
                notice=lambda event: progress.show(_doing(event)),
            )
        finally:
            progress.clear()
    if args.json:
        terminal.write_json(report)
    else:
        _write(report)
    return 0


def _doing(event: Loading | Round) -> str:
    if isinstance(event, Loading):
        return f"loading the model: {event.fraction:.0%}"
    return f"{event.parallel} at once: " + (f"round {event.number} of {event.total}" if event.number else "warming up")


def _write(report: Report) -> None:
    from core.figures import count, rate, seconds

    rows = [
        (
            count(result.parallel, "en"),
            count(result.prompt_tokens, "en"),
            count(result.generated_tokens, "en"),
            rate(result.prompt_rate, "en"),
            rate(result.decode_rate, "en"),
            rate(result.aggregate_rate, "en"),
            seconds(result.ttft_s, "en"),
        )
        for result in report.results
    ]
    terminal.write(f"{report.model}, {report.threads} threads\n")
    terminal.write_table(("AT ONCE", "PROMPT", "GENERATED", "READING", "WRITING", "TOGETHER", "FIRST TOKEN"), rows)
