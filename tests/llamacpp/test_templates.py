from __future__ import annotations

import pytest

from core.errors import TemplateInvalid
from core.llamacpp.templates import CHATML, ChatTemplate
from core.messages import Message

CONVERSATION = (
    Message("system", "Be brief."),
    Message("user", "Hello  "),
    Message("assistant", "Hi."),
    Message("user", "Who are you?"),
)

LLAMA_3 = (
    "{{- bos_token }}{% for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
WITH_GENERATION = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}[{{ m.role }}] {{ m.content }}{% endif %}\n{% endfor %}"
)


@pytest.mark.parametrize("source", [CHATML, LLAMA_3, WITH_GENERATION])
def test_renders_as_transformers_does(source: str) -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    plain = [{"role": m.role, "content": m.content} for m in CONVERSATION]
    expected, _ = render_jinja_template([plain], chat_template=source, add_generation_prompt=True, bos_token="<s>")
    assert ChatTemplate(source, bos="<s>").render(CONVERSATION) == expected[0]


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages.__class__.__base__.__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ self.__init__.__globals__.__builtins__.open('/etc/passwd').read() }}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{{ raise_exception.__globals__ }}",
    "{{ ('%s' | format)|attr('__class__') }}",
    "{% set _ = messages.append({'role': 'user', 'content': 'more'}) %}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_a_template_cannot_leave_its_sandbox(source: str) -> None:
    try:
        text = ChatTemplate(source).render(CONVERSATION)
    except TemplateInvalid:
        return
    assert "class" not in text and "root" not in text and "builtins" not in text


def test_a_template_that_loops_for_ever_is_ended() -> None:
    loops = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    with pytest.raises(TemplateInvalid, match="did not end within"):
        ChatTemplate(loops).render(CONVERSATION)


def test_a_template_that_writes_without_end_is_ended() -> None:
    source = "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'x' * 9999 }}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateInvalid):
        ChatTemplate(source).render(CONVERSATION)


FAILING = [
    "{% for %}",
    "{{ 1 / 0 }}",
    "{{ nothing.at.all }}",
    "{% include 'x' %}",
    "{{ 9**(9**9) }}",
    "{{ 'x' * 10**12 }}",
]


@pytest.mark.parametrize("source", FAILING)
def test_a_template_that_fails_says_so(source: str) -> None:
    with pytest.raises(TemplateInvalid):
        ChatTemplate(source).render(CONVERSATION)


def test_a_template_may_refuse_the_messages_in_its_own_words() -> None:
    with pytest.raises(TemplateInvalid, match="roles must alternate"):
        ChatTemplate("{{ raise_exception('roles must alternate') }}").render(CONVERSATION)
