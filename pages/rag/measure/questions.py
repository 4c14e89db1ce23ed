"""The questions of a measurement: from a file, or accepted drafts; what they expect; saved as a file."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.attachments import LIMIT_MB
from core.errors import WorkbenchError
from core.rag import question_sets
from core.rag.question_sets import Question
from core.rag.values import Collection
from core.workbench import Workbench
from pages.ui import error_box, file_field
from pages.ui.words import _, ngettext

SHOWN = 200


def show(workbench: Workbench, me: str, collection: Collection) -> tuple[Question, ...]:
    """Draws them. Returns those that are to be asked."""
    given = file_field.show(
        _("A file of questions"),
        type=["csv", "tsv", "jsonl", "ndjson", "json"],
        key=f"questions-file-{collection.id}",
        most_mb=LIMIT_MB,
        help=_(
            "CSV or JSONL with the columns question and document; page, passage and answer may be beside. The document "
            "is named as it is in the collection."
        ),
    )
    asked = kept(collection)
    if given is not None:
        try:
            asked = (*question_sets.from_file(given.name, given.getvalue()), *asked)
        except WorkbenchError as error:
            error_box.show(error)
    if not asked:
        st.caption(_("No file at hand? Let a model draft questions from the passages, and keep the good ones."))
        return ()
    _listed(workbench, me, collection, asked)
    return asked


def kept(collection: Collection) -> tuple[Question, ...]:
    """The drafts that were accepted in this session."""
    found: tuple[Question, ...] = st.session_state.get(_key(collection), ())
    return found


def keep(collection: Collection, question: Question) -> None:
    """One more."""
    st.session_state[_key(collection)] = (*kept(collection), question)


def _key(collection: Collection) -> str:
    return f"questions-kept-{collection.id}"


def _listed(workbench: Workbench, me: str, collection: Collection, asked: Sequence[Question]) -> None:
    title = ngettext("{count} question", "{count} questions", len(asked))
    names = {name for one in workbench.collections.documents(me, collection.id) for name in (one.id, one.name)}
    unknown = {place.document for one in asked for place in one.expected} - names
    if unknown:
        st.warning(
            ngettext(
                "{count} document that is expected is not in this collection: {names}",
                "{count} documents that are expected are not in this collection: {names}",
                len(unknown),
                names=error_box.plain(", ".join(sorted(unknown)[:5])),
            ),
            icon=":material/warning:",
        )
    box = st.expander(title, icon=":material/quiz:", key=f"questions-{collection.id}", on_change="rerun")
    if not box.open:
        return
    with box:
        st.dataframe(
            [
                {
                    _("question"): one.text,
                    _("document"): ", ".join(dict.fromkeys(place.document for place in one.expected)),
                    _("page"): next((place.page for place in one.expected if place.page is not None), None),
                    _("passage"): next((place.passage for place in one.expected if place.passage), "")[:200],
                    _("answer"): one.answer,
                }
                for one in asked[:SHOWN]
            ],
            hide_index=True,
        )
        st.download_button(
            _("Save as JSONL"),
            lambda: question_sets.to_jsonl(asked).encode(),
            file_name="questions.jsonl",
            mime="application/jsonl",
            key=f"questions-save-{collection.id}",
            on_click="ignore",
            icon=":material/download:",
        )
