"""What a message says: a question with its files; an answer with its thinking, its tool calls and its figures."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import streamlit as st

from core.answers import Answer
from core.attachments import Attachment
from core.errors import WorkbenchError
from core.events import ToolCall
from core.keeping import status_of
from core.metrics import estimated_tokens
from core.store.records import StoredMessage
from pages.ui import error_box, markdown, metrics_strip, privacy, route_line
from pages.ui.words import _, date_time, ngettext, seconds, size, tokens

ICONS = {"text": "description", "markdown": "markdown", "code": "code", "csv": "table"}


def question(message: StoredMessage) -> None:
    """Draws a question: what was typed, as it was typed, and its files."""
    if message.content or not message.attachments:
        st.text(message.content)
    if message.attachments:
        with st.container(horizontal=True, gap="small"):
            for number, attachment in enumerate(message.attachments):
                _file(f"file-{message.id}-{number}", attachment)


def as_ended(message: StoredMessage, answer: Answer | None) -> StoredMessage:
    """The message, from memory where not all of it could be written to the disk. `answer`: its run, if remembered."""
    if answer is None or answer.keeper_error is None:
        return message
    return msgspec.structs.replace(
        message,
        content=answer.text,
        finished=answer.finished,
        error=answer.error.to_dict() if answer.error else None,
        routed=answer.routed,
        status=status_of(answer.finished) if answer.finished else "failed",
    )


def answer(
    message: StoredMessage,
    *,
    newest: bool,
    raw: bool,
    unkept: WorkbenchError | None,
    draw: Callable[[str], None] = markdown.show,
) -> None:
    """Draws an answer that has ended. raw: as it came, unrendered. unkept: why it is not on the disk. draw: draws
    its text."""
    if message.routed is not None:
        st.caption(route_line.text(message.routed, answered=message.error is None or bool(message.content)))
    if message.reasoning:
        with st.expander(_thinking(message), icon=":material/psychology:"):
            markdown.show(message.reasoning)
    if raw:
        st.code(message.content, None, wrap_lines=True)
    else:
        draw(message.content)
    for call in message.tool_calls:
        _tool_call(call)
    if unkept is not None:
        error_box.show(unkept)
        st.caption(_("It is written as soon as there is room; until then it can be copied."))
    for note in _notes(message):
        st.caption(note)
    if message.error is not None:
        error_box.show(WorkbenchError.from_dict(message.error))
    elif message.finished is not None:
        metrics_strip.show(
            f"strip-{message.id}",
            message.finished,
            model_name=message.model_name or "",
            when=message.created_at,
            newest=newest,
            paid=privacy.leaves(message.model_id),
            model_id=message.model_id,
        )
    if message.status != "complete" and message.error is None:
        st.caption(_("This answer was cut."))


def _file(key: str, attachment: Attachment) -> None:
    chip = st.popover(
        f"{error_box.plain(attachment.name)} · {size(len(attachment.text.encode('utf-8', 'replace')))}",
        icon=f":material/{ICONS[attachment.kind]}:",
        key=key,
        on_change="rerun",
        help=_("The file that was given with the question"),
    )
    if chip.open:
        with chip:
            st.code(attachment.text, None, height=400, wrap_lines=attachment.kind in ("text", "markdown"))


def _thinking(message: StoredMessage) -> str:
    finished = message.finished
    if finished is None or finished.timings.thinking_s is None:
        return _("Thinking")
    known = finished.usage.thinking_tokens
    counted = tokens(known if known else estimated_tokens(len(message.reasoning)), estimated=not known)
    return _("Thought for {time} · {tokens}", time=seconds(finished.timings.thinking_s), tokens=counted)


def _tool_call(call: ToolCall) -> None:
    st.caption(":material/build: " + _("The model asks for the tool {name}:", name=f"**{error_box.plain(call.name)}**"))
    try:
        arguments = json.dumps(json.loads(call.arguments), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        arguments = call.arguments
    st.code(arguments, "json")


def _notes(message: StoredMessage) -> list[str]:
    notes = []
    if message.trimmed is not None:
        notes.append(
            ngettext(
                "The conversation did not fit: the model did not see {count} token of it.",
                "The conversation did not fit: the model did not see {count} tokens of it.",
                message.trimmed.dropped_tokens,
            )
        )
    if message.finished is not None and message.finished.reason == "content_filter":
        notes.append(_("The model refused, or the provider held the rest back."))
    if message.edited_at is not None:
        moment = date_time(message.edited_at)
        notes.append(_("Edited, {moment}. The figures are those of the answer as it came.", moment=moment))
    return notes
