"""CSV that no spreadsheet runs, and CSV from whatever program wrote it. Knows cells, and nothing of what they mean.

A cell that begins with = + - @, a tab or a line end is a formula to some spreadsheets: it is written with a ' before
it (OWASP, "CSV Injection"), as is one that begins with ' and could be taken for such a cell. Reading takes it off.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.errors import N_, VotesUnreadable

_RUN = re.compile(r"'*[=+\-@\t\r\n]")
_ESCAPED = re.compile(r"''*[=+\-@\t\r\n]")
_DELIMITERS = ",;\t|"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CELL_LIMIT = 2**31 - 1


def inert(cell: str) -> str:
    """The cell as text to every spreadsheet."""
    return f"'{cell}" if _RUN.match(cell) else cell


def restored(cell: str) -> str:
    """What `inert` was given."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file: UTF-8 with a mark, without which some spreadsheets take it for another encoding."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(inert(column) for column in columns)
    out.writerows([inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", errors="replace")


def rows(data: bytes) -> Iterator[Mapping[str, str]]:
    """The rows of a CSV file by the names of its columns; cells that a row does not have are ''. The first is told as
    it comes, the names of the columns with no cell in it, so that they are known of an empty table too.

    Raises `VotesUnreadable`.
    """
    text = decoded(data)
    csv.field_size_limit(_CELL_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        columns = [restored(name).strip() for name in next(reader, [])]
        yield dict.fromkeys(columns, "")
        for row in reader:
            if row:
                cells = [restored(cell) for cell in row[: len(columns)]]
                yield dict(zip(columns, cells + [""] * (len(columns) - len(cells)), strict=True))
    except csv.Error as exc:
        raise VotesUnreadable(detail=N_("it is no CSV, or not all of it")) from exc


def decoded(data: bytes) -> str:
    """By its mark; else UTF-8; else Windows-1252, what it does not know replaced. NUL characters are left out."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace").replace("\0", "")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    return text.replace("\0", "")


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(_DELIMITERS, key=first.count)
