"""Questions whose answers' places are known: from CSV and JSONL files, and from folders in the form of BEIR.

A question expects documents with grades; of a document, where it is said, a page or words of the passage. A folder of
BEIR (Thakur et al. 2021) has corpus.jsonl ({"_id", "title", "text"}), queries.jsonl ({"_id", "text"}) and
qrels/test.tsv (query-id, corpus-id, score, after a line of names).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.attachments import LIMIT_MB, read
from core.errors import N_, QuestionSetUnreadable
from core.rag.values import Chunk

COLUMNS: dict[str, tuple[str, ...]] = {
    "question": ("question", "query", "text", "prompt"),
    "document": ("document", "doc", "file", "fichier", "source"),
    "page": ("page",),
    "passage": ("passage", "extrait", "quote", "context"),
    "answer": ("answer", "réponse", "reponse", "expected"),
    "id": ("id", "_id"),
}
"""The names that a column may have, capitals apart; the first name found counts."""

MOST = 20_000


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer is: a document by id or name; `page` and `passage` narrow it. `grade`: above 0 is relevant."""

    document: str
    page: int | None = None
    passage: str = ""
    grade: int = 1


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `answer`: what a right answer says; empty where nobody wrote it."""

    id: str
    text: str
    expected: tuple[Expected, ...]
    answer: str = ""


class BeirFolder(msgspec.Struct, frozen=True):
    """A corpus, a document a passage, with its questions; those without a grade are left out."""

    passages: tuple[Chunk, ...]
    questions: tuple[Question, ...]


def from_file(name: str, data: bytes) -> tuple[Question, ...]:
    """The questions of a CSV or JSONL file. Raises `QuestionSetUnreadable`, or an `AttachmentError`."""
    text = read(name, data).text
    rows = _json_rows(text, name) if text.lstrip().startswith("{") else _csv_rows(text)
    found: list[Question] = []
    for number, row in enumerate(rows, start=1):
        fields = _named(row)
        if not fields.get("question", "").strip():
            continue
        if len(found) == MOST:
            raise QuestionSetUnreadable(name=name, detail=N_("it has more than 20,000 questions"))
        found.append(_question(name, number, fields))
    if not found:
        raise QuestionSetUnreadable(name=name, detail=N_("it has no question"))
    return tuple(found)


def to_jsonl(questions: Sequence[Question]) -> str:
    """As `from_file` reads it again: a line for each expected place."""
    lines = []
    for one in questions:
        for place in one.expected:
            line = {"id": one.id, "question": one.text, "document": place.document, "page": place.page}
            line |= {"passage": place.passage, "answer": one.answer}
            lines.append(json.dumps({k: v for k, v in line.items() if v not in (None, "")}, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def beir(folder: Path) -> BeirFolder:
    """A folder in the form of BEIR. Raises `QuestionSetUnreadable`."""
    corpus, queries, qrels = folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv"
    for path in (corpus, queries, qrels):
        if not path.is_file():
            missing = path.relative_to(folder).as_posix()
            raise QuestionSetUnreadable(name=str(folder), detail=f"{missing}: {N_('there is no such file')}")
    grades = _grades(qrels)
    questions = [Question(id=id, text=text, expected=grades[id]) for id, _, text in _entries(queries) if grades.get(id)]
    if not questions:
        raise QuestionSetUnreadable(name=str(folder), detail=N_("no question has a document that is in qrels"))
    passages = tuple(
        Chunk(id=id, document_id=id, document=id, position=0, text=whole, start=0, end=len(whole), tokens=0)
        for id, title, text in _entries(corpus)
        for whole in [f"{title}\n{text}" if title else text]
    )
    return BeirFolder(passages, tuple(questions))


class Places:
    """Where things stand among these passages, by their documents' ids and names."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._of: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            for name in {chunk.document_id, chunk.document}:
                self._of.setdefault(name, []).append(chunk)

    def grades(self, question: Question) -> dict[str, int]:
        """What is relevant: documents, or passages where a page or words narrow it. Keys are those of `key`.

        Where the words that are expected are in no passage whole, since chunks may cut them apart, those that lie
        within them count, else those of the page, else those of the document.
        """
        narrowed = narrow(question)
        found: dict[str, int] = {}
        for place in question.expected:
            there = self._of.get(place.document, [])
            keys = _narrowed(place, there) if narrowed else list(dict.fromkeys(one.document_id for one in there))
            for key in keys or [place.document]:  # a document that is not there stays: it was not found
                found[key] = max(found.get(key, 0), place.grade)
        return found


def narrow(question: Question) -> bool:
    """Whether passages count, and not documents."""
    return any(place.page is not None or place.passage for place in question.expected)


def key(chunk: Chunk, *, by_passage: bool) -> str:
    """What a ranking calls a passage: its own id, or its document's."""
    return chunk.id if by_passage else chunk.document_id


def _narrowed(place: Expected, of_document: Sequence[Chunk]) -> list[str]:
    if place.passage:
        wanted = _squeezed(place.passage)
        holding = [one.id for one in of_document if wanted in _squeezed(one.text)]
        within = [one.id for one in of_document if len(one.text) > 40 and _squeezed(one.text) in wanted]
        if holding or within:
            return holding or within
    on_page = [one.id for one in of_document if place.page is None or one.page == place.page]
    return on_page or [one.id for one in of_document]


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _question(name: str, number: int, fields: Mapping[str, str]) -> Question:
    document = fields.get("document", "").strip()
    if not document:
        raise QuestionSetUnreadable(name=name, detail=N_("a question names no document"))
    page = fields.get("page", "").strip()
    if page and not page.removesuffix(".0").isdecimal():
        raise QuestionSetUnreadable(name=name, detail=N_("a page is no number"))
    place = Expected(
        document=document,
        page=int(page.removesuffix(".0")) if page else None,
        passage=fields.get("passage", "").strip(),
    )
    return Question(
        id=fields.get("id") or str(number),
        text=fields["question"].strip(),
        expected=(place,),
        answer=fields.get("answer", "").strip(),
    )


def _named(row: Mapping[str, Any]) -> dict[str, str]:
    """The fields by our names for them."""
    plain = {str(name).strip().casefold(): value for name, value in row.items() if name is not None}
    found = {}
    for ours, theirs in COLUMNS.items():
        value = next((plain[name] for name in theirs if plain.get(name) not in (None, "")), "")
        found[ours] = str(value)
    return found


def _csv_rows(text: str) -> Iterator[Mapping[str, Any]]:
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(LIMIT_MB << 20)
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)


def _json_rows(text: str, name: str) -> Iterator[Mapping[str, Any]]:
    for line in text.split("\n"):
        if line.strip():
            yield _object(line, name)


def _object(line: str | bytes, name: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise QuestionSetUnreadable(name=name, detail=N_("a line is no JSON object")) from exc
    if not isinstance(value, dict):
        raise QuestionSetUnreadable(name=name, detail=N_("a line is no JSON object"))
    return value


def _entries(path: Path) -> Iterator[tuple[str, str, str]]:
    """Id, title and text of each line."""
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                entry = _object(line, path.name)
                if "_id" not in entry or not isinstance(entry.get("text"), str):
                    raise QuestionSetUnreadable(name=path.name, detail=N_("a line has no _id or no text"))
                yield str(entry["_id"]), str(entry.get("title") or "").strip(), entry["text"]


def _grades(path: Path) -> dict[str, tuple[Expected, ...]]:
    found: dict[str, tuple[Expected, ...]] = {}
    try:
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines(), delimiter="\t"))
    except (UnicodeDecodeError, csv.Error) as exc:
        raise QuestionSetUnreadable(name=path.name, detail=N_("it is no table")) from exc
    for number, row in enumerate(rows):
        if not row:
            continue
        # TREC's own form has a column more: query, 0, document, grade.
        query, document, grade = (row[0], row[-2], row[-1]) if len(row) >= 3 else ("", "", "")
        try:
            found[query] = (*found.get(query, ()), Expected(document=document, grade=int(float(grade))))
        except ValueError as exc:
            if number:  # the first line names the columns
                raise QuestionSetUnreadable(name=path.name, detail=N_("a grade is no number")) from exc
    return {query: places for query, places in found.items() if any(one.grade > 0 for one in places)}
