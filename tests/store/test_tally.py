"""How each model did, taken out of runs and messages: an answer's few figures, and who failed by its own fault."""

from __future__ import annotations

from core.errors import ContextOverflow, LocalOnly, ModelDied, ProviderFailed, WorkbenchError
from core.events import Cost, Finished, Timings, Usage
from core.messages import ChatRequest
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.runs import Runs
from core.store.tally import Speed, Tally

AT = tuple(n / 100 for n in range(2000))


def finished(ttft_s: float | None = 0.5, cost: Cost | None = None) -> Finished:
    timings = Timings(ttft_s=ttft_s, decode_rate=40.0, at=AT)
    return Finished("stop", Usage(prompt_tokens=5, generated_tokens=2), timings, cost)


def failed(conversations: Conversations, owner: str, model_id: str, *errors: WorkbenchError) -> None:
    kept = conversations.create(owner)
    question = conversations.add_question(owner, kept.id, "Why?", parent_id=None)
    for error in errors:
        answer = conversations.begin_answer(
            owner, kept.id, parent_id=question.id, model_id=model_id, model_name="m", request=ChatRequest()
        )
        conversations.fail(answer.id, error)


def test_the_figures_of_an_answer_newest_first(db: Database) -> None:
    runs = Runs(db)
    runs.add("ana", kind="chat", model_id="old", figures=finished())
    runs.add("ana", kind="bench", model_id="bench", figures={"n": 1})
    runs.add("bob", kind="chat", model_id="his", figures=finished())
    runs.add("ana", kind="chat", model_id="new", figures=finished(None, Cost(amount=0.25, currency="EUR")))
    rest = {"decode_rate": 40.0, "prompt_tokens": 5, "generated_tokens": 2}
    new = Speed(model_id="new", ttft_s=None, cost=0.25, currency="EUR", **rest)
    old = Speed(model_id="old", ttft_s=0.5, cost=None, currency=None, **rest)
    assert Tally(db).speeds("ana") == [new, old]
    assert Tally(db).speeds("ana", last=1) == [new]


def test_figures_of_another_shape_are_unknown(db: Database) -> None:
    Runs(db).add("ana", kind="chat", model_id="m", figures={"reason": "stop"})
    (speed,) = Tally(db).speeds("ana")
    assert (speed.ttft_s, speed.decode_rate, speed.generated_tokens, speed.cost) == (None, None, None, None)


def test_what_a_model_or_its_provider_did_wrong_is_counted(db: Database, conversations: Conversations) -> None:
    down = ProviderFailed(provider="Far", detail="boom")
    failed(conversations, "ana", "far", down, down, LocalOnly(provider="Far"))
    failed(conversations, "ana", "near", ModelDied(model="m", detail="killed"))
    failed(conversations, "ana", "near", ContextOverflow(prompt_tokens=9, context_length=4))
    failed(conversations, "bob", "far", down)
    assert Tally(db).failures("ana") == {"far": 2, "near": 1}
    assert Tally(db).failures("ana", last=1) == {}, "the newest is the person's own"
