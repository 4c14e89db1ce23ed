"""/v1/chat/completions, as the official Python client uses it."""

from __future__ import annotations

import functools
import json
import math

import pytest
from openai import OpenAI

from tests.api.conftest import MODEL
from tests.api.serving import Served, events
from tests.asking import QUESTION, ask, text, tokens

pytestmark = pytest.mark.model

ASKED = [{"role": "user", "content": QUESTION}]
CHAT = "/v1/chat/completions"

LENGTH = 8
"""Tokens of an answer about which the model is sure: it is the same whoever else is asking at the time."""


@pytest.fixture(scope="session")
def create(client: OpenAI):
    """A greedy chat of at most `LENGTH` tokens, unless told otherwise."""
    return functools.partial(
        client.chat.completions.create, model=MODEL, messages=ASKED, temperature=0, max_tokens=LENGTH
    )


def test_it_says_what_the_engine_says(create, shared_engine) -> None:
    answer = create()
    direct = ask(shared_engine, max_tokens=LENGTH)
    assert answer.choices[0].message.content == text(direct)
    assert answer.choices[0].finish_reason == "length"
    assert (answer.object, answer.model, answer.choices[0].message.role) == ("chat.completion", MODEL, "assistant")
    assert answer.usage.completion_tokens == LENGTH
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + LENGTH


def test_a_stream_says_the_same_in_pieces(create) -> None:
    whole = create()
    chunks = list(create(stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["length"]
    assert {(chunk.object, chunk.id) for chunk in chunks} == {("chat.completion.chunk", chunks[0].id)}
    assert chunks[0].usage is None


def test_usage_comes_last_where_it_is_asked_for(create) -> None:
    *chunks, last = create(stream=True, stream_options={"include_usage": True})
    assert (last.choices, last.usage.completion_tokens) == ([], LENGTH)
    assert all(chunk.usage is None for chunk in chunks)


def test_the_stream_as_it_is_on_the_wire(server: Served) -> None:
    got = server.ask(CHAT, {"messages": ASKED, "max_tokens": 2, "stream": True})
    assert got.headers["content-type"].startswith("text/event-stream")
    assert "access-control-allow-origin" not in got.headers
    *chunks, done = events(got.body)
    assert done == "[DONE]"
    assert json.loads(chunks[0])["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    ]
    assert json.loads(chunks[-1])["choices"][0]["delta"] == {}


def test_timings_are_those_of_llama_cpp(server: Served) -> None:
    body = {"messages": ASKED, "max_tokens": 4, "temperature": 0}
    whole = server.ask(CHAT, body).json
    told = whole["timings"]
    assert told["predicted_n"] == 4
    assert told["cache_n"] + told["prompt_n"] == whole["usage"]["prompt_tokens"]
    assert whole["usage"]["prompt_tokens_details"]["cached_tokens"] == told["cache_n"]
    assert told["predicted_per_second"] > 0 and told["predicted_ms"] > 0
    *_, last, _ = events(server.ask(CHAT, body | {"stream": True}).body)
    assert json.loads(last)["timings"].keys() == told.keys()
    *_, last, _ = events(server.ask(CHAT, body | {"stream": True, "stream_options": {"include_usage": True}}).body)
    assert (json.loads(last)["choices"], json.loads(last)["timings"].keys()) == ([], told.keys())


def test_log_probabilities_are_the_engines(create, shared_engine) -> None:
    content = create(logprobs=True, top_logprobs=3, max_tokens=4).choices[0].logprobs.content
    direct = tokens(ask(shared_engine, max_tokens=4, logprobs=3))
    assert [one.token for one in content] == [token.text for token in direct]
    assert [[top.token for top in one.top_logprobs] for one in content] == [[a.text for a in t.top] for t in direct]
    for one, token in zip(content, direct, strict=True):
        assert one.logprob == pytest.approx(token.logprob, abs=0.05)
        assert bytes(one.bytes or []).decode() == one.token
        assert one.top_logprobs[0].logprob >= one.top_logprobs[-1].logprob
        assert math.exp(one.logprob) <= 1


def test_streamed_log_probabilities_are_all_there(create) -> None:
    whole = create(logprobs=True, top_logprobs=1).choices[0].logprobs.content
    chunks = create(logprobs=True, top_logprobs=1, stream=True)
    streamed = [one for c in chunks for one in (c.choices[0].logprobs.content if c.choices[0].logprobs else [])]
    assert [one.token for one in streamed] == [one.token for one in whole]


def test_several_answers_at_once_differ_and_a_seed_gives_them_again(create, tiny_id: str) -> None:
    asked = functools.partial(create, model=tiny_id, temperature=1, extra_body={"ignore_eos": True})
    first = asked(n=3, seed=7)
    assert [choice.index for choice in first.choices] == [0, 1, 2]
    texts = [choice.message.content for choice in first.choices]
    assert len(set(texts)) == 3
    assert first.usage.completion_tokens == 3 * LENGTH
    assert asked(seed=8).choices[0].message.content == texts[1], "the seeds follow the one given"
    assert asked(seed=None).choices[0].message.content != asked(seed=None).choices[0].message.content


def test_several_streamed_answers_can_be_told_apart(create, tiny_id: str) -> None:
    asked = functools.partial(create, model=tiny_id, temperature=1, n=2, seed=7)
    said, reasons = {0: "", 1: ""}, []
    for chunk in asked(stream=True):
        choice = chunk.choices[0]
        said[choice.index] += choice.delta.content or ""
        reasons += filter(None, [choice.finish_reason])
    assert list(said.values()) == [choice.message.content for choice in asked().choices]
    assert reasons == ["length", "length"]


def test_a_stop_string_ends_the_answer_before_it(create) -> None:
    whole = create().choices[0].message.content
    for stop in ("Paris", ["Paris", "never said"]):
        choice = create(stop=stop).choices[0]
        assert choice.message.content == whole[: whole.index("Paris")]
        assert choice.finish_reason == "stop"


def test_a_biased_token_is_what_is_said(server: Served, create) -> None:
    (token,) = server.ask("/tokenize", {"content": " Paris"}).json["tokens"]
    assert create(logit_bias={str(token): 100}, max_tokens=3).choices[0].message.content == " Paris" * 3
    pairs = {"messages": ASKED, "max_tokens": 3, "temperature": 0, "logit_bias": [[token, 100]]}
    assert server.ask(CHAT, pairs).json["choices"][0]["message"]["content"] == " Paris" * 3


def test_a_schema_is_followed(create) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}, "large": {"type": "boolean"}},
        "required": ["city", "large"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": True}}
    said = json.loads(create(response_format=wanted, max_tokens=100).choices[0].message.content)
    assert said.keys() == {"city", "large"} and isinstance(said["large"], bool)


def test_any_object_is_json(create) -> None:
    answer = create(
        response_format={"type": "json_object"},
        messages=[{"role": "user", "content": "Reply with {} and nothing else."}],
        max_tokens=300,
    ).choices[0]
    assert answer.message.content.lstrip().startswith("{")
    if answer.finish_reason == "stop":
        assert isinstance(json.loads(answer.message.content), dict)


def test_llama_cpps_own_parameters_have_their_effect(create) -> None:
    assert create(extra_body={"grammar": 'root ::= "yes"'}).choices[0].message.content == "yes"
    greedy = create().choices
    assert create(temperature=2, extra_body={"top_k": 1}).choices == greedy
    assert create(temperature=2, extra_body={"min_p": 1.0, "cache_prompt": False}).choices == greedy
    limited = create(max_tokens=None, extra_body={"n_predict": 3})
    assert limited.usage.completion_tokens == 3
    endless = create(logit_bias={"2": 100}, extra_body={"ignore_eos": True})
    assert endless.usage.completion_tokens == LENGTH > create(logit_bias={"2": 100}).usage.completion_tokens


def test_max_completion_tokens_is_the_newer_name(create) -> None:
    assert create(max_tokens=None, max_completion_tokens=3).usage.completion_tokens == 3


def test_content_in_parts_and_every_role(create) -> None:
    parts = [{"type": "text", "text": QUESTION}]
    assert create(messages=[{"role": "user", "content": parts}]).choices == create().choices
    developer = create(messages=[{"role": "developer", "content": "Be brief."}, *ASKED])
    system = create(messages=[{"role": "system", "content": "Be brief."}, *ASKED])
    assert developer.choices == system.choices


def test_an_answer_that_was_begun_is_gone_on_with(create) -> None:
    whole = create().choices[0].message.content
    begun = [*ASKED, {"role": "assistant", "content": whole[:20]}]
    on = create(messages=begun, extra_body={"continue_final_message": True}).choices[0].message.content
    assert on.strip() and not on.startswith(whole[:20])


TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]


def test_a_tool_that_must_be_called_is(create) -> None:
    for choice in ("required", {"type": "function", "function": {"name": "weather"}}):
        answer = create(messages=WEATHER, tools=[TOOL], tool_choice=choice, max_tokens=200).choices[0]
        assert answer.finish_reason == "tool_calls"
        (call,) = answer.message.tool_calls
        assert (call.type, call.function.name) == ("function", "weather")
        assert json.loads(call.function.arguments).keys() == {"city"}


def test_a_streamed_call_is_the_same_call(create) -> None:
    asked = functools.partial(create, messages=WEATHER, tools=[TOOL], tool_choice="required", max_tokens=200)
    chunks = list(asked(stream=True))
    (call,) = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    whole = asked().choices[0].message.tool_calls[0]
    assert (call.index, call.function) == (0, type(call.function)(**whole.function.model_dump()))
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_what_a_tool_said_goes_back_to_the_model(create) -> None:
    call = create(messages=WEATHER, tools=[TOOL], tool_choice="required", max_tokens=200).choices[0].message
    said = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "22 degrees"}
    answer = create(messages=[*WEATHER, call.model_dump(exclude_none=True), said], tools=[TOOL], tool_choice="none")
    assert answer.choices[0].message.content
