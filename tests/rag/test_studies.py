from __future__ import annotations

from collections.abc import Iterator

from core.answers import Answers
from core.events import Event
from core.jobs import Job
from core.messages import ChatRequest
from core.models.base import ChatModel
from core.rag import studies
from core.rag.answer import Grounded, ground
from core.rag.grounding import How
from core.rag.question_sets import Expected, Question
from core.rag.studies import Told
from tests.rag.corpora import chunks, searcher
from tests.rag.test_answer import Scripted

BEES = Question(id="1", text="Where do bees find flowers?", expected=(Expected(document="document-1"),))


def test_drafts_come_of_passages_and_what_is_none_is_left_out() -> None:
    model = Scripted('{"question": "How do bees tell where flowers are?", "answer": "They dance."}', "I cannot.", "{}")
    job = Job("ana", "draft", "c")
    job.run(lambda job: studies.draft(job, Answers(), model, chunks()[1:4]))
    assert job.state == "done" and job.fraction == 1.0
    assert [draft.question for draft in job.result] == ["How do bees tell where flowers are?"]
    assert job.result[0].chunk == chunks()[1]


def test_a_model_that_cannot_be_had_ends_the_drafting() -> None:
    from core.errors import ModelNotFound

    class Missing(Scripted):
        def stream(self, request: ChatRequest) -> Iterator[Event]:
            raise ModelNotFound(model="gone")
            yield

    job = Job("ana", "draft", "c")
    job.run(lambda job: studies.draft(job, Answers(), Missing(), chunks()[:2]))
    assert job.state == "failed" and isinstance(job.error, ModelNotFound)


def test_answers_are_judged_and_an_unclear_verdict_is_a_row() -> None:
    judge = Scripted('{"reason": "All there.", "faithful": 4, "relevant": 3}', "Splendid!")
    answering = Scripted("By a dance [1].", "By a dance [1].")

    def answered(question: Question, told: Told) -> ChatModel:
        return Grounded(answering, ground(searcher, answering, How(), collection_id="c", french=False), told)

    job = Job("ana", "judge", "c")
    job.run(lambda job: studies.judge(job, Answers(), [BEES, BEES], answered, judge))
    first, second = job.result
    assert (first.answer, first.grades.faithful, first.grades.relevant) == ("By a dance [1].", 4, 3)
    assert second.grades is None and type(second.error).__name__ == "VerdictUnclear"
    shown = judge.asked[0].messages[-1].content
    assert "By a dance [1]." in shown and BEES.text in shown and chunks()[1].text in shown
