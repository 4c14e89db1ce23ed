"""Documents for the tests, made with the libraries that people's programs use, in English and French."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from core.rag.files import Incoming

ROOT = Path(__file__).parents[2]

ENGLISH = (
    "The lighthouse keeper wound the clock every evening. Its weights fell eleven metres in a night.",
    "Photosynthesis turns water and carbon dioxide into sugar. Plants do it with the light of the sun.",
    "The parliament of the island met outdoors until 1798. Every speaker stood on the same rock.",
)
FRENCH = (
    "Le gardien du phare remontait l'horloge chaque soir. Ses poids descendaient de onze mètres en une nuit.",
    "La photosynthèse transforme l'eau et le gaz carbonique en sucre, grâce à la lumière du soleil.",
    "Le parlement de l'île siégeait en plein air jusqu'en 1798. Chaque orateur se tenait sur le même rocher.",
)


def pdf(
    path: Path,
    pages: Sequence[str] = ENGLISH,
    *,
    titles: Sequence[str] = (),
    password: str = "",
) -> Path:
    """A PDF with a text a page; `titles`: a heading and a bookmark for each."""
    from fpdf import FPDF
    from fpdf.enums import AccessPermission, EncryptionMethod

    document = FPDF()
    if password:
        document.set_encryption(
            owner_password=password + "!",
            user_password=password,
            permissions=AccessPermission.none(),
            encryption_method=EncryptionMethod.AES_128,
        )
    document.set_font("Helvetica", size=12)
    for number, text in enumerate(pages):
        document.add_page()
        if number < len(titles):
            document.start_section(titles[number])
            document.cell(text=titles[number], new_x="LMARGIN", new_y="NEXT")
        document.multi_cell(0, text=text)
    document.output(str(path))
    return path


def scanned(path: Path, *, text: str = "Scanned words about a lighthouse", pages: int = 1) -> Path:
    """A PDF whose pages are pictures of a text."""
    from fpdf import FPDF
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (1200, 300), 255)
    ImageDraw.Draw(picture).text((60, 100), text, fill=0, font=ImageFont.load_default(60))
    document = FPDF()
    for _ in range(pages):
        document.add_page()
        document.image(picture, w=180)
    document.output(str(path))
    return path


def garbled(path: Path, pages: Sequence[str] = ENGLISH) -> Path:
    """A PDF whose font does not say which letter each of its signs is."""
    from fpdf import FPDF
    from PIL import ImageFont

    font = path.with_suffix(".ttf")
    font.write_bytes(ImageFont.load_default(20).font_bytes)
    document = FPDF()
    document.add_font("Own", fname=font)
    document.set_font("Own", size=12)
    for text in pages:
        document.add_page()
        document.multi_cell(0, text=text)
    path.write_bytes(bytes(document.output()).replace(b"/ToUnicode", b"/NoUnicode"))
    return path


def docx(path: Path, texts: Sequence[str] = ENGLISH) -> Path:
    """A Word document: a title, two sections, a table."""
    import docx as word

    document = word.Document()
    document.add_heading("The island", 0)
    document.add_heading("Light", 1)
    document.add_paragraph(texts[0])
    document.add_heading("Plants", 2)
    document.add_paragraph(texts[1])
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, [("Year", "Ships"), ("1798", "41")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph(texts[2])
    document.save(str(path))
    return path


def pptx(path: Path, texts: Sequence[str] = ENGLISH) -> Path:
    """Slides, each with a title and a text; the last one with notes."""
    import pptx as powerpoint

    presentation = powerpoint.Presentation()
    for number, text in enumerate(texts, 1):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text = text
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    presentation.save(str(path))
    return path


def xlsx(path: Path) -> Path:
    """Two sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Harbour"
    for row in [("Ship", "Tonnes", "Arrived"), ("Étoile", 410, "Monday"), ("Perle", 95.5, None)]:
        sheet.append(row)
    book.create_sheet("Crew").append(["Name", "Rank"])
    book["Crew"].append(["Anaïs", "mate"])
    book.save(path)
    return path


def html(texts: Sequence[str] = FRENCH) -> bytes:
    """A page with a script, a style, something hidden, headings and a list."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(
        "<!DOCTYPE html><html lang='fr'><head><meta charset='utf-8'></head><body></body></html>", "lxml"
    )
    body = soup.body
    assert body is not None

    def add(name: str, text: str, **attributes: str) -> None:
        tag = soup.new_tag(name, attrs=attributes)
        tag.string = text
        body.append(tag)

    add("script", "alert('never read')")
    add("style", "p { color: red }")
    add("h1", "L'île")
    add("p", texts[0])
    add("div", "secret instructions", style="display: none")
    add("h2", "Les plantes")
    add("p", texts[1])
    add("li", texts[2])
    return soup.encode("utf-8")


def packed(path: Path, files: dict[str, str | bytes]) -> Path:
    """A ZIP file, its first entry stored as it is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(files.items()):
            archive.writestr(name, data, zipfile.ZIP_STORED if number == 0 else zipfile.ZIP_DEFLATED)
    return path


def epub(path: Path, chapters: Sequence[bytes]) -> Path:
    """A book with these chapters."""
    names = [f"chapter {number}.xhtml" for number in range(1, len(chapters) + 1)]
    items = "".join(f'<item id="c{i}" href="{name.replace(" ", "%20")}"/>' for i, name in enumerate(names))
    refs = "".join(f'<itemref idref="c{i}"/>' for i in range(len(names)))
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{refs}</spine></package>'
    )
    written = dict(zip((f"OEBPS/{name}" for name in names), chapters, strict=True))
    return packed(
        path,
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OEBPS/book.opf": package,
            **written,
        },
    )


def odt(path: Path, texts: Sequence[str] = FRENCH) -> Path:
    """An OpenDocument text: a heading, paragraphs, a table."""
    office, text, table = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "text", "table"))
    rows = "<table:table-row><table:table-cell><text:p>An</text:p></table:table-cell><table:table-cell><text:p>1798"
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:text="{text}" xmlns:table="{table}"><office:body>'
        f'<office:text><text:h text:outline-level="1">L\'île</text:h><text:p>{texts[0]}</text:p>'
        f"<text:p>{texts[1][:20]}<text:s/><text:span>{texts[1][20:]}</text:span></text:p>"
        f"<table:table>{rows}</text:p></table:table-cell></table:table-row></table:table>"
        "</office:text></office:body></office:document-content>"
    )
    return packed(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": "<m/>",
            "content.xml": content,
        },
    )


def open_document(path: Path, kind: str, body: str) -> Path:
    """An OpenDocument file of this kind ("spreadsheet", "presentation") with this in its body."""
    names = {"office": "office", "text": "text", "table": "table", "draw": "drawing"}
    spaces = " ".join(f'xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for p, n in names.items())
    inner = f"<office:{kind}>{body}</office:{kind}>"
    content = f"<office:document-content {spaces}><office:body>{inner}</office:body></office:document-content>"
    mimetype = f"application/vnd.oasis.opendocument.{kind}"
    return packed(path, {"mimetype": mimetype, "META-INF/manifest.xml": "<m/>", "content.xml": content})


def image_bytes() -> bytes:
    """A picture."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (10, 10)).save(out, format="PNG")
    return out.getvalue()


def incoming(name: str, data: bytes) -> Incoming:
    """A file to add."""
    return Incoming(name, data=data)
