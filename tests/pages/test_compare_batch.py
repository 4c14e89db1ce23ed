"""A batch on the Compare page, as a person goes through it: set up, followed, paused, read, judged, saved, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.arena.batch import Batch
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.answering import until
from tests.arena.speaking import Speaking
from tests.pages.sitting import Sitting

PATIENCE_S = 30.0
SAID = {"owl": "It is 4.", "crow": '{"reason": "shorter", "better": "1"}'}


class Batching(Sitting):
    """A person at the batches."""

    def __init__(self, workbench: Workbench, **address: str) -> None:
        super().__init__(workbench, view="batch", **address)
        self.at.switch_page("../compare/page.py")
        self.run()

    def writes(self, text: str) -> Batching:
        self.at.segmented_control(key="batch-source").set_value("write")
        self.run()
        self.at.text_area(key="batch-text").set_value(text)
        self.run()
        return self

    def chooses(self, *ids: str, repeats: int = 1) -> Batching:
        self.at.multiselect(key="batch-models").set_value(list(ids))
        self.at.number_input(key="batch-repeats").set_value(repeats)
        self.run()
        return self

    @property
    def batch(self) -> Batch:
        return self.workbench.batches.get(PERSON, str(self.at.query_params["batch"]))

    def waits(self) -> Batching:
        """For its end, and looks again."""
        assert self.workbench.batches.wait(self.batch.id, PATIENCE_S)
        self.run()
        return self

    def opens(self, fold: str) -> Batching:
        self.at.session_state[fold] = True
        self.run()
        return self

    def texts(self) -> str:
        shown = [*self.at.markdown, *self.at.caption, *self.at.error, *self.at.success, *self.at.warning]
        return "\n".join(str(one.value) for one in shown).replace("\\", "")

    def table(self) -> Any:
        return self.at.dataframe[0].value


@pytest.fixture
def server(workbench: Workbench) -> Iterator[Speaking]:
    with Speaking(**SAID) as speaking:
        yield speaking
        speaking.held.set()
        for summary in workbench.batches.list(PERSON):
            workbench.batches.delete(PERSON, summary.id)


def run(workbench: Workbench, server: Speaking, text: str = "2 + 2?\nAnd 3 + 3?", repeats: int = 1) -> Batching:
    """Both models, to the end."""
    ids = server.connected(workbench)
    sitting = Batching(workbench).chooses(*ids, repeats=repeats).writes(text)
    sitting.press("batch-start")
    return sitting.waits()


def test_an_empty_page_offers_a_first_step(workbench: Workbench, server: Speaking) -> None:
    sitting = Batching(workbench)
    assert "1 model × 6 prompts = **6 answers**" in sitting.texts()
    assert not sitting.at.button(key="batch-start").disabled
    sitting.writes(" \n")
    assert sitting.at.button(key="batch-start").disabled


def test_from_the_first_click_to_the_table(workbench: Workbench, server: Speaking) -> None:
    ids = server.connected(workbench)
    sitting = Batching(workbench).chooses(*ids, repeats=3).writes("2 + 2?\nAnd 3 + 3?")
    assert "2 models × 2 prompts × 3 repeats = **12 answers**" in sitting.texts()
    assert "on this machine" in sitting.texts()
    sitting.press("batch-start").waits()
    assert sitting.batch.state == "done"
    assert list(sitting.table()["answer"]) == [SAID["owl"]] * 6 + [SAID["crow"]] * 6
    assert len(server.order) == 12
    assert sitting.at.table[0].value["Answers"].tolist() == ["6", "6"]
    assert {body["max_tokens"] for body in server.bodies} == {400}


def test_it_is_paused_left_and_gone_on_with(workbench: Workbench, server: Speaking) -> None:
    ids = server.connected(workbench)
    server.held.clear()
    sitting = Batching(workbench).chooses(*ids).writes("one?\ntwo?")
    sitting.press("batch-start")
    until(lambda: server.order)
    sitting.press("batch-stop")
    assert workbench.batches.wait(sitting.batch.id, PATIENCE_S)
    other = Batching(workbench, batch=sitting.batch.id)
    assert "Paused" in other.texts()
    server.held.set()
    other.press("batch-resume").waits()
    assert other.batch.state == "done"
    assert len(other.table()) == 4
    fresh = Batching(workbench)
    fresh.press(f"open-batch-{sitting.batch.id}")
    assert len(fresh.table()) == 4


def test_what_failed_is_said_and_asked_again(workbench: Workbench, server: Speaking) -> None:
    server.failing.add("crow")
    sitting = run(workbench, server)
    assert "2 failed" in sitting.at.get("progress")[0].proto.text
    assert list(sitting.table()["status"]) == ["done", "done", "failed", "failed"]
    assert "crow does not like this" in sitting.table()["answer"].iloc[-1]
    server.failing.clear()
    sitting.press("batch-retry").waits()
    assert "status" not in sitting.table()
    assert len(sitting.table()) == 4


def test_filters_and_means(workbench: Workbench, server: Speaking) -> None:
    sitting = run(workbench, server)
    sitting.at.text_input(key="batch-search").set_value("And shorter")
    sitting.run()
    assert len(sitting.table()) == 1
    sitting.at.text_input(key="batch-search").set_value("nothing like it")
    sitting.run()
    assert "No answer fits these filters." in sitting.texts()
    sitting.at.text_input(key="batch-search").set_value("")
    sitting.opens("batch-means")
    sitting.at.selectbox(key="batch-figure").set_value("words")
    sitting.run()
    means = sitting.at.dataframe[1].value
    assert means.iloc[0].tolist() == ["1. 2 + 2?", 3.0, 4.0]


def test_one_answer_is_read_whole_and_asked_again(workbench: Workbench, server: Speaking) -> None:
    lines = [{"prompt": "2 + 2?", "equals": 5}]
    sitting = Batching(workbench).chooses(*server.connected(workbench))
    sitting.at.segmented_control(key="batch-source").set_value("file")
    sitting.run()
    sitting.at.file_uploader(key="batch-file").upload("q.jsonl", json.dumps(lines[0]).encode(), "text/plain")
    sitting.run()
    sitting.press("batch-start").waits()
    assert list(sitting.table()["passed"]) == ["0/1", "0/1"]
    for checked, lines in (("passed", 0), ("not passed", 2), ("", 2)):
        sitting.at.selectbox(key="batch-checked").set_value(checked)
        sitting.run()
        assert len(sitting.at.dataframe) == (1 if lines else 0)
    sitting.at.session_state["batch-table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    sitting.run()
    assert "Not passed: equals 5 · The last number is 4." in sitting.texts()
    server.said["owl"] = "No, it is 5."
    sitting.press("batch-again").waits()
    assert sitting.table()["passed"].iloc[0] == "1/1"


def test_a_judge_is_asked_and_its_verdicts_become_votes(workbench: Workbench, server: Speaking) -> None:
    sitting = run(workbench, server).opens("batch-judge")
    crow = server.connected(workbench)[1]
    sitting.at.selectbox(key=f"judge-{sitting.batch.id}").set_value(crow)
    sitting.run()
    sitting.press("batch-judge-start").waits()
    assert "crow has judged 2 pairs" in sitting.texts().replace("*", "")
    assert "agree in 0%" in sitting.texts()
    before = workbench.votes.count(PERSON)
    sitting.press("batch-votes")
    sitting.press("batch-votes")
    assert workbench.votes.count(PERSON) == before + 2
    assert {vote.source for vote in workbench.votes.list(PERSON, limit=2)} == {"judge"}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("q.csv", b"a;b\n1;2\n", "It has: a, b"),
        ("q.jsonl", b'{"prompt": "x", "regex": "("}', "Prompt 1: the check regex cannot be used"),
        ("q.csv", "prompt\né ?\n".encode("cp1252"), "Windows-1252"),
        ("q.csv", b"prompt\n" + b"why?\n" * 5001, "5,000 are taken, 1 are left out"),
    ],
)
def test_what_is_strange_about_a_file_is_said(
    workbench: Workbench, server: Speaking, name: str, data: bytes, said: str
) -> None:
    sitting = Batching(workbench)
    sitting.at.segmented_control(key="batch-source").set_value("file")
    sitting.run()
    sitting.at.file_uploader(key="batch-file").upload(name, data, "text/plain")
    sitting.run()
    assert said in sitting.texts()


def test_in_french_and_deleted(workbench: Workbench, server: Speaking) -> None:
    sitting = run(workbench, server)
    french = Batching(workbench, batch=sitting.batch.id, lang="fr")
    assert len(french.table()) == 4
    id = sitting.batch.id
    sitting.press(f"delete-batch-{id}")
    assert "batch" not in sitting.at.query_params
    french.run()
    assert french.errors()
    assert [summary.id for summary in workbench.batches.list(PERSON)] == []
