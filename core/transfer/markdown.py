"""A conversation's selected path as Markdown to be read: who said it, what, and an answer's figures in a small line."""

from __future__ import annotations

from collections.abc import Iterator

from core import figures
from core.errors import N_
from core.store.records import StoredMessage
from core.store.restoring import WholeConversation
from core.transfer import paths
from core.words import translator


def export(conversation: WholeConversation, *, language: str = "en") -> bytes:
    """The file, UTF-8; its own words and figures in this language."""
    blocks = list(_head(conversation, language))
    for message in paths.selected(conversation):
        blocks += ["---", *_message(message, language)]
    return ("\n\n".join(blocks) + "\n").encode()


def _head(conversation: WholeConversation, language: str) -> Iterator[str]:
    words = translator(language)
    yield f"# {conversation.title or words(N_('Conversation'))}"
    yield figures.date_time(conversation.created_at, language)
    if conversation.system_prompt.strip():
        yield f"**{words(N_('System prompt'))}**"
        yield _quoted(conversation.system_prompt)


def _message(message: StoredMessage, language: str) -> Iterator[str]:
    words = translator(language)
    if message.role == "assistant":
        name = message.model_name or words(N_("Answer"))
    else:
        name = words(N_("Question")) if message.role == "user" else message.role
    yield f"**{name}**"
    if message.reasoning:
        yield f"*{words(N_('Reasoning'))}*"
        yield _quoted(message.reasoning)
    if message.attachments:
        yield "*" + words(N_("Attached:")) + " " + ", ".join(one.name for one in message.attachments) + "*"
    if message.content:
        yield message.content
    if line := _figures(message, language):
        yield f"*{line}*"


def _figures(message: StoredMessage, language: str) -> str:
    words = translator(language)
    told = []
    if message.finished is not None:
        timings, usage = message.finished.timings, message.finished.usage
        told.append(figures.tokens(usage.generated_tokens, language, estimated=usage.estimated))
        if timings.decode_rate is not None:
            told.append(figures.rate(timings.decode_rate, language, estimated=usage.estimated))
        if timings.ttft_s is not None:
            first = words(N_("first token {time}"))
            told.append(first.format(time=figures.seconds(timings.ttft_s, language)))
    if message.edited_at is not None:
        told.append(words(N_("edited")))
    if message.status in ("cut", "failed"):
        told.append(words(N_("interrupted")))
    return " · ".join(told)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
