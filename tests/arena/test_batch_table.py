"""A batch as tables and files: what is not known is empty, formulas are text, and other programs can read it."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pyarrow.parquet
import pytest

from core.arena import batch_table
from core.arena.batch import Batch, Cell, Entrant, Place, Spec, Status
from core.arena.batch_table import Figure, Row
from core.arena.checks import Check, Checked
from core.arena.judge import Pair, Said, Verdict
from core.arena.prompts import Prompt
from core.chat import Asking
from core.errors import ModelDied
from core.events import Cost, Energy, Finished, Timings, Usage
from core.models.base import ModelInfo

FORMULA = '=cmd|"/C calc"!A0'
FOUR = Check("equals", "4")


def entrant(name: str) -> Entrant:
    return Entrant(asking=Asking(), info=ModelInfo(id=name, name=name, provider="p", local=True), label=name)


PROMPTS = (Prompt(text="2 + 2?", category="maths", language="en", checks=(FOUR,)), Prompt(text=FORMULA, language="fr"))
BATCH = Batch(
    id="b",
    owner="ana",
    name="B",
    created_at=0.0,
    state="done",
    spec=Spec(models=(entrant("one"), entrant("two")), prompts=PROMPTS, judge=entrant("judge")),
)


def finished(rate: float | None = 10.0, cost: Cost | None = None, energy: Energy | None = None) -> Finished:
    timings = Timings(ttft_s=0.5, decode_rate=rate, end_to_end_s=2.0)
    return Finished("stop", Usage(prompt_tokens=3, generated_tokens=5), timings, cost, energy)


def cell(model: int, prompt: int, answer: str = "it is 4", status: Status = "done", **fields: object) -> Cell:
    checks = tuple(Checked(check, answer.endswith("4")) for check in PROMPTS[prompt].checks)
    done = {"finished": finished(), "checks": checks} if status == "done" else {}
    return Cell(place=Place(model, prompt, 0), status=status, at=1_700_000_000.0, answer=answer, **{**done, **fields})  # type: ignore[arg-type]


EURO, DOLLAR = Cost(amount=0.002, currency="EUR"), Cost(amount=0.5)
CELLS = [
    cell(0, 0, finished=finished(10.0, EURO)),
    cell(
        0, 1, "-1 and é\n=1+1", finished=finished(30.0, EURO, Energy(low=0.1, high=0.1, measured=True, method="meter"))
    ),
    cell(1, 0, "five", finished=finished(None)),
    cell(1, 1, "", "failed", error=ModelDied(model="two", detail="killed").to_dict()),
]
ROWS = batch_table.rows(BATCH, CELLS)


def test_a_row_has_all_that_is_known_and_nothing_else() -> None:
    first, second, third, fourth = ROWS
    assert (first.model, first.prompt_number, first.repeat, first.asked_at) == (
        "one",
        1,
        1,
        "2023-11-14T22:13:20+00:00",
    )
    assert (first.cost, first.currency, first.cost_reported) == (0.002, "EUR", False)
    assert (first.checks, first.checks_passed, first.passed) == (1, 1, True)
    assert (second.checks, second.checks_passed, second.passed) == (0, 0, None)
    assert (second.energy_low_wh, second.energy_measured) == (0.1, True)
    assert (third.cost, third.currency, third.tokens_per_s, third.energy_low_wh) == (None, None, None, None)
    assert (third.passed, third.failed_checks) == (False, "equals")
    assert (fourth.status, fourth.words, fourth.ttft_s, fourth.checks_passed) == ("failed", None, None, None)
    assert fourth.error == str(ModelDied(model="two", detail="killed"))


def test_csv_is_read_back_and_runs_in_no_spreadsheet() -> None:
    data = batch_table.csv(ROWS)
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [line["model"] for line in lines] == ["one", "one", "two", "two"]
    assert lines[1]["prompt"] == "'" + FORMULA
    assert lines[1]["answer"] == "'-1 and é\n=1+1"
    assert (lines[0]["cost"], lines[2]["cost"], lines[2]["tokens_per_s"]) == ("0.002", "", "")
    assert (lines[0]["passed"], lines[2]["passed"], lines[1]["passed"]) == ("true", "false", "")
    assert not [value for line in lines for value in line.values() if value[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_jsonl_has_every_value_as_it_is() -> None:
    lines = [json.loads(line) for line in batch_table.jsonl(ROWS).splitlines()]
    assert lines[1]["prompt"] == FORMULA
    assert lines[1]["answer"] == "-1 and é\n=1+1"
    assert (lines[0]["cost"], lines[2]["cost"], lines[2]["passed"]) == (0.002, None, False)


def test_parquet_is_typed_and_read_by_others() -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(batch_table.parquet(ROWS)))
    assert table.column_names == list(Row.__struct_fields__)
    kinds = {name: str(table.schema.field(name).type) for name in ("repeat", "cost", "passed", "answer", "error")}
    assert kinds == {"repeat": "int64", "cost": "double", "passed": "bool", "answer": "string", "error": "string"}
    frame = pd.read_parquet(io.BytesIO(batch_table.parquet(ROWS)))
    assert frame["cost"].isna().tolist() == [False, False, True, True]
    assert str(pyarrow.parquet.read_table(io.BytesIO(batch_table.parquet([]))).schema) == str(table.schema)


@pytest.mark.parametrize(
    ("figure", "values"),
    [
        ("tokens_per_s", ((10.0, None), (30.0, None))),
        ("ttft_s", ((0.5, 0.5), (0.5, None))),
        ("passed", ((1.0, 0.0), (None, None))),
        ("words", ((3.0, 1.0), (4.0, None))),
        ("cost", ((0.002, None), (0.002, None))),
    ],
)
def test_a_pivot_has_the_mean_of_what_is_known(figure: Figure, values: tuple[tuple[float | None, ...], ...]) -> None:
    found = batch_table.pivot(ROWS, figure, by="prompt")
    assert found.models == ("one", "two")
    assert found.groups[0] == "1. 2 + 2?"
    assert found.values == values
    assert found.currency == ("EUR" if figure == "cost" else None)


def test_a_pivot_by_category_and_language() -> None:
    assert batch_table.pivot(ROWS, "tokens_per_s", by="category").groups == ("maths", "–")
    assert batch_table.pivot(ROWS, "tokens_per_s", by="language").groups == ("en", "fr")
    assert batch_table.pivot([], "cost", by="prompt").values == ()


def test_amounts_of_two_currencies_are_not_added() -> None:
    mixed = [CELLS[0], cell(0, 1, finished=finished(cost=DOLLAR)), *CELLS[2:]]
    one, _ = batch_table.summaries(BATCH, batch_table.rows(BATCH, mixed))
    assert one.cost is None


def test_a_summary_for_each_model() -> None:
    verdicts = {
        Pair(0, 0, 0, 1): Verdict(first=Said(winner="a"), second=Said(winner="a")),
        Pair(1, 0, 0, 1): Verdict(first=Said(winner="a"), second=Said(winner="b")),
        Pair(1, 1, 0, 1): Verdict(first=Said(winner="a")),
    }
    one, two = batch_table.summaries(BATCH, ROWS, verdicts)
    assert (one.done, one.failed, one.tokens_per_s, one.passed) == (2, 0, 20.0, 1.0)
    assert (one.cost, one.currency) == (pytest.approx(0.004), "EUR")
    assert (two.done, two.failed, two.tokens_per_s, two.passed, two.cost) == (1, 1, None, 0.0, None)
    assert (one.wins, one.ties, one.losses) == (1, 1, 0)
    assert (two.wins, two.ties, two.losses) == (0, 1, 1)
