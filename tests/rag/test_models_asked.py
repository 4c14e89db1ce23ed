"""What a drafting model and a judge are asked, and how what they say is read."""

from __future__ import annotations

import pytest

from core.errors import VerdictUnclear
from core.rag import drafting, judging
from core.rag.question_sets import Places, from_file, to_jsonl
from tests.rag.corpora import chunk, chunks
from tests.rag.injections import INJECTIONS
from tests.rag.test_prompt import grounding


def test_a_question_is_drafted_and_expects_its_passage() -> None:
    passage = chunks()[1]
    draft = drafting.read('Sure! {"question": "Where do bees find flowers?", "answer": "By a dance."}', passage)
    assert draft is not None and draft.warning == ""
    asked = drafting.accepted(draft, "1")
    assert Places(chunks()).grades(asked) == {"chunk-1": 1}
    assert from_file("set.jsonl", to_jsonl([asked]).encode()) == (asked,)


@pytest.mark.parametrize(
    ("question", "warned"),
    [
        ("What does the passage say about bees?", True),
        ("Bees dance.", True),
        ("How tall is the Eiffel tower?", True),
        ("What do bees tell by dancing?", False),
    ],
)
def test_questions_that_may_be_bad_are_marked(question: str, warned: bool) -> None:
    draft = drafting.read(f'{{"question": "{question}", "answer": ""}}', chunks()[1])
    assert draft is not None and bool(draft.warning) == warned


def test_what_is_no_draft_is_none() -> None:
    assert drafting.read("I cannot do that.", chunks()[0]) is None
    assert drafting.read('{"question": ""}', chunks()[0]) is None
    assert drafting.read('{"question": ', chunks()[0]) is None


@pytest.mark.parametrize("injection", INJECTIONS)
def test_a_passage_is_data_to_the_drafter_and_to_the_judge(injection: str) -> None:
    asked = drafting.request(chunk(0, injection), local=True)
    mark = drafting.prompt.mark_for([injection])
    assert asked.messages[1].content == f"<{mark}>\n{injection}\n</{mark}>"
    assert injection not in asked.messages[0].content
    judged = judging.request("Why?", injection, grounding(injection), local=False)
    assert injection not in judged.messages[0].content
    assert judged.messages[1].content.count(f"\n{injection}\n</") == 1
    assert (asked.json_schema, judged.json_schema) == (drafting.SCHEMA, None)


def test_passages_are_sampled_the_same_each_time() -> None:
    some = drafting.sample(chunks(), 5)
    assert some == drafting.sample(chunks(), 5) and len({one.id for one in some}) == 5
    assert some != drafting.sample(chunks(), 5, seed=1)
    assert drafting.sample([chunk(0, "Too short.")], 5) == []


def test_grades_are_read() -> None:
    found = judging.read('{"reason": "It {is} so."} {"reason": "All is there.", "faithful": 4, "relevant": 2}')
    assert (found.faithful, found.relevant, found.reason) == (4, 2, "All is there.")
    for unclear in ("", "Good answer!", '{"faithful": 9, "relevant": 1}', '{"faithful": 1}'):
        with pytest.raises(VerdictUnclear):
            judging.read(unclear)
