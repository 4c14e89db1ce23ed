"""The tokenizer bench: a text's tokens, ids and bytes; French against English between models; special tokens."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.gguf import anatomy, look
from core.gguf.header import GGUF
from core.gguf.look import PerWord, Piece
from core.models.local import files
from core.workbench import Workbench
from pages.quantization import source
from pages.ui import error_box
from pages.ui.words import N_, _, ngettext, number

TEXT = N_("The cat sat on the mat. 1,234.5 naïve œuvres 😀")
LONGEST = 4000
"""Characters of a text: the bench is for looking, not for counting books."""

SHOWN = 400
"""Tokens that are drawn."""

COLOURS = ("blue", "green", "orange", "violet", "red")

ROLES = {
    "bos": N_("begins a text"),
    "eos": N_("ends a text or an answer"),
    "eot": N_("ends a turn"),
    "eom": N_("ends a message"),
    "unk": N_("stands for what is unknown"),
    "sep": N_("parts two texts"),
    "pad": N_("fills up a batch"),
    "cls": N_("stands for a whole text"),
    "mask": N_("stands for a hidden word"),
    "fim_prefix": N_("before a gap to fill"),
    "fim_suffix": N_("after a gap to fill"),
    "fim_middle": N_("the gap to fill"),
}


def show(workbench: Workbench, gguf: GGUF) -> None:
    """Draws it."""
    if not gguf.vocabulary_size:
        st.info(_("This file has no tokenizer."), icon=":material/info:")
        return
    _bench(gguf)
    _languages(workbench, gguf)
    _special(gguf)


def _bench(gguf: GGUF) -> None:
    text = st.text_area(
        _("Text"),
        _(TEXT),
        key="inspect-text",
        max_chars=LONGEST,
        help=_("Type anything: letters, figures, other scripts, emoji, code."),
    )
    special = st.toggle(
        _("Recognise control tokens"),
        key="inspect-special",
        help=_(
            "Spelled in the text, as <|im_start|>. In what people type, a chat never does: they would take it over."
        ),
    )
    if not text:
        return
    try:
        pieces = _pieces(gguf.path, gguf.path.stat().st_mtime_ns, text, special)
    except (WorkbenchError, OSError) as error:
        error_box.show(error if isinstance(error, WorkbenchError) else WorkbenchError())
        return
    words = max(look.words(text), 1)
    st.markdown(
        _(
            "**{tokens}** for {words} and {characters}: {rate} tokens a word.",
            tokens=ngettext("{count} token", "{count} tokens", len(pieces)),
            words=ngettext("{count} word", "{count} words", look.words(text)),
            characters=ngettext("{count} character", "{count} characters", len(text)),
            rate=number(round(len(pieces) / words, 2)),
        )
    )
    st.markdown(" ".join(_mark(piece, place) for place, piece in enumerate(pieces[:SHOWN])))
    fold = st.expander(_("Ids and bytes"), icon=":material/table:", key="inspect-ids", on_change="rerun")
    if fold.open:
        fold.dataframe(
            {
                _("Token"): [piece.text for piece in pieces],
                _("Id"): [piece.id for piece in pieces],
                _("Bytes"): [piece.data.hex(" ") for piece in pieces],
            },
            hide_index=True,
            key="inspect-pieces",
        )


def _mark(piece: Piece, place: int) -> str:
    """A token in the colour of its place; spaces and line ends are made visible."""
    shown = piece.text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥") or "∅"
    return f":{COLOURS[place % len(COLOURS)]}-background[{error_box.plain(shown)}]"


@st.cache_resource(max_entries=64, show_spinner=False)
def _pieces(path: Path, changed: int, text: str, special: bool) -> list[Piece]:
    return look.tokenize(path, text, special=special)


def _languages(workbench: Workbench, gguf: GGUF) -> None:
    st.subheader(_("French against English"), anchor=False)
    st.caption(
        _(
            "The same text in both languages (articles of the Universal Declaration of Human Rights). More tokens for "
            "the same words: slower, dearer, and the context is full sooner."
        )
    )
    own = files.embedded()
    listed = [str(path) for path in ([own] if own else []) + files.find(workbench.settings)]
    others = st.multiselect(
        _("Compare with"),
        [path for path in dict.fromkeys(listed) if path != str(gguf.path)],
        format_func=lambda path: Path(path).name,
        key="inspect-compare",
        placeholder=_("Other models on this machine"),
    )
    rows = [row for path in (str(gguf.path), *others) if (row := _row(Path(path))) is not None]
    if rows:
        st.table(rows, border="horizontal", hide_index=True)


def _row(path: Path) -> dict[str, str] | None:
    try:
        gguf = source.opened(path)
        found = _per_word(path, path.stat().st_mtime_ns)
    except (WorkbenchError, OSError) as error:
        error_box.show(error if isinstance(error, WorkbenchError) else WorkbenchError())
        return None
    return {
        _("Model"): error_box.plain(gguf.name or path.name),
        _("Vocabulary"): number(gguf.vocabulary_size or 0),
        _("Tokens a word, English"): number(round(found.english, 2)),
        _("Tokens a word, French"): number(round(found.french, 2)),
        _("French text takes"): _("{times} times the tokens", times=number(round(found.ratio, 2)))
        if found.ratio is not None
        else "–",
    }


@st.cache_resource(max_entries=64, show_spinner=False)
def _per_word(path: Path, changed: int) -> PerWord:
    return look.per_word(path)


def _special(gguf: GGUF) -> None:
    tokens = anatomy.special_tokens(gguf)
    if not tokens:
        return
    st.subheader(_("Special tokens"), anchor=False)
    st.dataframe(
        {
            _("Token"): [token.text for token in tokens],
            _("Id"): [token.id for token in tokens],
            _("What it does"): [", ".join(_(ROLES[role]) + f" ({role})" for role in token.roles) for token in tokens],
        },
        hide_index=True,
        key="inspect-special-tokens",
    )
