"""The JSON body: OpenAI's names, nothing that the endpoint does not take, and no silent change of what was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import EmptyPrompt, NotSupported
from core.messages import Called, ChatRequest, Message, Sampling, Tool
from core.models.remote import body
from core.models.remote.body import EXTENSIONS
from tests.asking import request

NOTHING: frozenset[str] = frozenset()


def made(asked: ChatRequest, unsupported: frozenset[str] = EXTENSIONS, **more: Any) -> dict[str, Any]:
    return body.of(asked, model="tiny", provider="Far Away", unsupported=unsupported, **more)


def test_the_least_request_has_openais_parameters_only() -> None:
    assert made(ChatRequest(messages=(Message("system", "Be brief."), Message("user", "Hello")))) == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.8,
        "top_p": 0.95,
    }


def test_all_that_decides_the_answer_is_sent_where_it_is_taken() -> None:
    sampling = Sampling(seed=3, presence_penalty=0.5, frequency_penalty=-0.5, logit_bias={9: 2.0}, min_p=0.1)
    sent = made(
        request(sampling=sampling, max_tokens=9, stop=("a", "b"), grammar='root ::= "x"', ignore_end=True), NOTHING
    )
    names = set(Sampling.__struct_fields__)
    assert names <= sent.keys(), "the names are llama.cpp's"
    assert (sent["seed"], sent["min_p"], sent["logit_bias"]) == (3, 0.1, {"9": 2.0})
    assert (sent["max_tokens"], sent["stop"], sent["grammar"], sent["ignore_eos"]) == (
        9,
        ["a", "b"],
        'root ::= "x"',
        True,
    )
    json.dumps(sent, allow_nan=False)


@pytest.mark.parametrize(("context_length", "sent"), [(512, 512), (None, 131_072)])
def test_all_of_the_context_is_said_as_a_number(context_length: int | None, sent: int) -> None:
    found = made(request(sampling=Sampling(repeat_last_n=-1)), NOTHING, context_length=context_length)
    assert found["repeat_last_n"] == found["dry_penalty_last_n"] == sent
    assert made(request(sampling=Sampling(repeat_last_n=0)), NOTHING)["repeat_last_n"] == 0


def test_what_the_endpoint_does_not_take_is_left_out() -> None:
    sent = made(
        request(logprobs=5, max_tokens=7), frozenset({"temperature", "logprobs", "max_tokens", "stream_options"})
    )
    assert not {"temperature", "logprobs", "top_logprobs", "max_tokens", "stream_options"} & sent.keys()
    assert sent["max_completion_tokens"] == 7


def test_log_probabilities_and_a_schema() -> None:
    sent = made(request(logprobs=0, json_schema={"type": "object"}))
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 0)
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}


@pytest.mark.parametrize(
    "asked",
    [
        request(grammar='root ::= "x"'),
        request(ignore_end=True),
        request(chat_template="{{ messages }}"),
        request(prompt="Once upon"),
        request(prompt=(1, 2)),
    ],
)
def test_what_cannot_be_said_is_refused_not_ignored(asked: ChatRequest) -> None:
    with pytest.raises(NotSupported):
        made(asked)


def test_a_schema_is_refused_where_it_is_not_taken() -> None:
    with pytest.raises(NotSupported):
        made(request(json_schema={}), EXTENSIONS | {"response_format"})


@pytest.mark.parametrize("messages", [(), (Message("user", " \n"),)])
def test_nothing_is_asked_with_nothing(messages: tuple[Message, ...]) -> None:
    with pytest.raises(EmptyPrompt):
        made(ChatRequest(messages=messages))


def test_half_a_character_does_not_break_the_request() -> None:
    sent = made(request("a\ud83d b", stop=("\udc00",)))
    json.dumps(sent, ensure_ascii=False).encode("utf-8")
    assert sent["messages"][0]["content"] == "a? b"


LOOK = Tool("look", "Looks \ud83d.", {"type": "object", "properties": {"at": {"type": "string"}}})
CALLED = (
    Message("user", "What is there?"),
    Message("assistant", "", (Called("call_1", "look", '{"at": "it"}'),)),
    Message("tool", "A cat.", tool_call_id="call_1"),
)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [("auto", "auto"), ("required", "required"), ("look", {"type": "function", "function": {"name": "look"}})],
)
def test_tools_are_sent_in_openais_form(choice: str, sent: object) -> None:
    asked = made(request(tools=(LOOK, Tool("wait")), tool_choice=choice))
    assert asked["tool_choice"] == sent
    look, wait = asked["tools"]
    assert look == {
        "type": "function",
        "function": {"name": "look", "description": "Looks ?.", "parameters": LOOK.parameters},
    }
    assert wait["function"] == {"name": "wait", "parameters": {"type": "object", "properties": {}}}


def test_calls_and_their_results_are_sent() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}
    asked = made(ChatRequest(messages=CALLED, tools=(LOOK,)))
    assert asked["messages"][1:] == [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "A cat.", "tool_call_id": "call_1"},
    ]


@pytest.mark.parametrize(
    "asked", [request(tools=(LOOK,)), ChatRequest(messages=CALLED), ChatRequest(messages=CALLED[::2])]
)
def test_tools_are_refused_where_they_are_not_taken(asked: ChatRequest) -> None:
    with pytest.raises(NotSupported, match="tools"):
        made(asked, EXTENSIONS | {"tools"})
    with pytest.raises(NotSupported, match="must be called"):
        made(request(tools=(LOOK,), tool_choice="required"), EXTENSIONS | {"tool_choice"})
    assert "tool_choice" not in made(request(tools=(LOOK,)), EXTENSIONS | {"tool_choice"})
    assert made(request(), EXTENSIONS | {"tools"}) == made(request()), "and nothing changes without them"
