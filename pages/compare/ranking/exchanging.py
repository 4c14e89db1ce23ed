"""Votes out and in: as files of ours, or in the layouts of public data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import streamlit as st

from core.arena import exchange
from core.arena.exchange import Form
from core.arena.layouts import LAYOUTS, Name
from core.arena.votes import Vote
from core.errors import WorkbenchError
from core.transfer.imported import LeftOut
from core.workbench import Workbench
from pages.ui import error_box, file_field
from pages.ui.words import _, ngettext

FILE, REPORT = "ranking-import", "ranking-imported"
MIME: dict[Form, str] = {"csv": "text/csv", "jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}


class _Report(msgspec.Struct, frozen=True):
    """What became of a file: how many votes were new, of how many, and what was left out."""

    added: int
    found: int
    left_out: tuple[LeftOut, ...]


def bringing_in(workbench: Workbench, me: str) -> None:
    """Draws the field for a file of votes, and what became of the last one."""
    file_field.show(
        _("A file of votes"),
        type=["csv", "tsv", "txt", "jsonl", "json", "parquet"],
        key=FILE,
        most_mb=exchange.LIMIT_MB,
        on_change=_take_in,
        args=(workbench, me),
        help=_(
            "Votes exported here, by another class too, or a table in the columns of Compar'IA or Chatbot Arena, as "
            "CSV, JSONL or Parquet. What is here already is not added again."
        ),
    )
    report: _Report | WorkbenchError | None = st.session_state.get(REPORT)
    if isinstance(report, WorkbenchError):
        error_box.show(report)
    elif report is not None:
        _say(report)


def taking_out(votes: Sequence[Vote]) -> None:
    """Draws a button for each form in which all votes can be saved."""
    st.caption(
        _(
            "All votes kept here, with the questions and answers that they were about and the names of voters. Look "
            "through them before you publish any."
        )
    )
    _button(_("Whole, to be merged elsewhere (JSONL)"), lambda: exchange.lossless(votes), "votes.jsonl", "jsonl")
    for name, layout in LAYOUTS.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_("In the columns of {layout}:", layout=layout.title), width="content")
            for form in exchange.FORMS:
                _button(form.upper(), _export(votes, name, form), f"votes-{name}.{form}", form)


def _export(votes: Sequence[Vote], name: Name, form: Form) -> Callable[[], bytes]:
    return lambda: exchange.export(votes, name, form)


def _button(label: str, data: Callable[[], bytes], name: str, form: Form) -> None:
    """A button whose file is made when it is clicked."""
    st.download_button(
        label,
        data,
        name,
        MIME[form],
        key=f"ranking-save-{name}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def _take_in(workbench: Workbench, me: str) -> None:
    """Adds the votes of the file that was just given, once."""
    file = st.session_state[FILE]
    st.session_state.pop(REPORT, None)
    if file is None:
        return
    try:
        read = exchange.read(file.getvalue(), origin=file.name)
        added = workbench.votes.merge(me, read.votes)
        st.session_state[REPORT] = _Report(added, len(read.votes), read.left_out)
    except WorkbenchError as error:
        st.session_state[REPORT] = error


def _say(report: _Report) -> None:
    came = ngettext("{count} vote came in.", "{count} votes came in.", report.added)
    known = report.found - report.added
    already = ngettext("{count} was here already.", "{count} were here already.", known) if known else ""
    st.success(f"{came} {already}".strip(), icon=":material/check:")
    if report.left_out:
        left = ["- " + " ".join([str(one.count), _(one.reason)]) for one in report.left_out]
        st.markdown("\n".join([_("Not taken:"), "", *left]))
