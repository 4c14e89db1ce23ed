"""Reading real documents of every kind, in English and French, and what is damaged, hostile or none."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from core.errors import (
    DocumentEmpty,
    DocumentEncrypted,
    DocumentScanned,
    DocumentTooLarge,
    DocumentTooSlow,
    DocumentUnreadable,
    FormatUnknown,
)
from core.rag.extract import FILE_LIMIT, extract
from core.rag.values import Extracted
from tests.rag import making


def read(path: Path, **how: object) -> Extracted:
    return extract(path, path.name, **how)  # type: ignore[arg-type]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def words(text: str) -> str:
    return " ".join(text.split())


def titles(extracted: Extracted) -> list[tuple[int, str]]:
    """The headings, each found where it is said to be."""
    for one in extracted.outline.headings:
        assert words(extracted.text[one.start :]).startswith(one.title)
    return [(one.level, one.title) for one in extracted.outline.headings]


@pytest.mark.parametrize("texts", [making.ENGLISH, making.FRENCH], ids=["en", "fr"])
def test_pdf(tmp_path: Path, texts: tuple[str, ...]) -> None:
    found = read(making.pdf(tmp_path / "a.pdf", texts, titles=("One", "Two", "Three")))
    assert (found.media_type, found.pages, found.note) == ("application/pdf", 3, "")
    assert titles(found) == [(1, "One"), (1, "Two"), (1, "Three")]
    starts = [start for start, _ in found.outline.pages]
    for text, begin, end in zip(texts, starts, [*starts[1:], len(found.text)], strict=True):
        assert text in words(found.text[begin:end])


@pytest.mark.parametrize("texts", [making.ENGLISH, making.FRENCH], ids=["en", "fr"])
def test_word(tmp_path: Path, texts: tuple[str, ...]) -> None:
    found = read(making.docx(tmp_path / "a.docx", texts))
    assert titles(found) == [(1, "The island"), (1, "Light"), (2, "Plants")]
    assert all(text in found.text for text in texts)
    assert "Year: 1798 | Ships: 41" in found.text
    assert found.text.index("Ships") < found.text.index(texts[2]), "in the order of the document"


@pytest.mark.parametrize("texts", [making.ENGLISH, making.FRENCH], ids=["en", "fr"])
def test_powerpoint(tmp_path: Path, texts: tuple[str, ...]) -> None:
    found = read(making.pptx(tmp_path / "a.pptx", texts))
    assert (found.pages, [number for _, number in found.outline.pages]) == (3, [1, 2, 3])
    assert titles(found) == [(1, "Slide 1"), (1, "Slide 2"), (1, "Slide 3")]
    assert all(text in found.text for text in (*texts, "Say it slowly."))


def test_excel(tmp_path: Path) -> None:
    found = read(making.xlsx(tmp_path / "a.xlsx"))
    assert titles(found) == [(1, "Harbour"), (1, "Crew")]
    assert "Ship: Étoile | Tonnes: 410 | Arrived: Monday\nShip: Perle | Tonnes: 95.5\n" in found.text


@pytest.mark.parametrize("texts", [making.ENGLISH, making.FRENCH], ids=["en", "fr"])
def test_html_without_what_nobody_sees(tmp_path: Path, texts: tuple[str, ...]) -> None:
    found = read(written(tmp_path / "a.html", making.html(texts)))
    assert titles(found) == [(1, "L'île"), (2, "Les plantes")]
    assert all(text in found.text for text in texts)
    assert not any(hidden in found.text for hidden in ("never read", "color", "secret", "<", "html"))


def test_epub(tmp_path: Path) -> None:
    found = read(making.epub(tmp_path / "a.epub", [making.html(making.FRENCH), making.html(making.ENGLISH)]))
    assert found.text.index(making.FRENCH[2]) < found.text.index(making.ENGLISH[0])
    assert len(titles(found)) == 4


def test_open_document(tmp_path: Path) -> None:
    found = read(making.odt(tmp_path / "a.odt"))
    assert titles(found) == [(1, "L'île")]
    assert making.FRENCH[0] in found.text
    assert "An | 1798" in found.text


def test_open_document_tables_and_slides(tmp_path: Path) -> None:
    def cell(text: str) -> str:
        return f"<table:table-cell><text:p>{text}</text:p></table:table-cell>"

    rows = "".join(
        f"<table:table-row>{cell(a)}{cell(b)}</table:table-row>" for a, b in (("Nom", "Âge"), ("Éloi", "40"))
    )
    sheet = f'<table:table table:name="Équipage">{rows}</table:table>'
    found = read(making.open_document(tmp_path / "a.ods", "spreadsheet", sheet))
    assert titles(found) == [(1, "Équipage")]
    assert "Nom | Âge\nÉloi | 40\n" in found.text
    slide = "<draw:page><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>"
    slides = "".join(slide.format(text) for text in making.FRENCH)
    found = read(making.open_document(tmp_path / "a.odp", "presentation", slides))
    assert (found.pages, [number for _, number in found.outline.pages]) == (3, [1, 2, 3])
    assert found.text[found.outline.pages[1][0] :].startswith(making.FRENCH[1])


def test_markdown(tmp_path: Path) -> None:
    text = "# L'île #\n\nUn texte.\n\n```\n# no heading\n```\n\nSous-titre\n---\n\n### Plus bas\n"
    found = read(written(tmp_path / "a.md", text.encode()))
    assert found.text == text
    assert [(one.level, one.title) for one in found.outline.headings] == [
        (1, "L'île"),
        (2, "Sous-titre"),
        (3, "Plus bas"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_text_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Où étais-tu ? À l'île, près du phare, où naît l'été. Ça va très bien.\n" * 5
    found = read(written(tmp_path / "a.txt", text.encode(encoding)))
    assert found.text == text


def test_source_code_is_text(tmp_path: Path) -> None:
    assert read(Path(__file__)).text == Path(__file__).read_text()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_csv(tmp_path: Path, encoding: str) -> None:
    data = 'Nom;Métier;Âge\nAnaïs;"marin, à terre";31\nÉloi;"garde\nde nuit";40\n'.encode(encoding)
    found = read(written(tmp_path / "a.csv", data))
    assert found.text.splitlines() == [
        "Nom | Métier | Âge",
        "Nom: Anaïs | Métier: marin, à terre | Âge: 31",
        "Nom: Éloi | Métier: garde de nuit | Âge: 40",
    ]


def test_a_million_rows_are_read_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.write("name,number\n")
        file.writelines(f"row {number},{number}\n" for number in range(1_000_000))
    steps: list[tuple[int, int]] = []
    found = read(path, step=lambda done, total: steps.append((done, total)), memory_bytes=500_000_000)
    assert found.note == "It is very long: only its beginning was taken in."
    assert found.text.startswith("name | number\nname: row 0 | number: 0\n")
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_an_encrypted_pdf_is_read_with_its_password_only(tmp_path: Path) -> None:
    path = making.pdf(tmp_path / "a.pdf", password="open sesame")
    for wrong in ("", "wrong"):
        with pytest.raises(DocumentEncrypted):
            read(path, password=wrong)
    assert making.ENGLISH[0] in words(read(path, password="open sesame").text)


def test_a_scanned_pdf_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(DocumentScanned) as caught:
        read(making.scanned(tmp_path / "a.pdf", pages=2), ocr=False)
    assert caught.value.values == {"pages": 2}


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_a_scanned_pdf_is_read_by_tesseract(tmp_path: Path) -> None:
    found = read(making.scanned(tmp_path / "a.pdf"))
    assert "lighthouse" in found.text
    assert found.note.startswith("Some pages are pictures")


def test_fonts_that_tell_no_letters_are_noticed(tmp_path: Path) -> None:
    found = read(making.garbled(tmp_path / "a.pdf"), ocr=False)
    assert found.note == "Its fonts do not say which letters they show: most of what was read is no text."
    assert read(making.pdf(tmp_path / "b.pdf", making.FRENCH)).note == ""


def test_a_word_that_a_line_parts_is_whole_again(tmp_path: Path) -> None:
    found = read(making.pdf(tmp_path / "a.pdf", ["The photo-\nsynthesis of plants\ngoes on all day."]))
    assert words(found.text) == "The photosynthesis of plants goes on all day."


@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\xef\xbb\xbf"], ids=["nothing", "blank", "a mark"])
def test_nothing_in_it(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DocumentEmpty):
        read(written(tmp_path / "a.txt", data))


def test_what_it_is_counts_and_not_its_name(tmp_path: Path) -> None:
    assert read(making.pdf(tmp_path / "a.docx")).pages == 3
    assert making.ENGLISH[0] in read(making.docx(tmp_path / "b.pdf")).text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", making.image_bytes()),
        ("a.txt", bytes(range(256)) * 20),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000)),
        ("a.gguf", b"GGUF\x03\x00\x00\x00"),
    ],
    ids=["picture", "bytes", "old Word", "model"],
)
def test_kinds_that_are_not_read(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(FormatUnknown):
        read(written(tmp_path / name, data))


@pytest.mark.parametrize("kind", ["pdf", "docx", "pptx", "xlsx", "epub", "odt"])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.97])
def test_cut_off_files_are_said_to_be_damaged(tmp_path: Path, kind: str, part: float) -> None:
    whole = tmp_path / f"whole.{kind}"
    make = {"pdf": making.pdf, "docx": making.docx, "pptx": making.pptx, "xlsx": making.xlsx, "odt": making.odt}
    making.epub(whole, [making.html()]) if kind == "epub" else make[kind](whole)
    data = whole.read_bytes()
    try:
        found = read(written(tmp_path / f"a.{kind}", data[: int(len(data) * part)]))
    except DocumentUnreadable:
        return
    assert kind == "pdf" and found.text.strip(), "PDFium mends what it can"


@pytest.mark.parametrize(
    ("inside", "name"),
    [("word/document.xml", "a.docx"), ("xl/workbook.xml", "a.xlsx"), ("OEBPS/c.xhtml", "a.epub")],
)
def test_zip_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, inside: str, name: str) -> None:
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        with archive.open(inside, "w", force_zip64=True) as file:
            for _ in range(150):
                file.write(b" " * 1_000_000)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DocumentUnreadable, match="larger than any document"):
        read(path)


def test_a_zip_that_lies_about_its_size_is_damaged(tmp_path: Path) -> None:
    path = making.docx(tmp_path / "a.docx")
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("word/document.xml").file_size
    place = data.rindex(b"word/document.xml") - 46 + 24
    assert int.from_bytes(data[place : place + 4], "little") == size
    data[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(DocumentUnreadable):
        read(written(path, bytes(data)))


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the secret")
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(9))
    doctype = f'<!DOCTYPE x [<!ENTITY file SYSTEM "{(tmp_path / "secret.txt").as_uri()}">{entities}]>'
    path = making.odt(tmp_path / "a.odt", ("Before &file; &e8; after.", *making.FRENCH[1:]))
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["content.xml"] = doctype.encode() + files["content.xml"]
    found = read(making.packed(path, files))
    assert "the secret" not in found.text
    assert len(found.text) < 1000


def test_a_pdf_whose_page_tree_is_a_loop_ends(tmp_path: Path) -> None:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1000 >>",
        b"<< /Type /Pages /Kids [2 0 R] /Parent 2 0 R /Count 1000 >>",
    ]
    data = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"xref\n0 4\n0000000000 65535 f \n%strailer << /Root 1 0 R /Size 4 >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(data),
    )
    with pytest.raises(DocumentUnreadable):
        read(written(tmp_path / "a.pdf", bytes(data)))


def test_ten_thousand_pages_are_read_with_little_memory(tmp_path: Path) -> None:
    import pypdfium2 as pdfium

    source = pdfium.PdfDocument(making.pdf(tmp_path / "one.pdf", ["A page about the lighthouse."]))
    target = pdfium.PdfDocument.new()
    for _ in range(10):
        target.import_pages(source)
    for _ in range(3):
        target.import_pages(pdfium.PdfDocument(saved(target, tmp_path)), list(range(len(target))) * 9)
    path = saved(target, tmp_path)
    found = read(path, memory_bytes=700_000_000)
    assert found.pages == 10_000
    assert found.outline.pages[-1][1] == 10_000
    assert found.text.count("lighthouse") == 10_000


def saved(document: object, folder: Path) -> Path:
    path = folder / f"{len(document)}.pdf"  # type: ignore[arg-type]
    document.save(path)  # type: ignore[attr-defined]
    return path


def test_a_file_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(FILE_LIMIT + 1)
    with pytest.raises(DocumentTooLarge):
        read(path)


def test_what_takes_too_much_memory_ends(tmp_path: Path) -> None:
    path = written(tmp_path / "a.html", b"<p>" + b"<b>x</b>" * 1_000_000)
    with pytest.raises(DocumentTooLarge):
        read(path, memory_bytes=250_000_000)


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = written(tmp_path / "a.html", b"<p>" + b"<b>x</b>" * 2_000_000)
    with pytest.raises(DocumentTooSlow):
        read(path, limit_s=0.3)


def test_html_nested_deeper_than_a_stack(tmp_path: Path) -> None:
    found = read(written(tmp_path / "a.html", b"<html>" + b"<div>" * 50_000 + b"deep down"))
    assert found.text.strip() == "deep down"


@pytest.mark.parametrize("kind", ["pages", "one long page"])
def test_stopping_ends_the_reading(tmp_path: Path, kind: str) -> None:
    class Stop(Exception):
        pass

    def step(done: int, total: int) -> None:
        raise Stop

    long = written(tmp_path / "a.html", b"<p>" + b"<b>x</b>" * 1_000_000)
    with pytest.raises(Stop):
        read(making.pdf(tmp_path / "a.pdf") if kind == "pages" else long, step=step)
