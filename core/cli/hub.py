"""`python -m core hub search|files|download`: GGUF models on the Hugging Face Hub.

JSON of search: [{"id", "author", "downloads", "likes", "updated", "parameters", "architecture", "context_length",
"licence", "languages", "gated", "base"} …]. Of files: {"repository", "commit", "licence", "gated", "base", "pace":
{"bytes_per_s", "measured", "at", "model"} or null, "variants": [{"label", "kind", "files": [{"name", "size", "sha256"}
…], "size", "complete", "advice": {"verdict", "needed", "longest_context", "exact", "bits_per_weight", "tokens_per_s",
"recommended", "reason"} or null} …]}. Of download: {"path", "repository", "commit", "label", "size", "files"}. Bytes.

A download that was stopped with Ctrl-C, or broke, goes on where it was when it is asked for again. The token is the
Hub's own: HF_TOKEN, or what `hf auth login` kept. Raises a `HubError`, or `LocalOnly`.
"""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from core.cli import terminal
from core.cli.local import OWNER, opened_workbench
from core.errors import HubNotFound
from core.hub.advice import Advice
from core.hub.downloads import Download
from core.hub.judge import Judged
from core.hub.values import Found, Repository, Search, Variant
from core.workbench import Workbench

LOOK_S = 0.2


def run(args: argparse.Namespace) -> int:
    """One of the three."""
    with opened_workbench() as workbench:
        if args.action == "search":
            _search(workbench, args)
        elif args.action == "files":
            _files(workbench, args)
        else:
            _download(workbench, args)
    return 0


def _search(workbench: Workbench, args: argparse.Namespace) -> None:
    wanted = Search(
        text=args.query,
        author=args.author or "",
        language=args.language or "",
        licence=args.licence or "",
        least=_billion(args.at_least),
        most=_billion(args.at_most),
        sort=args.sort,
        limit=args.limit,
    )
    found = workbench.hub.search(wanted, workbench.accounts.permit(OWNER))
    if args.json:
        terminal.write_json(found)
    else:
        terminal.write_table(("REPOSITORY", "PARAMETERS", "DOWNLOADS", "LICENCE", ""), [_row(one) for one in found])


def _billion(number: float | None) -> int | None:
    return None if number is None else int(number * 1e9)


def _row(one: Found) -> tuple[str, ...]:
    from core.figures import count
    from core.words import number

    parameters = f"{number(one.parameters / 1e9, 'en', digits=3)} B" if one.parameters else "?"
    return one.id, parameters, count(one.downloads, "en"), one.licence or "?", "gated" if one.gated else ""


def _files(workbench: Workbench, args: argparse.Namespace) -> None:
    permit = workbench.accounts.permit(OWNER)
    opened = workbench.hub.repository(args.repository, permit)
    judged = workbench.judge.judged(OWNER, opened, permit)
    if args.json:
        terminal.write_json(_described(opened, judged))
    else:
        _write(opened, judged)


def _described(opened: Repository, judged: Judged) -> dict[str, Any]:
    advices = {one.variant.name: one for one in judged.advices}
    return {
        "repository": opened.id,
        "commit": opened.commit,
        "licence": opened.found.licence,
        "gated": opened.found.gated,
        "base": opened.found.base,
        "pace": judged.pace,
        "variants": [_variant(one, advices.get(one.name)) for one in opened.variants],
    }


def _variant(one: Variant, advice: Advice | None) -> dict[str, Any]:
    told = None
    if advice is not None:
        told = msgspec.structs.asdict(advice)
        del told["variant"]
    return {**msgspec.structs.asdict(one), "size": one.size, "advice": told}


def _write(opened: Repository, judged: Judged) -> None:
    from core.figures import rate, size
    from core.words import number

    advices = {one.variant.name: one for one in judged.advices}
    rows, mark = [], "≈ " if judged.pace is not None and judged.pace.measured else "≤ "
    for one in opened.variants:
        advice = advices.get(one.name)
        bits = number(advice.bits_per_weight, "en", digits=3) if advice and advice.bits_per_weight else "?"
        told = (
            (advice.verdict, mark + rate(advice.tokens_per_s, "en"), "recommended" * advice.recommended)
            if advice
            else ("parts are missing" if not one.complete else one.kind, "", "")
        )
        rows.append((one.label, size(one.size, "en"), bits, *told, one.name))
    terminal.write_table(("QUANTIZATION", "SIZE", "BITS", "HERE", "SPEED", "", "FILE"), rows)
    for advice in judged.advices:
        if advice.recommended:
            terminal.say(f"{advice.variant.label}: {advice.reason}")
    if judged.pace is not None:
        bound = "as" if judged.pace.measured else "at most, as"
        source = f"by what {judged.pace.model} wrote here" if judged.pace.measured else "by the memory bandwidth"
        terminal.say(f"speed: {bound} {size(judged.pace.bytes_per_s, 'en')} of weights are read a second, {source}")
    if judged.header_error is not None:
        terminal.say(f"memory: estimated by the size alone ({judged.header_error})")


def _download(workbench: Workbench, args: argparse.Namespace) -> None:
    permit = workbench.accounts.permit(OWNER)
    opened = workbench.hub.repository(args.repository, permit)
    variant = opened.variant(args.file)
    if variant is None:
        raise HubNotFound(name=f"{opened.id}/{args.file}")
    begun = workbench.downloads.start(OWNER, opened, variant, permit)
    job, progress = workbench.downloads.job(OWNER, begun.id), terminal.Progress()
    while not job.wait(LOOK_S):
        progress.show(_far(next(one for one in workbench.downloads.list(OWNER) if one.id == begun.id)))
    progress.clear()
    if job.error is not None:
        raise job.error
    if args.json:
        told = {"path": str(job.result), "repository": opened.id, "commit": opened.commit, "label": variant.label}
        terminal.write_json({**told, "size": variant.size, "files": variant.files})
    else:
        terminal.write(f"{job.result}\n")


def _far(one: Download) -> str:
    from core.figures import percent, seconds, size

    parts = [one.note, percent(one.done / one.size, "en"), f"{size(one.done, 'en')} of {size(one.size, 'en')}"]
    if one.rate:
        parts += [f"{size(one.rate, 'en')}/s", f"{seconds(one.seconds_left, 'en')} left"]
    return " · ".join(part for part in parts if part)
