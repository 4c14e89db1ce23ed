"""Finding what a person typed among titles and messages: SQL over the indexes of m003_library, and the excerpt shown.

Words are found whole and the last one from its beginning, without regard to case and accents. What the index cuts out
or does not cut into words (signs such as ++, emoji, scripts written without spaces) must stand in the text as it was
typed; a query of nothing else is looked for message by message, newest first.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from core.store import records

Parts = tuple[tuple[str, bool], ...]
"""A text cut into pieces, each with whether it is what was looked for."""

CANDIDATES = 1000
"""Of a word that stands in half of all messages, only this many of the newest are compared."""

QUERY_LENGTH = 200
EXCERPT_LENGTH = 160
_BEFORE = 40
_READ = 100_000
"""Characters of a message that an excerpt is looked for in."""

# Thai to Khmer, CJK, Hangul: written without spaces, or with suffixes that unicode61 leaves on the word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_GAPS = re.compile(r"[\s\x00-\x1f\x7f]+")


class Query(NamedTuple):
    """What is looked for: `match` in FTS5's language, empty where the index is of no help; `literal` for LIKE."""

    match: str
    literal: tuple[str, ...]
    marks: re.Pattern[str]


class Hit(NamedTuple):
    """A place where it stands. `message_id` is None for a title; the smaller the `score`, the better."""

    conversation_id: str
    message_id: str | None
    score: float


def parse(text: str) -> Query | None:
    """The query that a person typed; None when there is nothing in it."""
    words = one_line(records.clean(text)[:QUERY_LENGTH]).split()
    indexed = [word for word in words if _has_token(word) and not _UNSPACED.search(word)]
    literal = [word for word in words if word not in indexed or any(_is_sign(ch) for ch in word)]
    if not words:
        return None
    terms = [f'"{word.replace(chr(34), chr(34) * 2)}"' for word in indexed]
    if terms and indexed[-1] == words[-1] and len(words[-1]) > 1:
        terms[-1] += "*"
    return Query(" ".join(terms), tuple(_like(word) for word in literal), _marks(words))


def titles(connection: sqlite3.Connection, owner: str, query: Query) -> Iterator[Hit]:
    """Conversations whose title has it; the newest where the index is of no help."""
    where = _where("conversations.title", query)
    if query.match:
        sql = f"""
            SELECT conversation_id, bm25(titles_index) FROM titles_index
            CROSS JOIN library ON library.number = titles_index.rowid
            CROSS JOIN conversations ON conversations.id = conversation_id
            WHERE titles_index MATCH :match AND owner = :owner AND comparison_id IS NULL {where}
            ORDER BY titles_index.rowid DESC LIMIT :candidates"""
    else:
        sql = f"""
            SELECT id, 0.0 FROM conversations WHERE owner = :owner AND comparison_id IS NULL {where}
            ORDER BY updated_at DESC LIMIT :candidates"""
    for id, score in connection.execute(sql, _values(owner, query)):
        yield Hit(id, None, score)


def messages(connection: sqlite3.Connection, owner: str, query: Query) -> Iterator[Hit]:
    """Messages that have it, newest first."""
    where = _where("messages.content", query)
    if query.match:
        sql = f"""
            SELECT conversation_id, messages.id, bm25(messages_index) FROM messages_index
            CROSS JOIN messages ON messages.number = messages_index.rowid
            CROSS JOIN conversations ON conversations.id = conversation_id
            WHERE messages_index MATCH :match AND owner = :owner AND comparison_id IS NULL {where}
            ORDER BY messages_index.rowid DESC LIMIT :candidates"""
    else:
        sql = f"""
            SELECT conversation_id, messages.id, 0.0 FROM messages
            CROSS JOIN conversations ON conversations.id = conversation_id
            WHERE owner = :owner AND comparison_id IS NULL {where} ORDER BY number DESC LIMIT :candidates"""
    for row in connection.execute(sql, _values(owner, query)):
        yield Hit(*row)


def excerpt(text: str, query: Query) -> Parts:
    """The text around the first place that matches, at most 160 characters in one line, what matches told apart."""
    text = text[:_READ]
    first = query.marks.search(fold(text))
    start = _word_start(text, first.start() - _BEFORE) if first else 0
    piece = text[start : start + EXCERPT_LENGTH]
    found = query.marks.finditer(fold(piece))
    line = _cut(piece, [match.span() for match in found])
    before, after = "…" if start else "", "…" if start + EXCERPT_LENGTH < len(text) else ""
    return tuple(part for part in ((before, False), *line, (after, False)) if part[0])


def one_line(text: str) -> str:
    """The text without line breaks, runs of spaces and control characters."""
    return _GAPS.sub(" ", text).strip()


def fold(text: str) -> str:
    """The text in small letters without accents, character by character: as long as it was."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = plain if len(plain) == 1 else chr(code)
        return self[code]


_FOLDED = _Folded()


def _values(owner: str, query: Query) -> dict[str, object]:
    literal = {f"literal{n}": pattern for n, pattern in enumerate(query.literal)}
    return {"owner": owner, "match": query.match, "candidates": CANDIDATES, **literal}


def _where(column: str, query: Query) -> str:
    return " ".join(f"AND {column} LIKE :literal{n} ESCAPE '\\'" for n in range(len(query.literal)))


def _has_token(word: str) -> bool:
    """Whether FTS5's unicode61 finds something in it: a letter, a digit or a character for private use."""
    return any(unicodedata.category(ch)[0] in "LN" or unicodedata.category(ch) == "Co" for ch in word)


def _is_sign(ch: str) -> bool:
    """A mathematical or other symbol, an emoji: cut out by the index, and meant by who types it."""
    return unicodedata.category(ch)[0] == "S"


def _like(word: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


def _marks(words: list[str]) -> re.Pattern[str]:
    """What is shown in bold: the words, from where one begins; accents written apart may stand between letters."""
    patterns = []
    for word in words:
        folded = fold(unicodedata.normalize("NFC", word)).strip("\"'.,;:!?()[]«»“”")
        if folded:
            inner = r"[\u0300-\u036f]*".join(re.escape(ch) for ch in folded)
            patterns.append(rf"(?<![^\W_]){inner}" if folded[0].isalnum() and not _UNSPACED.search(word) else inner)
    return re.compile("|".join(sorted(patterns, key=len, reverse=True)) or r"(?!)")


def _word_start(text: str, wanted: int) -> int:
    if wanted <= 0:
        return 0
    gap = _GAPS.search(text, wanted, wanted + _BEFORE // 2)
    return gap.end() if gap else wanted


def _cut(piece: str, spans: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    parts, done = [], 0
    for start, end in spans:
        parts += [(piece[done:start], False), (piece[start:end], True)]
        done = end
    parts.append((piece[done:], False))
    return [(_GAPS.sub(" ", text), matched) for text, matched in parts]
