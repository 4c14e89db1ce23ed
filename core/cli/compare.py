"""`python -m core compare`: several models asked the same prompts, and what came of it: a line a model, or JSON.

JSON: {"batch", "models": [Summary …], "cells": [Row …], "judge": null or {"model", "verdicts": [{"prompt", "repeat",
"a", "b", "winner", "agreed"}]}}; Summary and Row are those of core/arena/batch_table.py, prompts and repeats count from
1, winner is a, b or tie. The batch is kept: Ctrl-C leaves what had come, and the Compare page can go on with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.arena import batch_table, prompt_files, prompts
from core.arena.batch import Progress
from core.arena.batch_table import Row, Summary
from core.arena.judge import Verdict
from core.arena.prompt_files import Found
from core.chat import Asking
from core.cli import terminal
from core.cli.local import OWNER, opened_workbench
from core.errors import PromptsUnreadable
from core.messages import Sampling

if TYPE_CHECKING:
    from core.workbench import Workbench

LOOK_EVERY_S = 0.25


def run(args: argparse.Namespace) -> int:
    """Asks all of them. Exit code 1 when an answer failed, or Ctrl-C came; what had come is written all the same."""
    found = _prompts(args.prompts)
    if found.left_out:
        terminal.say(f"{found.left_out} prompts are left out: at most {prompt_files.MOST} are taken")
    with opened_workbench() as workbench:
        askings = [_asking(args, model) for model in args.models]
        spec = workbench.batches.spec(OWNER, askings, found.prompts, repeats=args.repeat, seed=args.seed)
        judge = _asking(args, args.judge) if args.judge is not None else None
        if judge is not None:
            workbench.info(OWNER, judge.model_id)
        id = workbench.batches.create(OWNER, spec, name=Path(args.prompts).name).id
        whole = _followed(workbench, id, judge)
        return _written(workbench, id, as_json=args.json, whole=whole)


def _prompts(place: str) -> Found:
    """From a file, standard input, or a set that comes with the workbench."""
    if place in prompts.ids():
        return Found(prompts=prompts.built_in(place).prompts)
    if place == "-":
        return prompt_files.read(sys.stdin.buffer.read())
    try:
        data = Path(place).read_bytes()
    except OSError as exc:
        sets = ", ".join(prompts.ids())
        raise PromptsUnreadable(detail=f"{place}: {exc.strerror or exc}; sets that can be named: {sets}") from exc
    return prompt_files.read(data, place)


def _asking(args: argparse.Namespace, model: str) -> Asking:
    sampling = Sampling(temperature=args.temperature)
    return Asking(model_id=model, sampling=sampling, max_tokens=args.max_tokens, system_prompt=args.system or "")


def _followed(workbench: Workbench, id: str, judge: Asking | None) -> bool:
    """Until it has ended; False when Ctrl-C ended it."""
    progress, batches = terminal.Progress(), workbench.batches
    try:
        batches.judge(OWNER, id, judge) if judge is not None else batches.start(OWNER, id)
        while not batches.wait(id, LOOK_EVERY_S):
            progress.show(_doing(batches.progress(OWNER, id)))
    except KeyboardInterrupt:
        batches.cancel(OWNER, id)
        return False
    finally:
        progress.clear()
    return True


def _doing(told: Progress) -> str:
    from core.figures import seconds

    text = f"{told.done + told.failed} of {told.total} answers"
    text += f", {told.failed} failed" if told.failed else ""
    text += f", {told.judged} of {told.to_judge} pairs judged" if told.to_judge else ""
    return text + (f", {seconds(told.seconds_left, 'en', estimated=True)} left" if told.seconds_left else "")


def _written(workbench: Workbench, id: str, *, as_json: bool, whole: bool) -> int:
    found = workbench.batches.get(OWNER, id)
    verdicts = workbench.batches.verdicts(OWNER, id)
    rows = batch_table.rows(found, workbench.batches.cells(OWNER, id))
    summaries = batch_table.summaries(found, rows, verdicts)
    if as_json:
        judged = [_verdict(found.spec.models, pair, verdict) for pair, verdict in sorted(verdicts.items())]
        judge = {"model": found.spec.judge.info.id, "verdicts": judged} if found.spec.judge is not None else None
        terminal.write_json({"batch": id, "models": summaries, "cells": rows, "judge": judge})
    else:
        _write_table(summaries)
        _say_failures(rows)
    return 0 if whole and all(row.status == "done" for row in rows) else 1


def _verdict(models: Sequence[Any], pair: Any, verdict: Verdict) -> dict[str, object]:
    return {
        "prompt": pair.prompt + 1,
        "repeat": pair.repeat + 1,
        "a": models[pair.a].label,
        "b": models[pair.b].label,
        "winner": verdict.winner,
        "agreed": verdict.agreed,
    }


def _write_table(summaries: Sequence[Summary]) -> None:
    from core.figures import count, money, percent, rate, seconds

    judged = any(one.wins is not None for one in summaries)
    head = ["MODEL", "ANSWERS", "FAILED", "WRITING", "FIRST TOKEN", "PASSED", "COST", *(["WON/TIED/LOST"] * judged)]
    lines = [
        [
            one.model,
            count(one.done, "en"),
            count(one.failed, "en"),
            rate(one.tokens_per_s, "en"),
            seconds(one.ttft_s, "en"),
            percent(one.passed, "en") if one.passed is not None else "-",
            money(one.cost, one.currency or "USD", "en") if one.cost is not None else "-",
            *([f"{one.wins}/{one.ties}/{one.losses}"] * judged),
        ]
        for one in summaries
    ]
    terminal.write_table(head, lines)


def _say_failures(rows: Sequence[Row]) -> None:
    for error in dict.fromkeys(row.error for row in rows if row.status == "failed" and row.error):
        terminal.say(f"error: {error}")
    if waiting := sum(row.status == "waiting" for row in rows):
        terminal.say(f"{waiting} answers were not asked for; the Compare page can go on with this batch")
