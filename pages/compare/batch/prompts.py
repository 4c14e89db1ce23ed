"""Where a batch's prompts come from: a set that comes with the workbench, what is typed here, or a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.arena import prompt_files
from core.arena.prompt_files import Found
from core.arena.prompts import CATEGORIES, LANGUAGES, Prompt, built_in
from core.errors import NoPrompts, WorkbenchError
from core.words import LANGUAGES as LANGUAGE_NAMES
from pages.ui import error_box, file_field
from pages.ui.words import _, count, language, ngettext

Source = Literal["set", "write", "file"]
SOURCES: tuple[Source, ...] = ("set", "write", "file")
SHOWN = 20
"""Prompts that are listed before they are asked."""


@dataclass(frozen=True)
class Chosen:
    """The prompts, and what a batch of them may be called."""

    prompts: tuple[Prompt, ...]
    name: str = ""


def show() -> Chosen | None:
    """Draws the choice; None while there are no prompts."""
    source: Source | None = st.segmented_control(
        _("Prompts"),
        SOURCES,
        default="set",
        required=True,
        format_func={"set": _("A set"), "write": _("Write them"), "file": _("A file")}.__getitem__,
        key="batch-source",
    )
    chosen = {"set": _set, "write": _written, "file": _file}[source or "set"]()
    if chosen is not None:
        _list(chosen)
    return chosen


def _set() -> Chosen | None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    categories = row.multiselect(
        _("About"),
        list(CATEGORIES),
        default=["reasoning"],
        format_func=lambda name: _(CATEGORIES[name]),
        key="batch-categories",
    )
    tongue = row.segmented_control(
        _("In"),
        LANGUAGES,
        default=language(),
        required=True,
        format_func=lambda code: LANGUAGE_NAMES[code],
        key="batch-language",
    )
    prompts = tuple(prompt for name in categories for prompt in built_in(f"{name}.{tongue or language()}").prompts)
    return Chosen(prompts, ", ".join(_(CATEGORIES[name]) for name in categories)) if prompts else None


def _written() -> Chosen | None:
    text = st.text_area(
        _("One prompt a line"),
        key="batch-text",
        height=160,
        help=_("For prompts of several lines, put a line of three hyphens (---) between them."),
        placeholder=_("Why is the sky blue?\nWrite a haiku about the sea."),
    )
    try:
        return Chosen(prompt_files.of_text(text).prompts)
    except NoPrompts:
        return None
    except WorkbenchError as error:
        error_box.show(error)
        return None


def _file() -> Chosen | None:
    uploaded = file_field.show(
        _("A text, CSV or JSONL file"),
        type=["txt", "md", "csv", "tsv", "jsonl", "ndjson", "json"],
        key="batch-file",
        most_mb=prompt_files.LIMIT_MB,
        help=_(
            "A text has a prompt a line. A table has a column named prompt (or question) and, if you like, system, "
            "category, language, and the checks contains, regex, json_schema and equals (a number)."
        ),
    )
    if uploaded is None:
        return None
    try:
        found = prompt_files.read(uploaded.getvalue(), uploaded.name)
    except WorkbenchError as error:
        error_box.show(error)
        return None
    _say(found)
    return Chosen(found.prompts, uploaded.name)


def _say(found: Found) -> None:
    """What a person would not expect of their file."""
    if found.left_out:
        st.warning(
            _(
                "The file has more prompts than a batch takes: the first {taken} are taken, {left} are left out.",
                taken=count(len(found.prompts)),
                left=count(found.left_out),
            ),
            icon=":material/content_cut:",
        )
    if found.encoding == "cp1252":
        st.caption(_("The file is no UTF-8: it was read as Windows-1252. Look whether its accents are right."))


def _list(chosen: Chosen) -> None:
    number = len(chosen.prompts)
    with st.expander(ngettext("{count} prompt", "{count} prompts", number), icon=":material/list:"):
        for prompt in chosen.prompts[:SHOWN]:
            checks = ", ".join(check.kind for check in prompt.checks)
            st.text(prompt.text[:500] + (f"\n✓ {checks}" if checks else ""))
        if number > SHOWN:
            rest = number - SHOWN
            st.caption(ngettext("and {count} more", "and {count} more", rest))
