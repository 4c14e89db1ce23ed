from __future__ import annotations

from core.answers import Answers
from core.jobs import Job, Jobs
from core.messages import ChatRequest, Message
from core.models.base import ChatModel
from core.rag import ablation
from core.rag.ablation import Row
from core.rag.answer import Grounded, ground
from core.rag.grounding import Grounding, How
from core.rag.retrieve import Options
from tests.rag.corpora import ENGLISH, searcher
from tests.rag.test_answer import Scripted

ASKED = ChatRequest(messages=(Message("user", "Where do bees find flowers?"),))


def test_the_ways_are_all_there_are() -> None:
    how = How(options=Options(method="bm25", limit=3, weight=0.4), rewrite=True, wordings=2)
    found = ablation.ways(how)
    assert list(found) == ["none", "dense", "bm25", "hybrid", "whole"]
    assert [one.mode for one in found.values()] == ["none", "passages", "passages", "passages", "whole"]
    assert [found[name].options.method for name in ("dense", "bm25", "hybrid")] == ["dense", "bm25", "hybrid"]
    assert all(one.options.limit == 3 and not one.wordings for one in found.values())
    reranked = ablation.ways(How(reranker="folder"))
    assert list(reranked) == list(ablation.NAMES)
    assert [one.reranker for one in reranked.values()] == ["", "", "", "", "folder", ""]


def test_each_way_answers_and_one_that_fails_says_why() -> None:
    model = Scripted("I guess.", "By a dance [1].", context_length=700)
    answers = Answers()

    def asked(how: How, told: object) -> ChatModel:
        return Grounded(model, ground(searcher, model, how, collection_id="c", french=False), told)  # type: ignore[arg-type]

    ways = ablation.ways(How(options=Options(limit=1)))
    chosen = {name: ways[name] for name in ("none", "hybrid", "whole")}
    job = Jobs().start("ana", "ablation", "?", lambda job: ablation.run(job, answers, ASKED, chosen, asked))
    assert job.wait(30) and job.state == "done"
    none, hybrid, whole = job.result
    assert isinstance(none, Row) and none.text == "I guess." and isinstance(none.grounding, Grounding)
    assert none.grounding.passages == ()
    assert hybrid.text == "By a dance [1]." and hybrid.grounding.passages[0].chunk.text == ENGLISH[1]
    assert hybrid.finished is not None and hybrid.error is None
    assert whole.finished is None and type(whole.error).__name__ == "WholeTooLong"
    answers.close()


def test_it_can_be_stopped() -> None:
    model = Scripted("One.", "Two.")
    answers = Answers()
    job = Job("ana", "ablation", "?")

    def asked(how: How, told: object) -> ChatModel:
        job.cancel()
        return model

    job.run(lambda job: ablation.run(job, answers, ASKED, ablation.ways(How()), asked))
    assert job.state == "cancelled"
    assert len(model.asked) <= 2
    answers.close()
