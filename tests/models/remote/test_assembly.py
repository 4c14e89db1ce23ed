"""Chunks of each shape that servers send, put together: shapes from the APIs' documentation, not recordings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import AnswerMalformed
from core.events import Alternative, Cost, Event, Finished, Reasoning, Text, Token, ToolCall
from core.models.remote import chunks
from core.models.remote.assembly import Assembly
from tests import asking
from tests.asking import finished, request

TIMINGS = {"prompt_n": 8, "cache_n": 4, "prompt_ms": 40.0, "predicted_n": 2, "predicted_ms": 20.5, "note": "x"}


def put_together(*values: dict[str, Any], every_s: float = 0.5) -> list[Event]:
    """The events of these chunks, which came one every half second."""
    assembly = Assembly(request(), provider="Far Away", context_length=None)
    events: list[Event] = []
    for number, value in enumerate(values, start=1):
        events += assembly.take(chunks.decode(json.dumps(value).encode()), at=number * every_s)
    return [*events, *assembly.rest(), *assembly.finished(whole=True)]


def delta(logprobs: object = None, **fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "logprobs": logprobs}]}


def last(reason: str | None = "stop", prompt: int = 10, generated: int = 4, **more: object) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": generated, **more}
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}


def thoughts(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Reasoning))


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_in_a_field_of_its_own(name: str) -> None:
    events = put_together(delta(**{name: "Hm"}), delta(**{name: "m."}), delta(content="Yes", **{name: None}), last())
    assert (thoughts(events), asking.text(events)) == ("Hmm.", "Yes")


def test_thinking_in_both_fields_comes_once() -> None:
    assert thoughts(put_together(delta(reasoning="Hm", reasoning_content="Hm"), last())) == "Hm"


def test_thinking_in_tags() -> None:
    events = put_together(delta(content="<th"), delta(content="ink>Hm</"), delta(content="think>\n\nYes"), last())
    assert (thoughts(events), asking.text(events)) == ("Hm", "Yes")


def test_a_refusal_is_text_and_its_reason_says_so() -> None:
    events = put_together(delta(content="Well, "), delta(refusal="I can"), delta(refusal="not."), last())
    assert asking.text(events) == "Well, I cannot."
    assert finished(events).reason == "content_filter"


def test_tool_calls_are_assembled() -> None:
    def part(index: int | None, **fields: object) -> dict[str, Any]:
        return delta(tool_calls=[{"index": index, **fields}])

    events = put_together(
        delta(content="Let me look."),
        part(0, id="a", type="function", function={"name": "look", "arguments": ""}),
        part(0, function={"arguments": '{"at":'}),
        part(1, id="b", function={"name": "tell", "arguments": "{"}),
        part(0, function={"arguments": " 1}"}),
        part(1, function={"arguments": "}"}),
        last("tool_calls"),
    )
    assert events[1:3] == [ToolCall("a", "look", '{"at": 1}'), ToolCall("b", "tell", "{}")]
    assert finished(events).reason == "tool_calls"


def test_tool_calls_in_one_piece_without_an_index() -> None:
    calls = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    events = put_together(delta(tool_calls=calls), last("stop"))
    assert events[:2] == [ToolCall("a", "a", "{}"), ToolCall("b", "b", "{}")]
    assert finished(events).reason == "tool_calls"


def test_calls_that_share_an_index_are_told_apart_by_their_ids() -> None:
    parts = [delta(tool_calls=[{"index": 0, "id": x, "function": {"name": x, "arguments": "{}"}}]) for x in ("a", "b")]
    assert [event.id for event in put_together(*parts, last()) if isinstance(event, ToolCall)] == ["a", "b"]


def test_a_call_without_an_id_is_given_one() -> None:
    calls = [{"index": n, "function": {"name": "look", "arguments": "{}"}} for n in range(2)]
    ids = [event.id for event in put_together(delta(tool_calls=calls), last()) if isinstance(event, ToolCall)]
    assert all(ids) and len(set(ids)) == 2


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        (0.00125, 0.00125),
        (0, 0.0),
        ({"input_tokens_cost": 0.001, "total_cost": 0.006}, 0.006),
        ({"request_cost": 0.005}, None),
        (-1, None),
        ("0.1", None),
        (True, None),
        (None, None),
    ],
)
def test_what_the_endpoint_says_that_it_cost(said: object, amount: float | None) -> None:
    end = finished(put_together(delta(content="Yes"), last(cost=said)))
    assert end.cost == (None if amount is None else Cost(amount=amount, reported=True))
    assert end.usage.prompt_tokens == 10


def test_log_probabilities_become_tokens() -> None:
    def some(*texts: str) -> dict[str, Any]:
        top = [{"token": "Non", "logprob": -2.0}]
        return {"content": [{"token": t, "id": n, "logprob": -0.1, "top_logprobs": top} for n, t in enumerate(texts)]}

    events = put_together(delta(some("Y", "es"), content="Yes"), delta(some("!"), content="!"), last(generated=3))
    alternative = (Alternative("Non", None, -2.0),)
    assert events[0] == Text(
        "Yes",
        (
            Token(id=0, text="Y", at=0.5, logprob=-0.1, top=alternative),
            Token(id=1, text="es", at=0.5, logprob=-0.1, top=alternative),
        ),
    )
    assert finished(events).timings.at == (0.5, 0.5, 1.0)
    assert finished(events).timings.decode_rate == 4.0, "2 tokens after the first in half a second"


def test_tokens_of_text_that_is_held_back_are_not_lost() -> None:
    one = {"content": [{"token": "<th", "logprob": -0.1}]}
    events = put_together(delta(one, content="<th"), delta(content="e> is old English"), last())
    assert [token.text for token in asking.tokens(events)] == ["<th"]


@pytest.mark.parametrize("logprobs", [{"content": [{"token": 3}]}, {"tokens": ["a"]}, "none", [1]])
def test_log_probabilities_of_another_shape_are_not_given(logprobs: object) -> None:
    events = put_together(delta(logprobs, content="Yes"), last())
    assert (asking.text(events), asking.tokens(events)) == ("Yes", [])


def test_pieces_that_are_as_many_as_the_tokens_are_tokens() -> None:
    timings = finished(put_together(*[delta(content="a")] * 4, last(generated=4))).timings
    assert timings.at == (0.5, 1.0, 1.5, 2.0)
    assert timings.decode_rate == 2.0
    assert timings.inter_token_latency_median_s == 0.5


@pytest.mark.parametrize(("reason", "at"), [("stop", (0.5, 1.0, 1.5)), ("length", ())])
def test_an_end_token_is_counted_and_has_no_piece(reason: str, at: tuple[float, ...]) -> None:
    assert finished(put_together(*[delta(content="a")] * 3, last(reason, generated=4))).timings.at == at


def test_pieces_that_came_together_tell_no_speed() -> None:
    timings = finished(put_together(*[delta(content="a")] * 4, last(generated=4), every_s=0.0001)).timings
    assert timings.decode_rate is None
    assert timings.ttft_s == 0.0001


def test_pieces_of_many_tokens_are_not_counted_as_tokens() -> None:
    """Ten tokens in two equal pieces a second apart: five came in that second."""
    timings = finished(
        put_together(delta(content="aaaa"), delta(content="bbbb"), last(generated=10), every_s=1.0)
    ).timings
    assert (timings.ttft_s, timings.decode_s, timings.end_to_end_s) == (1.0, 1.0, 2.0)
    assert timings.decode_rate == 5.0
    assert timings.at == ()
    assert timings.inter_token_latency_median_s is None


def test_thinking_that_is_not_shown_has_no_part_in_the_rate() -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 90}}
    end = finished(put_together(delta(content="aa"), delta(content="bb"), last(generated=110, **details)))
    assert end.usage.generated_tokens == 110
    assert end.timings.decode_rate == 20.0, "10 of the 20 tokens that were shown, in half a second"


def test_tokens_from_the_cache() -> None:
    usage = finished(put_together(delta(content="a"), last(prompt_tokens_details={"cached_tokens": 7}))).usage
    assert usage.cached_tokens == 7
    usage = finished(put_together(delta(content="a"), last(prompt_tokens_details={"cached_tokens": 70}))).usage
    assert usage.cached_tokens == 10, "no more than there are"


def test_the_servers_own_figures_stand_beside_ours() -> None:
    end = finished(put_together(delta(content="a"), {**delta(content="b"), "timings": TIMINGS}, last(generated=2)))
    assert end.timings.server == {name: value for name, value in TIMINGS.items() if name != "note"}
    assert end.timings.decode_rate == 2.0


def test_llama_cpps_timings_count_where_usage_does_not() -> None:
    values = [delta(content="a"), {**delta(content="b"), "timings": TIMINGS}, delta()]
    usage = finished(put_together(*values)).usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.generated_tokens) == (12, 4, 2)
    assert not usage.estimated


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("function_call", "tool_calls"),
        ("eos", "stop"),
        (None, "stop"),
    ],
)
def test_why_it_ended(reason: str | None, ours: str) -> None:
    assert finished(put_together(delta(content="a"), last(reason))).reason == ours


def test_only_the_first_choice_is_the_answer() -> None:
    second = {"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}]}
    events = put_together(delta(content="yes"), second, last())
    assert (asking.text(events), finished(events).reason) == ("yes", "stop")


def test_nothing_is_no_answer() -> None:
    with pytest.raises(AnswerMalformed):
        put_together({"choices": []}, {})


def test_a_choice_with_nothing_in_it_is_an_empty_answer() -> None:
    events = put_together({"choices": [{"delta": None, "finish_reason": "stop"}]})
    assert [type(event) for event in events] == [Finished]
