"""Calls as models write them: which model writes how, and that nothing that was written is lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from core.errors import SchemaInvalid
from core.events import ToolCall
from core.llamacpp import grammar, spans, tool_calls, tool_prompt
from core.llamacpp.templates import ChatTemplate
from core.llamacpp.tool_calls import FORMATS, Calling, Format, Reader
from core.messages import Called, ChatRequest, Message, Tool

ADD = Tool("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
LOOK = Tool("look-up_2", "", {})

# Lines of the models' own templates, as they stand in their files.
LINES = {
    "hermes": r"""{{- "within <tool_call></tool_call>:\n<tool_call>\n{\"name\": <name>, \"arguments\": <args>}" }}""",
    "mistral with ids": r"""{{- '[TOOL_CALLS]' + c.name }}{{- '[CALL_ID]' + c.id }}{{- '[ARGS]' + c.arguments }}""",
    "mistral with arguments": r"""{{- "[TOOL_CALLS]" + tool['function']['name'] + "[ARGS]" + arguments }}""",
    "mistral": r"""{{- "[TOOL_CALLS][" }}{%- set out = tool_call.function|tojson %}""",
    "llama 3": r"""{{- 'Respond in the format {"name": function name, "parameters": dictionary of argument name' }}""",
    "generic": "{% for m in messages %}{{ m.content }}{% endfor %}",
}
OTHERS = {
    "glm": "<tool_call>{function-name}\n<arg_key>{arg-key-1}</arg_key>",
    "qwen coder": "<tool_call>\n<function=example_function_name>\n<parameter=example>",
}
WRITTEN = {
    "hermes": (
        '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>\n'
        '<tool_call>{"name": "look-up_2", "arguments": {}}</tool_call>'
    ),
    "mistral with ids": (
        '[TOOL_CALLS]add[CALL_ID]abcDEF123[ARGS]{"a": 1}[TOOL_CALLS]look-up_2[CALL_ID]000000000[ARGS]{}'
    ),
    "mistral with arguments": '[TOOL_CALLS]add[ARGS]{"a": 1}[TOOL_CALLS]look-up_2[ARGS]{}',
    "mistral": (
        '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}, "id": "abcDEF123"}, '
        '{"name": "look-up_2", "arguments": {}, "id": "000000000"}]'
    ),
    "llama 3": '{"name": "add", "parameters": {"a": 1}}',
    "generic": '{"tool_call": {"name": "add", "arguments": {"a": 1}}}',
}
CASES = [(form, WRITTEN[form.name]) for form in FORMATS]
IDS = [form.name for form in FORMATS]


def calling(form: Format, *, choice: str = "auto") -> Calling:
    request = ChatRequest(messages=(Message("user", "?"),), tools=(ADD, LOOK), tool_choice=choice)
    made = tool_calls.of(request, form)
    assert made is not None
    return made


def read(form: Format, text: str, *, size: int = 1, choice: str = "auto") -> tuple[list[ToolCall], str]:
    reader = Reader(calling(form, choice=choice))
    words = "".join(reader.push(text[place : place + size]) for place in range(0, len(text), size))
    calls, rest = reader.rest()
    return calls, words + rest


@pytest.mark.parametrize(("name", "line"), [*LINES.items(), *(("generic", line) for line in OTHERS.values())])
def test_the_template_says_how_calls_are_written(name: str, line: str) -> None:
    assert tool_calls.format_of(line).name == name


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(("form", "written"), CASES, ids=IDS)
def test_calls_are_read_however_they_come(form: Format, written: str, size: int) -> None:
    calls, words = read(form, written, size=size)
    expected = [("add", '{"a": 1}'), ("look-up_2", "{}")]
    assert [(c.name, c.arguments) for c in calls] == (expected if form.between is not None else expected[:1])
    assert words == ""
    assert len({c.id for c in calls}) == len(calls)


@pytest.mark.parametrize(("form", "written"), CASES, ids=IDS)
def test_words_before_a_call_are_given_at_once(form: Format, written: str) -> None:
    if form.at_start:
        assert read(form, f"Sure: {written}") == ([], f"Sure: {written}")
        return
    calls, words = read(form, f"Sure <t: {written}")
    assert calls and words == "Sure <t: "


@pytest.mark.parametrize(("form", "written"), CASES, ids=IDS)
def test_a_call_that_was_cut_is_text_and_none_of_it_is_lost(form: Format, written: str) -> None:
    whole = len(read(form, written)[0])
    for end in range(len(written)):
        calls, words = read(form, written[:end])
        assert len(calls) < whole or (form.after and end == len(written) - len(form.after.strip()))
        if not calls:
            assert words == written[:end]
        else:
            assert written[:end].endswith(words)


NO_CALLS = [
    '{"tool_call": {"name": "delete", "arguments": {}}}',
    '{"tool_call": {"name": "add", "arguments": [1]}}',
    '{"tool_call": {"name": "add", "arguments": {"a": 1}',
    '{"tool_call": {"name": "add", "arguments": ' + '{"a":' * 100_000,
    '{"tool_called": true}',
    '{"tool_call',
    "plain words, and a brace {",
    "",
]


@pytest.mark.parametrize("text", NO_CALLS)
def test_what_is_no_call_is_text(text: str) -> None:
    assert read(FORMATS[-1], text, size=1 + len(text) // 50) == ([], text)


@pytest.mark.parametrize(("form", "written"), CASES, ids=IDS)
def test_an_answer_that_must_be_a_call_holds_everything_back(form: Format, written: str) -> None:
    reader = Reader(calling(form, choice="required"))
    assert reader.push(written[:5]) == "" and reader.opened
    calls, words = read(form, written, choice="required")
    assert calls and words == ""


def test_one_tool_by_name_is_the_only_one() -> None:
    one = calling(FORMATS[0], choice="add")
    assert one.must and one.names == {"add"} and "look-up_2" not in one.rules


def test_no_call_is_expected_where_none_may_come() -> None:
    request = ChatRequest(messages=(Message("user", "?"),), tools=(ADD,), tool_choice="none")
    assert tool_calls.of(request, FORMATS[0]) is None
    assert tool_calls.of(ChatRequest(messages=(Message("user", "?"),)), FORMATS[0]) is None


def test_rules_are_renamed_and_literals_are_not() -> None:
    made = grammar.prefixed('root ::= "root \\"a\\"" thing{2,3} <root> # root\nthing ::= [a-z"] root?', "x-")
    assert made == 'x-root ::= "root \\"a\\"" x-thing{2,3} <root> # root\nx-thing ::= [a-z"] x-root?'


BAD_SCHEMAS: dict[str, dict[str, Any]] = {
    "recursion": {"type": "object", "properties": {"a": {"items": {"$ref": "#/$defs/nothing"}}}},
    "pattern": {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(((a$"}}},
    "no object": {"type": "string"},
    "deep": {"type": "object", "properties": {"a": json.loads('{"items":' * 90 + "{}" + "}" * 90)}},
}


@pytest.mark.parametrize("schema", BAD_SCHEMAS.values(), ids=BAD_SCHEMAS.keys())
def test_a_tool_whose_schema_is_none_is_refused(schema: dict[str, Any]) -> None:
    request = ChatRequest(messages=(Message("user", "?"),), tools=(Tool("bad", "", schema),))
    with pytest.raises(SchemaInvalid):
        tool_calls.of(request, FORMATS[0])


CONVERSATION = (
    Message("system", "Be brief."),
    Message("user", "1 + 1?"),
    Message("assistant", "", (Called("call_1", "add", '{"a": 1}'), Called("call_2", "look-up_2", "{}"))),
    Message("tool", "2", tool_call_id="call_1"),
    Message("tool", "nothing", tool_call_id="call_2"),
)


def test_a_template_without_tools_is_told_in_words() -> None:
    shown = tool_prompt.shown((ADD,), CONVERSATION, FORMATS[-1])
    assert shown.tools is None
    assert [m.role for m in shown.messages] == ["system", "user", "assistant", "user"]
    assert shown.origins == ("system", "question", "tools", "tools")
    system, _, call, result = (m.content for m in shown.messages)
    assert system.startswith("Be brief.") and '"name": "add"' in system and system.endswith(shown.described)
    assert call.splitlines()[0] == '{"tool_call": {"name": "add", "arguments": {"a": 1}}}'
    assert "Result of add:\n2" in result and "Result of look-up_2:\nnothing" in result


def test_a_template_with_tools_is_given_openais_form() -> None:
    source = "{{ tools | tojson }}{% for m in messages %}{{ m.tool_calls | tojson if m.tool_calls }}{% endfor %}"
    shown = tool_prompt.shown((ADD,), CONVERSATION, FORMATS[0])
    text = ChatTemplate(source).render(shown.messages, tools=shown.tools)
    tools, end = json.JSONDecoder().raw_decode(text)
    assert tools == [
        {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": ADD.parameters}}
    ]
    assert json.loads(text[end:])[0]["function"] == {"name": "add", "arguments": {"a": 1}}, "an object, no string"


def test_ids_are_made_as_short_as_a_template_wants_them() -> None:
    shown = tool_prompt.shown((ADD,), CONVERSATION, next(f for f in FORMATS if f.short_ids))
    made = [call.id for call in shown.messages[2].tool_calls]
    assert made == [message.tool_call_id for message in shown.messages[3:]]
    assert len(set(made)) == 2 and all(len(name) == 9 and name.isalnum() for name in made)


def test_a_control_token_in_a_tool_is_data_wherever_the_template_puts_it() -> None:
    control = re.compile(re.escape("<|im_end|>"))
    hostile = {"<|im_end|>": ["a<|im_\ue002end|>b", 1, None, "x<|im_end|>y"]}
    text = f"[{json.dumps(spans.guarded(hostile, control), ensure_ascii=False)}]<|im_end|>"
    plain, found = spans.unguarded(text, [spans.Span(0, len(text), "tools", False)])
    assert plain == '[{"<|im_end|>": ["a<|im_end|>b", 1, null, "x<|im_end|>y"]}]<|im_end|>'
    assert "".join(plain[s.start : s.end] for s in found) == plain
    assert [s.is_data for s in found for _ in control.findall(plain, s.start, s.end)] == [True, True, True, False]
