"""An answer in progress: readers, stopping, abandoning, endings."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from core.answers import Answers
from core.errors import AnswerBroken, EmptyPrompt, ModelDied
from core.events import (
    Event,
    Idle,
    Loading,
    Prefill,
    Queued,
    Reasoning,
    Text,
)
from core.models.replay import Replay
from tests.answering import ASK, END, INFO, NEVER, Custom, Notebook, ended, until, word, words


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.close()


def test_every_event_is_kept_but_idle(answers: Answers) -> None:
    events = (Prefill(4, 4, 0), word(1), word(2, 0.25), END)
    answer = ended(answers.start(Replay(INFO, events), ASK))
    assert answer.since() == (list(events), 4, True)
    assert (answer.text, answer.tokens, answer.state) == ("w1 w2 ", 2, "done")
    assert answer.decode_rate == pytest.approx(4.0)
    assert answer.finished == END and answer.error is None
    assert answer.model_info is INFO and answers.get(answer.id) is answer


def test_many_readers_from_any_position_see_the_same(answers: Answers) -> None:
    events = (*words(20, 0.01), END)
    answer = answers.start(Replay(INFO, events), ASK)
    seen: dict[int, list[Event]] = {}

    def read(position: int) -> None:
        seen[position] = list(answer.follow(position, timeout=10))

    readers = [threading.Thread(target=read, args=(position,)) for position in (0, 0, 3, 10, 20, 21)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(20)
    assert seen == {position: list(events[position:]) for position in (0, 3, 10, 20, 21)}
    assert list(answer.follow()) == list(events), "and so does one who comes after the end"


def test_since_goes_on_where_the_last_call_ended(answers: Answers) -> None:
    events = (*words(10, 0.02), END)
    answer = answers.start(Replay(INFO, events), ASK)
    got: list[Event] = []
    position, over = 0, False
    while not over:
        new, position, over = answer.since(position)
        got += new
        time.sleep(0.005)
    assert got == list(events)


def test_follow_gives_up_after_its_timeout(answers: Answers) -> None:
    answer = answers.start(Replay(INFO, (word(1, NEVER),)), ASK)
    with pytest.raises(TimeoutError):
        next(answer.follow(timeout=0.05))
    assert not answer.wait(0.01)


def test_stop_while_the_model_says_nothing(answers: Answers) -> None:
    closed = threading.Event()

    def stream() -> Iterator[Event]:
        try:
            yield Prefill(7, 7, 2)
            yield word(1, 0.1)
            yield word(2, 0.3)
            while True:
                time.sleep(0.02)
                yield Idle()
        finally:
            closed.set()

    notebook = Notebook()
    answer = answers.start(Custom(stream), ASK, keeper=notebook)
    until(lambda: answer.tokens == 2)
    answer.stop()
    assert answer.wait(2) and closed.is_set()
    assert answer.finished is not None and answer.finished.reason == "cancelled"
    usage = answer.finished.usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.generated_tokens) == (7, 2, 2)
    assert (usage.estimated, usage.context_length) == (False, 100)
    assert answer.finished.timings.at == (0.1, 0.3)
    assert notebook.end == (answer.finished, "cut") and notebook.text() == "w1 w2 "


def test_stopped_before_anything_was_counted_is_an_estimate(answers: Answers) -> None:
    answer = answers.start(Replay(INFO, (Text("twelve chars"), word(2, NEVER))), ASK)
    until(lambda: answer.text)
    answer.stop()
    assert ended(answer).finished is not None
    usage = answer.finished.usage  # type: ignore[union-attr]
    assert usage.estimated and usage.generated_tokens == 3 and usage.prompt_tokens == 4


def test_stop_after_the_end_changes_nothing(answers: Answers) -> None:
    answer = ended(answers.start(Replay(INFO, (word(1), END)), ASK))
    answer.stop()
    assert answer.finished == END


def test_nobody_following_is_cut_and_kept() -> None:
    answers = Answers(abandon_after_s=0.2)
    notebook = Notebook()
    answer = answers.start(Replay(INFO, (word(1), word(2, NEVER))), ASK, keeper=notebook)
    until(lambda: answer.ended)
    assert answer.finished is not None and answer.finished.reason == "cut"
    assert notebook.end == (answer.finished, "cut") and notebook.text() == "w1 "


def test_a_reader_keeps_it_going() -> None:
    answers = Answers(abandon_after_s=0.8)
    recording = Replay(INFO, (word(1), word(2, 1.8), END))
    followed, polled = answers.start(recording, ASK), answers.start(recording, ASK)
    reader = threading.Thread(target=lambda: list(followed.follow(timeout=5)))
    reader.start()
    until(lambda: polled.since()[2])
    reader.join(5)
    assert (followed.finished, polled.finished) == (END, END)


def test_states_and_progress_follow_the_events(answers: Answers) -> None:
    steps = [Loading(0.5), Queued(2), Prefill(1, 2, 0), Reasoning("hm"), word(1)]
    gate = threading.Semaphore(0)

    def stream() -> Iterator[Event]:
        for step in steps:
            while not gate.acquire(timeout=0.02):
                yield Idle()
            yield step
        while not gate.acquire(timeout=0.02):
            yield Idle()
        yield END

    answer = answers.start(Custom(stream), ASK)
    seen = [(answer.state, answer.progress)]
    for count in range(1, len(steps) + 1):
        gate.release()
        until(lambda count=count: answer.since()[1] == count)
        seen.append((answer.state, answer.progress))
    gate.release()
    ended(answer)
    assert seen == [
        ("waiting", None),
        ("loading", Loading(0.5)),
        ("queued", Queued(2)),
        ("prefill", Prefill(1, 2, 0)),
        ("answering", None),
        ("answering", None),
    ]
    assert (answer.state, answer.reasoning, answer.text) == ("done", "hm", "w1 ")


def test_the_text_begins_with_what_is_continued(answers: Answers) -> None:
    answer = ended(answers.start(Replay(INFO, (word(1), END)), ASK, text_so_far="earlier "))
    assert answer.text == "earlier w1 "


def test_a_workbench_error_is_the_answers_error(answers: Answers) -> None:
    died = ModelDied(model="m", detail="killed")
    notebook = Notebook()
    answer = ended(answers.start(Replay(INFO, (word(1),), pace="at once", error=died), ASK, keeper=notebook))
    assert (answer.error, answer.finished, answer.state, answer.text) == (died, None, "failed", "w1 ")
    assert notebook.end is died and notebook.text() == "w1 "
    came = answer.follow()
    assert next(came) == word(1)
    with pytest.raises(ModelDied):
        next(came)


def test_a_stream_that_ends_in_silence_is_an_error(answers: Answers) -> None:
    answer = ended(answers.start(Replay(INFO, (word(1),), pace="at once"), ASK))
    assert isinstance(answer.error, AnswerBroken) and answer.text == "w1 "


def test_a_foreign_exception_is_an_error_without_its_details(answers: Answers) -> None:
    def stream() -> Iterator[Event]:
        yield word(1)
        raise ValueError("key=sk-secret")

    answer = ended(answers.start(Custom(stream), ASK))
    assert isinstance(answer.error, AnswerBroken)
    assert "secret" not in str(answer.error) and "ValueError" in str(answer.error)


def test_a_request_refused_at_once_is_an_error(answers: Answers) -> None:
    def refuse() -> Iterator[Event]:
        raise EmptyPrompt

    answer = ended(answers.start(Custom(refuse), ASK))
    assert isinstance(answer.error, EmptyPrompt)


def test_a_fault_while_closing_does_not_spoil_a_finished_answer(answers: Answers) -> None:
    def stream() -> Iterator[Event]:
        try:
            yield END
        finally:
            raise OSError("the pipe is gone")

    assert ended(answers.start(Custom(stream), ASK)).finished == END


def test_finished_answers_are_forgotten() -> None:
    answers = Answers(forget_after_s=0.1)
    running = answers.start(Replay(INFO, (word(1, NEVER),)), ASK)
    short = ended(answers.start(Replay(INFO, (END,)), ASK))
    assert answers.get(short.id) is short
    until(lambda: answers.get(short.id) is None)
    assert answers.get(running.id) is running
    assert answers.get("no such id") is None
    answers.close()


def test_close_stops_all_and_keeps_them_as_cut() -> None:
    answers = Answers()
    notebooks = [Notebook() for _ in range(3)]
    running = [answers.start(Replay(INFO, (word(1), word(2, NEVER))), ASK, keeper=book) for book in notebooks]
    answers.close()
    assert all(answer.ended for answer in running)
    assert [book.end[1] for book in notebooks] == ["cut"] * 3  # type: ignore[index]


def test_ids_differ_and_are_safe_in_keys_and_addresses(answers: Answers) -> None:
    ids = {answers.start(Replay(INFO, (END,)), ASK).id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(answer_id) == 32 and answer_id.isalnum() for answer_id in ids)
