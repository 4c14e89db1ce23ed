"""Where a question is written: its text, its files, how its answer is to begin, what it would take of the context.

What could not be sent is given back: nothing typed or attached is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st
from streamlit.elements.widgets.chat import ChatInputValue

from core import attachments
from core.attachments import Attachment
from core.chat import Asking
from core.errors import AttachmentError, EmptyPrompt, WorkbenchError
from core.models.local.shelf import LocalModel
from core.store.records import Conversation
from core.workbench import Workbench
from pages.chat import keyboard
from pages.ui import error_box, icons, live_count, resources, shortcuts
from pages.ui.words import _, language, size

INPUT = "question"
BEGIN, TURN = "composer-begin-with", "composer-turn"
GIVEN_BACK, PENDING, PROBLEMS = "composer-given-back", "composer-pending", "composer-problems"
DRAFT, RUN = "composer-draft", "composer-run"
TAKEN, NOTHING = "composer-taken", "composer-nothing"


@dataclass(frozen=True)
class Submitted:
    """A question that was sent. `begin_with`: the first words of its answer."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    begin_with: str = ""


def show(
    workbench: Workbench,
    owner: str,
    conversation: Conversation | None,
    asking: Asking,
    *,
    on_sent: Callable[[], None] | None = None,
) -> Submitted | None:
    """Draws it. Returns a question when one was sent that can be read. `on_sent` is called before that, and before
    anything of the next run is drawn: it can `take` the question, which is then not returned."""
    _take_back()
    for error in st.session_state.get(PROBLEMS, ()):
        error_box.show(error)
    if st.session_state.pop(NOTHING, False):
        error_box.show(EmptyPrompt())
    _pending()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sent = st.chat_input(
            _("Ask the model something"),
            key=INPUT,
            accept_file="multiple",
            max_upload_size=attachments.LIMIT_MB,
            on_submit=on_sent,
        )
        begin_with = _begin_with()
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        _count(workbench, owner, conversation, asking, begin_with)
        shortcuts.show("shortcuts", keyboard.rows())
    if sent is None or st.session_state.pop(TAKEN, False):
        return None
    submitted = _read(sent, begin_with)
    if submitted is None:
        st.rerun()
    return submitted


def take() -> Submitted | None:
    """For `on_sent`: the question that was sent; None where it cannot be read, and has been given back."""
    st.session_state[TAKEN] = True
    return _read(st.session_state[INPUT], st.session_state.get(_begin_key(), ""))


def with_waiting(text: str | None) -> Submitted | None:
    """A question that came from elsewhere on the page, with the files and the beginning that wait here."""
    if text is None:
        return None
    return Submitted(text, st.session_state.get(PENDING, ()), st.session_state.get(_begin_key(), ""))


def give_back(submitted: Submitted, *problems: WorkbenchError) -> None:
    """From the next run on, puts a question into the input again, the reasons above it; what is empty stays empty."""
    st.session_state[GIVEN_BACK] = submitted
    st.session_state[PROBLEMS] = problems


def clear() -> None:
    """From the next run on, nothing waits here: a question has been asked. What is being typed meanwhile stays."""
    give_back(Submitted(""))


def _take_back() -> None:
    """Before the widgets are drawn: what was given back becomes their values."""
    given: Submitted | None = st.session_state.pop(GIVEN_BACK, None)
    if given is None:
        return
    # A widget in a closed popover cannot be told another value: a new one takes its place.
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    st.session_state[BEGIN] = given.begin_with
    st.session_state[PENDING] = given.attachments
    if given.text:
        st.session_state[INPUT] = given.text


def _read(sent: ChatInputValue, begin_with: str) -> Submitted | None:
    """What was sent; None where that is nothing, or a file cannot be read: the next run says so, and has it again."""
    read: list[Attachment] = list(st.session_state.get(PENDING, ()))
    problems: list[WorkbenchError] = []
    for file in sent.files:
        try:
            attachments.check_number(len(read) + 1)
            read.append(attachments.read(file.name, file.getvalue()))
        except AttachmentError as error:
            problems.append(error)
    if not sent.text.strip() and not read and not problems:
        st.session_state[NOTHING] = True
        return None
    submitted = Submitted(sent.text, tuple(read), begin_with)
    if problems:
        give_back(submitted, *problems)
        return None
    return submitted


def _pending() -> None:
    """The files that wait here since the question was given back; a click takes one out."""
    waiting: tuple[Attachment, ...] = st.session_state.get(PENDING, ())
    if not waiting:
        return
    with st.container(horizontal=True, gap="small"):
        for number, file in enumerate(waiting):
            st.button(
                f"{error_box.plain(file.name)} · {size(len(file.text.encode('utf-8', 'replace')))}",
                key=f"pending-{number}",
                icon=":material/close:",
                help=_("Take this file out"),
                on_click=partial(_take_out, file),
            )


def _take_out(file: Attachment) -> None:
    st.session_state[PENDING] = tuple(one for one in st.session_state.get(PENDING, ()) if one is not file)


def _begin_key() -> str:
    return f"begin-with-{st.session_state.get(TURN, 0)}"


def _begin_with() -> str:
    key = _begin_key()
    begun = st.session_state.get(key, st.session_state.get(BEGIN, ""))
    with st.popover(
        icons.named(_("More for this question")),
        icon=":material/edit_note:" if begun else ":material/more_horiz:",
        help=_("More for this question"),
        type="tertiary",
        key="more-for-question",
    ):
        return st.text_area(
            _("Begin the answer with…"),
            st.session_state.get(BEGIN, ""),
            key=key,
            placeholder=_("Dear pupils,"),
            help=_("The model goes on from these words as if it had written them. Some endpoints begin anew instead."),
        )


def _count(
    workbench: Workbench, owner: str, conversation: Conversation | None, asking: Asking, begin_with: str
) -> None:
    try:
        model = workbench.chat_model(owner, asking.model_id, asking.settings)
    except WorkbenchError:  # the model's own panel says so
        return
    leaf = conversation.leaf_id if conversation else None
    st.session_state[DRAFT] = resources.drafts().put(
        st.session_state.get(DRAFT),
        model,
        partial(workbench.chat.before, owner, leaf, asking),
        pending=st.session_state.get(PENDING, ()),
        begin_with=begin_with,
        language=language(),
    )
    st.session_state[RUN] = st.session_state.get(RUN, 0) + 1
    live_count.show(
        "count",
        st.session_state[DRAFT],
        run=st.session_state[RUN],
        input_key=INPUT,
        policy=asking.overflow,
        local=isinstance(model, LocalModel),
    )
