from __future__ import annotations

from core.events import Finished, Timings, Usage
from core.store.database import Database
from core.store.runs import Runs


def test_runs_are_listed_newest_first_by_model_and_kind(db: Database) -> None:
    runs = Runs(db)
    first = runs.add("ana", kind="chat", model_id="a", figures={"n": 1})
    second = runs.add("ana", kind="bench", model_id="b", figures={"n": 2})
    third = runs.add("ana", kind="chat", model_id="b", figures={"n": 3})
    assert runs.list("ana") == [third, second, first]
    assert runs.list("ana", limit=2) == [third, second]
    assert runs.list("ana", model_id="b") == [third, second]
    assert runs.list("ana", kind="chat") == [third, first]
    assert runs.list("ana", model_id="b", kind="chat") == [third]
    assert runs.list("ana", model_id="c") == []


def test_the_figures_of_an_answer_are_plain_values(db: Database) -> None:
    finished = Finished("stop", Usage(prompt_tokens=5, generated_tokens=2), Timings(ttft_s=0.5, at=(0.5, 0.6)))
    run = Runs(db).add("ana", kind="chat", model_id="m", figures=finished)
    assert run.figures["reason"] == "stop"
    assert run.figures["usage"]["prompt_tokens"] == 5
    assert run.figures["timings"]["ttft_s"] == 0.5
    assert run.figures["timings"]["decode_rate"] is None
    assert Runs(db).list("ana") == [run]
