"""A batch as tables: a row an answer, a pivot of one figure, a line a model; written as CSV, JSONL and Parquet.

A figure that is not known is empty, never 0; what is measured and what is estimated have columns of their own. Cells
are text to every spreadsheet (core/arena/spreadsheet.py). Figures are those of core/metrics.py. Knows no page.
"""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from core import energy
from core.arena import spreadsheet
from core.arena.batch import Batch, Cell, Entrant, Status
from core.arena.judge import Pair, Verdict
from core.arena.prompts import Prompt
from core.errors import N_, WorkbenchError


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One answer with all that is known of it. Numbers of prompts and repeats count from 1.

    Seconds, tokens, tokens a second, watt-hours. `asked_at`: ISO 8601, UTC. `tokens_estimated`: nobody counted them.
    `cost_reported`: the provider said what it cost; else it is by the list price. `failed_checks`: their kinds.
    `answered_by`: the id of the model that a route chose; None where it was asked itself.
    """

    model: str
    model_id: str
    answered_by: str | None
    provider: str
    local: bool
    quantization: str | None
    temperature: float
    prompt_number: int
    prompt: str
    system: str
    category: str | None
    language: str | None
    repeat: int
    status: Status
    asked_at: str | None
    answer: str
    reasoning: str
    words: int | None
    finish_reason: str | None
    prompt_tokens: int | None
    generated_tokens: int | None
    tokens_estimated: bool | None
    ttft_s: float | None
    tokens_per_s: float | None
    seconds: float | None
    load_s: float | None
    cost: float | None
    currency: str | None
    cost_reported: bool | None
    energy_low_wh: float | None
    energy_high_wh: float | None
    energy_measured: bool | None
    checks: int
    checks_passed: int | None
    passed: bool | None
    failed_checks: str
    error: str | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One model over its answers. Means where nothing else is said; `passed`: share of the answers that have checks.

    `cost`: all of them together; None where one is not known, or they are not in one currency. `wins`, `ties`,
    `losses`: by the judge; None without one.
    """

    model: str
    model_id: str
    done: int
    failed: int
    waiting: int
    words: float | None
    ttft_s: float | None
    tokens_per_s: float | None
    seconds: float | None
    passed: float | None
    cost: float | None
    currency: str | None
    wins: int | None
    ties: int | None
    losses: int | None


Figure = Literal["tokens_per_s", "ttft_s", "seconds", "passed", "cost", "words"]
By = Literal["prompt", "category", "language"]

FIGURES: dict[Figure, str] = {
    "tokens_per_s": N_("Tokens a second"),
    "ttft_s": N_("Seconds to the first token"),
    "seconds": N_("Seconds from asking to the last token"),
    "passed": N_("Share that passed its checks"),
    "cost": N_("Cost"),
    "words": N_("Words"),
}
"""What a pivot can show, and its name."""

GROUPS: dict[By, Callable[[Row], str]] = {
    "prompt": lambda row: f"{row.prompt_number}. {' '.join(row.prompt.split())[:60]}",
    "category": lambda row: row.category or "–",
    "language": lambda row: row.language or "–",
}
"""What its lines can be."""


class Pivot(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of a figure: a line a group, a column a model. None: not known of any of these answers.

    `currency`: of a cost; amounts in another one are left out.
    """

    models: tuple[str, ...]
    groups: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    currency: str | None = None


def rows(batch: Batch, cells: Iterable[Cell]) -> list[Row]:
    """A row for each cell, in their order."""
    spec = batch.spec
    return [_row(spec.models[cell.place.model], spec.prompts[cell.place.prompt], cell) for cell in cells]


def pivot(rows: Sequence[Row], figure: Figure, *, by: By) -> Pivot:
    """The mean of one figure by model and group, over the answers that are there."""
    models, groups = dict.fromkeys(row.model for row in rows), dict.fromkeys(map(GROUPS[by], rows))
    currency = _currency(rows) if figure == "cost" else None
    known: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        value = getattr(row, figure)
        if row.status == "done" and value is not None and (figure != "cost" or row.currency == currency):
            known.setdefault((GROUPS[by](row), row.model), []).append(float(value))
    values = tuple(tuple(_mean(known.get((group, model), ())) for model in models) for group in groups)
    return Pivot(models=tuple(models), groups=tuple(groups), values=values, currency=currency)


def summaries(batch: Batch, rows: Sequence[Row], verdicts: Mapping[Pair, Verdict] | None = None) -> list[Summary]:
    """A line for each model of the batch."""
    return [_summary(batch, number, rows, verdicts or {}) for number in range(len(batch.spec.models))]


def _row(entrant: Entrant, prompt: Prompt, cell: Cell) -> Row:
    info, finished = entrant.info, cell.finished
    usage, timings = (finished.usage, finished.timings) if finished else (None, None)
    cost, took = (finished.cost, energy.of(info, finished)) if finished else (None, None)
    failed = [one.check.kind for one in cell.checks or () if not one.passed]
    return Row(
        model=entrant.label,
        model_id=info.id,
        answered_by=cell.routed.model_id if cell.routed else None,
        provider=info.provider,
        local=info.local,
        quantization=info.quantization,
        temperature=entrant.asking.sampling.temperature,
        prompt_number=cell.place.prompt + 1,
        prompt=prompt.text,
        system=prompt.system or entrant.asking.system_prompt,
        category=prompt.category,
        language=prompt.language,
        repeat=cell.place.repeat + 1,
        status=cell.status,
        asked_at=datetime.fromtimestamp(cell.at, UTC).isoformat(timespec="seconds") if cell.at else None,
        answer=cell.answer,
        reasoning=cell.reasoning,
        words=len(cell.answer.split()) if cell.status == "done" else None,
        finish_reason=finished.reason if finished else None,
        prompt_tokens=usage.prompt_tokens if usage else None,
        generated_tokens=usage.generated_tokens if usage else None,
        tokens_estimated=usage.estimated if usage else None,
        ttft_s=timings.ttft_s if timings else None,
        tokens_per_s=timings.decode_rate if timings else None,
        seconds=timings.end_to_end_s if timings else None,
        load_s=timings.load_s if timings else None,
        cost=cost.amount if cost else None,
        currency=cost.currency if cost else None,
        cost_reported=cost.reported if cost else None,
        energy_low_wh=took.low if took else None,
        energy_high_wh=took.high if took else None,
        energy_measured=took.measured if took else None,
        checks=len(prompt.checks),
        checks_passed=len(cell.checks) - len(failed) if cell.checks is not None else None,
        passed=cell.passed,
        failed_checks=", ".join(failed),
        error=str(WorkbenchError.from_dict(cell.error)) if cell.error else None,
    )


def _summary(batch: Batch, number: int, rows: Sequence[Row], verdicts: Mapping[Pair, Verdict]) -> Summary:
    entrant = batch.spec.models[number]
    own = [row for row in rows if row.model == entrant.label]
    done = [row for row in own if row.status == "done"]
    currency = _currency(done)
    costs = [row.cost for row in done if row.currency == currency and row.cost is not None]
    results = [_result(pair, verdict, number) for pair, verdict in verdicts.items() if verdict.complete]
    judged = batch.spec.judge is not None
    return Summary(
        model=entrant.label,
        model_id=entrant.info.id,
        done=len(done),
        failed=sum(row.status == "failed" for row in own),
        waiting=sum(row.status in ("waiting", "running") for row in own),
        words=_mean(row.words for row in done),
        ttft_s=_mean(row.ttft_s for row in done),
        tokens_per_s=_mean(row.tokens_per_s for row in done),
        seconds=_mean(row.seconds for row in done),
        passed=_mean(row.passed for row in done),
        cost=sum(costs) if costs and len(costs) == len(done) else None,
        currency=currency,
        wins=results.count("won") if judged else None,
        ties=results.count("tied") if judged else None,
        losses=results.count("lost") if judged else None,
    )


def _result(pair: Pair, verdict: Verdict, model: int) -> str:
    if model not in (pair.a, pair.b):
        return ""
    if verdict.winner == "tie":
        return "tied"
    return "won" if (verdict.winner == "a") == (model == pair.a) else "lost"


def _currency(rows: Iterable[Row]) -> str | None:
    """The one that most of them are in."""
    known = [row.currency for row in rows if row.currency]
    return statistics.mode(known) if known else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def csv(rows: Sequence[Row]) -> bytes:
    """UTF-8 with a mark, as spreadsheets want it; no cell is a formula."""
    lines = ([_cell(getattr(row, name)) for name in Row.__struct_fields__] for row in rows)
    return spreadsheet.table(Row.__struct_fields__, lines)


def jsonl(rows: Sequence[Row]) -> bytes:
    """An object a line, every value as it is."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def parquet(rows: Sequence[Row]) -> bytes:
    """One table, typed as `Row` is; a column in which nothing is known keeps its type."""
    import pyarrow as pa
    from pyarrow import parquet as files

    kinds = {"str": pa.string(), "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
    fields = [(name, kinds.get(kind.split(" ")[0], pa.string())) for name, kind in Row.__annotations__.items()]
    columns = {name: [getattr(row, name) for row in rows] for name, _ in fields}
    out = io.BytesIO()
    files.write_table(pa.table(columns, schema=pa.schema(fields)), out)
    return out.getvalue()


EXPORTS: dict[str, tuple[str, Callable[[Sequence[Row]], bytes]]] = {
    "csv": ("text/csv", csv),
    "jsonl": ("application/x-ndjson", jsonl),
    "parquet": ("application/vnd.apache.parquet", parquet),
}
"""By the ending of the file: its media type, and what writes it."""


def _cell(value: Any) -> str:
    """Points and no grouping whatever the language: other programs read it."""
    if value is None:
        return ""
    return repr(value).lower() if isinstance(value, bool) else str(value)
