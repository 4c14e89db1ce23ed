"""Measuring how well passages are found, on the page: a file of questions, drafts, failures, ways compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.rag.files import Incoming
from core.workbench import Workbench
from pages.rag.measure import measured
from pages.ui.owner import PERSON
from tests.e2e.serving import PATIENCE_S
from tests.pages.sitting import Sitting
from tests.rag.corpora import ENGLISH, FRENCH
from tests.rag.test_answer import Scripted

FILE = b"""question,document
Where do bees find flowers?,doc1.txt
What becomes of lava that cools quickly?,doc3.txt
Who kneads the dough?,doc11.txt
Quantum chromodynamics of xylophones,atlantis.txt
"""


@pytest.fixture(scope="module")
def collection(shared_workbench: Workbench) -> str:
    collections = shared_workbench.collections
    made = collections.create(PERSON, "Encyclopaedia", size=64, overlap=0)
    files = [Incoming(f"doc{n}.txt", text.encode()) for n, text in enumerate(ENGLISH + FRENCH)]
    job = collections.add(PERSON, made.id, files)
    assert job.wait(PATIENCE_S) and job.state == "done"
    collections.index.sync(PERSON, collections.get(PERSON, made.id))
    return made.id


@pytest.fixture
def page(workbench: Workbench, collection: str) -> Iterator[Sitting]:
    sitting = Sitting(workbench)
    sitting.at.switch_page("../rag/page.py")
    sitting.at.query_params["view"] = "measure"
    yield sitting.run()


def give(page: Sitting, data: bytes = FILE, name: str = "questions.csv") -> Sitting:
    page.at.file_uploader[0].set_value([(name, data, "text/csv")])
    return page.run()


def done(page: Sitting, kind: str) -> Sitting:
    """Starts a job of this kind, waits for it and draws the page again."""
    page.press(f"start-{kind}")
    job = page.workbench.jobs.list(PERSON, kind)[0]
    assert job.wait(PATIENCE_S)
    assert job.state == "done", job.error
    return page.run()


def opened(page: Sitting, label: str) -> Sitting:
    (box,) = [one for one in page.at.expander if one.label == label]
    page.at.session_state[box.key] = True
    return page.run()


def texts(page: Sitting) -> str:
    return "\n".join([one.value for one in page.at.markdown] + page.captions()).replace("\\", "")


def test_retrievers_are_measured_on_a_file(page: Sitting) -> None:
    done(give(page), measured.KIND)
    job = page.workbench.jobs.list(PERSON, measured.KIND)[0]
    assert [one.name for one in job.result] == ["dense", "bm25", "hybrid", "hybrid_rrf"]
    assert len(page.at.get("plotly_chart")) == 1
    (table,) = page.at.table
    assert list(table.value.columns)[1:5] == ["nDCG@10", "Recall@5", "Recall@10", "MRR"]
    assert any("xylophones" in one.label for one in page.at.expander)
    assert "Found instead:" in texts(page)


def test_a_file_that_is_none_is_said(page: Sitting) -> None:
    give(page, b"a,b\n1,2\n")
    assert any("has no question" in one for one in page.errors())


def test_a_document_that_is_not_there_is_said(page: Sitting) -> None:
    give(page, b"question,document\nWhere?,atlantis.pdf\n")
    assert any("atlantis.pdf" in one.value.replace("\\", "") for one in page.at.warning)


def test_drafts_are_kept_or_dropped(page: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Scripted(*[f'{{"question": "How is it number {n}?", "answer": "So."}}' for n in range(2)])
    monkeypatch.setattr(type(page.workbench), "chat_model", lambda *_: model)
    opened(page, "Draft questions from the passages")
    page.at.number_input(key="drafts-number").set_value(2)
    page.run()
    done(page, "draft-questions")
    keep = [one.key for one in page.at.button if one.key and one.key.startswith("draft-check-")]
    drop = [one.key for one in page.at.button if one.key and one.key.startswith("draft-close-")]
    assert len(keep) == len(drop) == 2
    page.press(keep[0])
    page.press(drop[1])
    assert any(one.label == "1 question" for one in page.at.expander)
    assert "All drafts are decided." in texts(page)
    done(page, measured.KIND)
    (row,) = page.workbench.jobs.list(PERSON, measured.KIND)[0].result[0].rows
    assert row.question.text.startswith("How is it number")


def test_ways_are_compared(page: Sitting) -> None:
    opened(give(page), "Would another way of cutting or embedding be better?")
    page.at.multiselect(key="grid-sizes").set_value([64, 128])
    page.run()
    done(page, "rag-grid")
    tried = page.workbench.jobs.list(PERSON, "rag-grid")[0].result
    assert [one.way.size for one in tried] == [64, 128]
    assert "The best:" in texts(page)


def test_answers_are_judged(page: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    grades = '{"reason": "All is there.", "faithful": 4, "relevant": 2}'
    model = Scripted("By a dance [1].", grades)
    monkeypatch.setattr(type(page.workbench), "chat_model", lambda *_: model)
    opened(give(page), "Are the answers faithful? Ask a judge")
    page.at.number_input(key="judge-number").set_value(1)
    page.run()
    done(page, "rag-judge")
    assert [one.value for one in page.at.metric] == ["4 / 4", "2 / 4"]
    assert "All is there" in texts(page)
