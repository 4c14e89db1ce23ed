"""Files attached to a question: what is read, how, what is refused, and how a model is given them."""

from __future__ import annotations

import codecs
import json
import random
import re
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.attachments import LIMIT_BYTES, LIMIT_FILES, Attachment, check_number, clean_name, composed, read
from core.errors import AttachmentError, AttachmentTooLarge, NotText, TooManyAttachments

WORDS = "Année scolaire : l’été, « 12 € » – œuvre, naïf."


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode("utf-8"),
        codecs.BOM_UTF8 + WORDS.encode("utf-8"),
        codecs.BOM_UTF16_LE + WORDS.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + WORDS.encode("utf-32-le"),
        WORDS.encode("cp1252"),
    ],
)
def test_each_encoding_gives_the_same_text(data: bytes) -> None:
    assert read("notes.txt", data) == Attachment("notes.txt", WORDS, "text")


def test_latin_1_is_read_as_the_windows_code_page_that_holds_it() -> None:
    assert read("a.txt", "Déjà vu à Besançon".encode("latin-1")).text == "Déjà vu à Besançon"


def test_line_ends_become_line_feeds() -> None:
    assert read("a.txt", b"one\r\ntwo\rthree\n").text == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("notes.txt", "Hello", "text"),
        ("README.MD", "# Title", "markdown"),
        ("a.py", "print()", "code"),
        ("data.csv", "a;b", "csv"),
        ("Makefile", "all:\n\techo", "text"),
        ("run", "#!/bin/sh\necho", "code"),
        ("settings", json.dumps({"a": [1, 2]}), "code"),
        ("page", "<!DOCTYPE html>", "code"),
        ("marks", "name,mark,date\nAnn,12,1\nBob,9,2\n", "csv"),
        ("marks", "name;mark;date\nAnn;12,5;1\nBob;9;2\n", "csv"),
        ("letter", "Dear Ann,\nthank you, and see you,\nBob\n", "text"),
        ("broken", "{ not json", "text"),
        ("deep", "[" * 100_000, "text"),
    ],
)
def test_the_kind_is_told_by_the_name_and_else_by_the_content(name: str, text: str, kind: str) -> None:
    assert read(name, text.encode()).kind == kind


def zipped() -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n% all text so far\n",
        zipped(),
        b"{\\rtf1 Hello}",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\x7fELF\x02\x01\x01\0",
        random.Random(7).randbytes(4096),
        "no mark".encode("utf-16-le"),
        codecs.BOM_UTF16_LE + b"\x00\xd8",
        codecs.BOM_UTF8 + b"\xff\xfe",
        bytes(range(1, 32)) * 3,
    ],
)
def test_what_is_no_text_is_refused_and_the_documents_page_is_named(data: bytes) -> None:
    with pytest.raises(NotText) as caught:
        read("folder/thing.bin", data)
    assert str(caught.value) == "thing.bin is not a text file."
    assert "RAG page" in caught.value.advice() and "CSV" in caught.value.advice()


def test_a_log_with_terminal_colours_is_text() -> None:
    assert read("build.log", b"\x1b[31mfailed\x1b[0m\tin 3 s\n").text.startswith("\x1b[31m")


def test_size_and_number_have_a_limit() -> None:
    assert len(read("a.txt", b"a" * LIMIT_BYTES).text) == LIMIT_BYTES
    with pytest.raises(AttachmentTooLarge, match=r"a\.txt is larger than 2 MB"):
        read("a.txt", b"a" * (LIMIT_BYTES + 1))
    check_number(LIMIT_FILES)
    with pytest.raises(TooManyAttachments, match="21 files are attached, and 20 can be"):
        check_number(LIMIT_FILES + 1)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\Ann\\marks.csv", "marks.csv"),
        ("a`b\n\u202ec.txt", "abc.txt"),
        ("", "file"),
        ("..", "file"),
        ("x" * 300 + ".py", "x" * 117 + ".py"),
    ],
)
def test_a_name_is_a_name_and_nothing_else(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_files_stand_before_the_question_each_named_and_fenced() -> None:
    files = [Attachment("a.py", "print(1)\n", "code"), Attachment("b.md", "# B", "markdown")]
    assert composed("What do they do?", files) == (
        "File `a.py`:\n\n```py\nprint(1)\n```\n\nFile `b.md`:\n\n```markdown\n# B\n```\n\nWhat do they do?"
    )
    assert composed("Nothing attached", []) == "Nothing attached"


@given(st.text(st.sampled_from("`~a \n")))
def test_no_text_closes_the_fence_around_it(text: str) -> None:
    lines = composed("Q", [Attachment("a.txt", text)]).split("\n")
    fence = re.match("`+", lines[2])
    assert fence is not None
    closing = [i for i, line in enumerate(lines) if i > 2 and line.strip().startswith(fence[0])]
    assert closing == [len(lines) - 3]
    assert "\n".join(lines[3 : closing[0]]) == text.removesuffix("\n")


@given(st.text(), st.binary(max_size=300))
def test_any_bytes_are_text_or_refused(name: str, data: bytes) -> None:
    try:
        found = read(name, data)
    except AttachmentError:
        return
    assert found.name and "\r" not in found.text and "\0" not in found.text
    found.text.encode("utf-8")
