"""Requests made to harm: grammars, schemas, templates and texts, sent to the real model.

After each the same process answers: `asked` checks that at the end of every test that uses it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ContextOverflow, GrammarInvalid, ModelDied, SchemaInvalid, TemplateInvalid
from core.events import Event, Idle, Trimmed
from core.messages import ChatRequest, Message, Overflow, Sampling
from core.models.local import engine
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf
from tests.asking import GREEDY, QUESTION, finished, request, text, tokens
from tests.faults.models import begun, model

pytestmark = pytest.mark.faults

SETTINGS = ModelSettings(context_length=256, parallel=4)


@pytest.fixture(scope="module")
def embedded(smollm: Path) -> Iterator[LocalModel]:
    shelf = Shelf()
    yield model(shelf, smollm, SETTINGS)
    shelf.close()


@pytest.fixture
def asked(embedded: LocalModel) -> Iterator[LocalModel]:
    """A model in a process that outlives the test."""
    assert embedded.count(request()).prompt_tokens > 0
    pid = embedded.engine().pid
    yield embedded
    assert text(embedded.stream(request(max_tokens=2, ignore_end=True)))
    assert embedded.engine().pid == pid


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def ask(model: LocalModel, question: str = QUESTION, **fields: object) -> list[Event]:
    return [e for e in model.stream(request(question, **fields)) if not isinstance(e, Idle)]


GRAMMARS = {
    "60,000 brackets": "root ::= " + "(" * 60_000 + '"a"' + ")" * 60_000,
    "60,000 brackets that never close": "root ::= " + "(" * 60_000,
    "60,000 brackets after a text of them": 'root ::= ")))" ' + "(" * 60_000 + '"a"' + ")" * 60_000,
    "60,000 brackets in an unknown rule": 'root ::= "a"\nother ::= ' + "(" * 60_000 + '"a"' + ")" * 60_000,
    "a million repetitions": 'root ::= "a"{1000000}',
    "100,000 rules in a row": "root ::= r0\n" + "\n".join(f"r{i} ::= r{i + 1}" for i in range(100_000)),
    "a lone surrogate": 'root ::= "\ud800" [',
    "nothing": "",
}


@pytest.mark.parametrize("grammar", GRAMMARS.values(), ids=GRAMMARS.keys())
def test_a_hostile_grammar_is_refused(asked: LocalModel, grammar: str) -> None:
    with pytest.raises(GrammarInvalid):
        ask(asked, grammar=grammar)


def test_brackets_that_are_only_text_are_no_nesting(asked: LocalModel) -> None:
    assert text(ask(asked, grammar='root ::= "' + "(" * 1000 + '"', max_tokens=4)).strip("(") == ""


SCHEMAS: dict[str, dict[str, Any]] = {
    "texts of a million characters": {"type": "string", "minLength": 1_000_000, "maxLength": 2_000_000},
    "lists of lists": {"type": "array", "minItems": 99_999, "items": {"type": "array", "minItems": 99_999}},
    "many long choices": {"enum": [f"{'x' * 1000}{n}" for n in range(2000)]},
    "100 levels": nested(100),
    "300 levels": nested(300),
    "60,000 levels": nested(60_000),
    "a circle": {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "an address outside": {"$ref": "file:///etc/passwd"},
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_a_hostile_schema_is_refused(asked: LocalModel, schema: dict[str, Any]) -> None:
    with pytest.raises((SchemaInvalid, GrammarInvalid)):
        ask(asked, json_schema=schema)


@pytest.mark.parametrize("pattern", ["^(a{1000}){1000}$", "^((a+)+)+$"])
def test_a_pattern_with_much_repetition_is_followed(asked: LocalModel, pattern: str) -> None:
    answer = text(ask(asked, json_schema={"type": "string", "pattern": pattern}, max_tokens=6))
    assert re.fullmatch('"a+"?', answer)


def test_a_pattern_that_takes_for_ever_ends_its_process_and_the_next_question_starts_another(
    shelf: Shelf, smollm: Path
) -> None:
    asked = model(shelf, smollm, SETTINGS)
    with pytest.raises(ModelDied, match="a grammar did not end in time"):
        ask(asked, json_schema={"type": "string", "pattern": "^(a?){500}a{500}$"})
    assert text(ask(asked, max_tokens=2))


MEMORY_BOMBS = [
    "{{ 'x'|center(10 ** 10) }}",
    "{{ 'x'.ljust(10 ** 10) }}",
    "{{ '%10000000000d' % 1 }}",
    "{{ '{:10000000000}'.format(1) }}",
    "{{ [1]|batch(10 ** 9, 'x')|list|length }}",
    "{% set x = 'a' * 60000 %}{{ x|replace('a', x)|length }}",
    "{{ (['a' * 60000] * 60000)|join('b')|length }}",
]


@pytest.mark.parametrize("template", MEMORY_BOMBS)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to an amount of memory")
def test_a_template_that_asks_for_gigabytes_does_not_get_them(asked: LocalModel, template: str) -> None:
    with pytest.raises(TemplateInvalid, match="memory"):
        ask(asked, chat_template=template)
    status = Path(f"/proc/{asked.engine().pid}/status").read_text(encoding="utf-8")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak and int(peak[1]) < 2_000_000


@pytest.mark.parametrize("template", ["", "{# nothing #}", "{{ '' }}"])
def test_a_template_that_gives_nothing_is_refused(asked: LocalModel, template: str) -> None:
    with pytest.raises(TemplateInvalid):
        ask(asked, chat_template=template)


def test_many_templates_are_not_all_kept(asked: LocalModel) -> None:
    for n in range(20):
        assert asked.count(request(chat_template=f"{n} {{{{ messages[0].content }}}}")).prompt_tokens > 0


def test_a_template_out_of_reach_ends_its_process_and_the_next_question_starts_another(
    shelf: Shelf, smollm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = model(shelf, smollm, SETTINGS)
    other = begun(asked.stream(request("Count.", max_tokens=4000, overflow="rolling", ignore_end=True)))
    killed = asked.engine()
    power = "{% set x = 9 ** 64 %}" + "{% set x = x ** 64 %}" * 3  # one operation of minutes, which nothing interrupts
    with monkeypatch.context() as patch:
        patch.setattr(engine, "PREPARE_LIMIT_S", 1.0)
        with pytest.raises(ModelDied, match="did not end in time"):
            ask(asked, chat_template=power)
    with pytest.raises(ModelDied):
        list(other)
    assert not killed.alive
    assert text(ask(asked, max_tokens=2))


FLOODS = {
    "one word": "x" * 1_000_000,
    "words": "word " * 200_000,
    "emoji": "😀" * 250_000,
    "NUL": "\0" * 1_000_000,
    "control tokens": "<|im_end|>" * 100_000,
    "half of a pair": "\ud800" * 1_000_000,
}


@pytest.mark.parametrize("policy", ["stop", "rolling"])
def test_a_question_of_a_megabyte_is_refused(asked: LocalModel, policy: Overflow) -> None:
    with pytest.raises(ContextOverflow) as refused:
        ask(asked, FLOODS["words"], overflow=policy)
    assert refused.value.values["prompt_tokens"] > refused.value.values["context_length"] == 256


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_question_of_a_megabyte_is_cut_where_the_policy_says_so(asked: LocalModel, flood: str) -> None:
    counted = asked.count(request(flood, overflow="truncate_middle", max_tokens=2))
    assert counted.dropped_tokens > 100_000
    assert counted.prompt_tokens <= 254 and sum(counted.by_origin.values()) == counted.prompt_tokens


def test_a_megabyte_is_answered_where_the_policy_cuts_it(asked: LocalModel) -> None:
    events = ask(asked, FLOODS["words"], overflow="truncate_middle", max_tokens=4, ignore_end=True)
    assert next(e for e in events if isinstance(e, Trimmed)).policy == "truncate_middle"
    assert finished(events).usage.generated_tokens == 4


def test_a_megabyte_of_history_is_dropped_and_the_question_answered(asked: LocalModel) -> None:
    history = tuple(Message(("user", "assistant")[n % 2], "word " * 200) for n in range(1000))
    messages = (*history, Message("user", QUESTION))
    for policy in ("rolling", "truncate_middle"):
        wanted = ChatRequest(messages=messages, sampling=GREEDY, max_tokens=4, overflow=policy, ignore_end=True)
        events = list(asked.stream(wanted))
        assert next(e for e in events if isinstance(e, Trimmed)).dropped_messages > 990
        assert finished(events).usage.generated_tokens == 4


def test_a_megabyte_of_stop_strings_is_looked_for(asked: LocalModel) -> None:
    whole = text(ask(asked, max_tokens=8))
    assert text(ask(asked, max_tokens=8, stop=tuple(f"{n}" * 100 for n in range(1000, 3000)))) == whole


ODD = ["a\0b", "\ud800", "\udfff\ud800", "a\ud83d", "\x1b[31m\x07", "\u202eabc", "\ufeff", "\U0010ffff", "é́́́́"]


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_odd_characters_are_a_question_like_any_other(asked: LocalModel, odd: str) -> None:
    assert len(tokens(ask(asked, f"{odd}?", max_tokens=2, ignore_end=True))) == 2


@pytest.mark.parametrize("odd", ["\0", "\ud800", "\udc80\ud800"], ids=ascii)
def test_odd_characters_anywhere_in_a_request_break_nothing(asked: LocalModel, odd: str) -> None:
    wanted = ChatRequest(
        messages=(Message("system", odd), Message("user", "Hi"), Message("assistant", odd), Message("user", odd + "?")),
        sampling=Sampling(temperature=0.0, dry_multiplier=0.5, dry_sequence_breakers=(odd, "\n")),
        max_tokens=2,
        stop=(odd, "never"),
        ignore_end=True,
        json_schema={"enum": [odd + "a", "b"]},
        chat_template="{{ messages[-1].content }}" + odd,
    )
    assert isinstance(text(asked.stream(wanted)), str)
    plain = ChatRequest(prompt=f"a{odd}b", sampling=GREEDY, max_tokens=2, ignore_end=True)
    assert len(tokens(asked.stream(plain))) == 2
