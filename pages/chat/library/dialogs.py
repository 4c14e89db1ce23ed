"""What the list asks more about: the tags of a conversation, a file to export to, a file to import from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.errors import WorkbenchError
from core.store.library import TAG_LENGTH, Library, LibraryEntry
from core.store.restoring import Restoring, WholeConversation
from core.transfer import detect, importing, markdown, openai_messages, ours
from core.workbench import Workbench
from pages.chat.library.rows import Act
from pages.ui import error_box, file_field
from pages.ui.words import _, language, ngettext

DIALOG, IMPORTED, ERROR = "library-dialog", "library-imported", "library-error"
JSON, MARKDOWN = "application/json", "text/markdown"


def open_for(act: Act) -> None:
    """Opens the dialog of what was done. It is remembered: an answer that ends draws the page, and leaves it open."""
    st.session_state.pop(IMPORTED, None)
    st.session_state[DIALOG] = act


def show(workbench: Workbench, owner: str, entries: Sequence[LibraryEntry]) -> None:
    """Draws the dialog that is open. `entries`: the conversations in the list."""
    act: Act | None = st.session_state.get(DIALOG)
    entry = next((one for one in entries if act and one.id == act.id), None)
    match act and act.do:
        case "tags" if entry is not None:
            _dialog(_("Tags"))(_tags)(workbench.library, owner, entry)
        case "export" if entry is not None:
            _dialog(_("Export"))(_export)(Restoring(workbench.database), owner, entry)
        case "export-all":
            _dialog(_("Export all"))(_export_all)(workbench, owner)
        case "import":
            _dialog(_("Import"))(_import)(workbench, owner)
        case _:
            _close()


def _dialog(title: str) -> Callable[..., Callable[..., None]]:
    return st.dialog(title, on_dismiss=_close)


def _close() -> None:
    st.session_state.pop(DIALOG, None)


def _tags(library: Library, owner: str, entry: LibraryEntry) -> None:
    st.caption(error_box.plain(entry.title))
    known = sorted({*library.tags(owner), *entry.tags})
    with st.form(f"tags-{entry.id}", border=False):
        if known:
            st.pills(
                _("Tags"),
                known,
                default=entry.tags,
                selection_mode="multi",
                key=f"tags-chosen-{entry.id}",
                format_func=error_box.plain,
                label_visibility="collapsed",
            )
        st.text_input(_("New tag"), key=f"tags-new-{entry.id}", max_chars=TAG_LENGTH)
        if st.form_submit_button(_("Save"), key="tags-save", on_click=_tag, args=(library, owner, entry)):
            st.rerun()


def _tag(library: Library, owner: str, entry: LibraryEntry) -> None:
    _close()
    state, had = st.session_state, set(entry.tags)
    chosen = {*state.get(f"tags-chosen-{entry.id}", ()), state[f"tags-new-{entry.id}"].strip()} - {""}
    try:
        for tag in had - chosen:
            library.untag(owner, entry.id, tag)
        for tag in chosen - had:
            library.tag(owner, entry.id, tag)
    except WorkbenchError as error:
        state[ERROR] = error


def _export(restoring: Restoring, owner: str, entry: LibraryEntry) -> None:
    st.caption(error_box.plain(entry.title))
    name = _file_name(entry.title)

    def data(make: Callable[[WholeConversation], bytes]) -> bytes:
        return make(restoring.read(owner, entry.id))

    _download(
        _("JSON, whole"),
        _("Every variant, all figures and settings. It can be imported again without loss."),
        partial(data, lambda whole: ours.export([whole])),
        f"{name}.json",
        JSON,
    )
    _download(
        _("Markdown"),
        _("To read or print: what is on the page, with the models' names and speeds."),
        partial(data, partial(markdown.export, language=language())),
        f"{name}.md",
        MARKDOWN,
    )
    _download(
        _("OpenAI messages"),
        _("A list of role and content, as an API takes it."),
        partial(data, openai_messages.export),
        f"{name}-messages.json",
        JSON,
    )


def _export_all(workbench: Workbench, owner: str) -> None:
    count = workbench.library.count(owner)
    restoring = Restoring(workbench.database)

    def everything() -> bytes:
        kept = workbench.library.list(owner, limit=count, pinned_first=False)
        return ours.export(restoring.read(owner, entry.id) for entry in kept)

    _download(
        _("JSON, whole"),
        ngettext(
            "{count} conversation with every variant and all figures. It can be imported again without loss.",
            "{count} conversations with every variant and all figures. They can be imported again without loss.",
            count,
        ),
        everything,
        "conversations.json",
        JSON,
    )


def _download(label: str, means: str, data: Callable[[], bytes], name: str, mime: str) -> None:
    """A button whose file is made when it is clicked."""
    with st.container(gap="xsmall"):
        st.download_button(
            label,
            data,
            name,
            mime,
            key=f"export-{name}",
            on_click="ignore",
            icon=":material/download:",
            width="stretch",
        )
        st.caption(means)


def _import(workbench: Workbench, owner: str) -> None:
    st.markdown(
        _(
            "Conversations exported here, by ChatGPT (its conversations.json) or by Open WebUI, or a list of OpenAI "
            "messages. What is here already stays as it is."
        )
    )
    file_field.show(
        _("A JSON file"),
        type="json",
        key="import-file",
        most_mb=detect.LIMIT_MB,
        on_change=_take_in,
        args=(workbench, owner),
        label_visibility="collapsed",
    )
    report: importing.Report | WorkbenchError | None = st.session_state.get(IMPORTED)
    if isinstance(report, WorkbenchError):
        error_box.show(report)
    elif report is not None:
        _say(report)


def _take_in(workbench: Workbench, owner: str) -> None:
    """Imports the file that was just given, once."""
    file = st.session_state["import-file"]
    st.session_state.pop(IMPORTED, None)
    if file is None:
        return
    try:
        read = detect.read(file.getvalue())
        st.session_state[IMPORTED] = importing.write(workbench.database, owner, read)
    except WorkbenchError as error:
        st.session_state[IMPORTED] = error


def _say(report: importing.Report) -> None:
    """How many came, and what was left out."""
    came = ngettext("{count} conversation came in.", "{count} conversations came in.", len(report.ids))
    st.success(came, icon=":material/check:")
    if report.left_out:
        left = ["- " + str(one.count) + " " + error_box.plain(_(one.reason)) for one in report.left_out]
        st.markdown("\n".join([_("Not taken, or not as it was:"), "", *left]))
    if st.button(_("Done"), key="import-done", on_click=_close):
        st.rerun()


def _file_name(title: str) -> str:
    """The title as the name of a file on any system."""
    words = re.sub(r"[^\w]+", "-", title).strip("-").lower()
    return words[:60].rstrip("-") or "conversation"
