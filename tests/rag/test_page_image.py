from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.errors import DocumentUnreadable
from core.rag.extracting.picture import longest_run
from core.rag.page_image import page_image
from tests.rag import making


def marked_rows(png: bytes) -> list[int]:
    """The rows of a picture that have yellow in them."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    width, height = picture.size
    pixels = picture.load()
    assert pixels is not None
    found = []
    for y in range(height):
        row = [pixels[x, y] for x in range(0, width, 3)]
        if sum(r > 200 and g > 180 and b < 190 for r, g, b in row) > 20:  # type: ignore[misc]
            found.append(y)
    return found


def test_the_passage_is_highlighted_where_it_stands(tmp_path: Path) -> None:
    text = " ".join(f"Sentence number {n} stands on this page for itself." for n in range(40))
    path = making.pdf(tmp_path / "long.pdf", [making.ENGLISH[0], text])
    whole = page_image(path, 2, text)
    assert whole.png.startswith(b"\x89PNG") and whole.lines >= 10
    last = page_image(path, 2, "Sentence number 39 stands on this page for itself.")
    assert 1 <= last.lines <= 2
    assert min(marked_rows(last.png)) > min(marked_rows(whole.png))
    assert set(marked_rows(last.png)) <= set(range(min(marked_rows(whole.png)), max(marked_rows(whole.png)) + 4))


def test_white_space_and_capitals_do_not_matter(tmp_path: Path) -> None:
    path = making.pdf(tmp_path / "a.pdf")
    drawn = page_image(path, 2, "PHOTOSYNTHESIS   turns\nwater and carbon dioxide into sugar")
    assert drawn.lines == 1


def test_a_passage_that_is_not_there_marks_nothing(tmp_path: Path) -> None:
    drawn = page_image(making.pdf(tmp_path / "a.pdf"), 1, "Quantum chromodynamics of xylophones and their players.")
    assert drawn.lines == 0 and marked_rows(drawn.png) == []


def test_what_is_no_pdf_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 and no more")
    with pytest.raises(DocumentUnreadable):
        page_image(tmp_path / "a.pdf", 1, "x")
    with pytest.raises(DocumentUnreadable):
        page_image(making.pdf(tmp_path / "b.pdf"), 99, "x")


def test_a_passage_that_goes_over_a_page_is_found_on_either() -> None:
    first, second = "thelighthousekeeperwoundtheclock", "everyeveningandlitthelampagain"
    assert longest_run(f"before{first}", first + second) == (6, 6 + len(first))
    found = longest_run(f"{second}after", first + second)
    assert found is not None and found[1] == len(second)
    assert longest_run("nothing of it", "somethingelseentirelyandlong") is None
    assert longest_run("anything", "") is None
