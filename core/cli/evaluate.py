"""`python -m core evaluate`: a model's perplexity over a text, and how far it is from a reference.

The procedure is llama-perplexity's; what each figure is stands in core/gguf/estimates.py. What was measured before is
told at once. JSON: {"perplexity", "perplexity_error", "chunks", "context", "kl_divergence": {"mean", "error", "median",
"p99", "p999", "max"}, "same_top", "delta_p_rms"}; the last three are null without a reference.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.cli import terminal
from core.cli.local import OWNER, opened_workbench
from core.errors import SettingInvalid
from core.gguf import quality, texts
from core.gguf.estimates import Quality
from core.gguf.quality import Plan
from core.workbench import Workbench

SHORTEST = 16
"""Tokens of a context: less is no context."""


def run(args: argparse.Namespace) -> int:
    """Measures, and writes lines or JSON."""
    if args.context < SHORTEST:
        raise SettingInvalid(setting="context", value=args.context, allowed=f"{SHORTEST} …")
    plan = Plan(text=_text(args.text), context=args.context, chunks=args.chunks)
    with opened_workbench() as workbench:
        measured = _measured(workbench, args.model, args.reference, plan)
    if args.json:
        terminal.write_json(described(measured, args.context))
    else:
        _write(measured)
    return 0


def described(figures: Quality, context: int) -> dict[str, Any]:
    """The figures as JSON has them."""
    kl = figures.kl
    return {
        "perplexity": figures.perplexity.value,
        "perplexity_error": figures.perplexity.error,
        "chunks": figures.chunks,
        "context": context,
        "kl_divergence": None
        if kl is None
        else {
            "mean": kl.mean.value,
            "error": kl.mean.error,
            "median": kl.median,
            "p99": kl.p99,
            "p999": kl.p999,
            "max": kl.max,
        },
        "same_top": figures.same_top.value if figures.same_top is not None else None,
        "delta_p_rms": figures.delta_p_rms.value if figures.delta_p_rms is not None else None,
    }


def _text(name: str) -> str:
    """A file's, or one of the texts that come with the workbench."""
    for passage in texts.PASSAGES:
        if name == passage and not Path(name).exists():
            return texts.passage(passage)
    return texts.read(Path(name))


def _measured(workbench: Workbench, model: str, reference: str | None, plan: Plan) -> Quality:
    bench = workbench.studies.bench
    progress = terminal.Progress()
    subjects = [
        quality.subject(bench.kept, workbench.catalog.path(info), info.name)
        for info in (workbench.catalog.get(one) for one in (model, reference) if one is not None)
    ]
    try:
        return quality.measure(
            bench.kept,
            OWNER,
            subjects[0],
            plan,
            folder=bench.folder,
            reference=subjects[1] if len(subjects) > 1 else None,
            notice=lambda done, total: progress.show(f"chunk {done} of {total}"),
        ).figures
    finally:
        progress.clear()


def _write(figures: Quality) -> None:
    from core.figures import count, percent
    from core.words import number

    rows = [
        (
            "perplexity",
            f"{number(figures.perplexity.value, 'en')} ± {number(figures.perplexity.error, 'en', digits=2)}",
        ),
        ("chunks", count(figures.chunks, "en")),
    ]
    if figures.kl is not None and figures.same_top is not None and figures.delta_p_rms is not None:
        kl = figures.kl
        rows += [
            ("KL divergence", f"{number(kl.mean.value, 'en')} ± {number(kl.mean.error, 'en', digits=2)}"),
            ("  median", number(kl.median, "en")),
            ("  99 %", number(kl.p99, "en")),
            ("  99.9 %", number(kl.p999, "en")),
            ("  maximum", number(kl.max, "en")),
            ("same top token", percent(figures.same_top.value, "en")),
            ("Δp, RMS", percent(figures.delta_p_rms.value, "en")),
        ]
    terminal.write_table(("FIGURE", "VALUE"), rows)
