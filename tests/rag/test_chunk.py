"""Cutting: whatever the text, chunks are parts of it, fit, and leave nothing out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ChunkingInvalid
from core.rag import chunk, sentences
from core.rag.embed import packaged
from core.rag.tokens import Estimate, Tokenizer, Tokens
from core.rag.values import Extracted, Heading, Outline
from tests.rag import making

PIECES = ["word", "Été", "M. Dupont", "3.14", "🙂", "。", "x" * 300, ".", "!", "\n", "\n\n", " ", "\t", "- item", "# "]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=80).map(" ".join)


def minilm() -> Tokens:
    folder = packaged()
    assert folder is not None
    return Tokenizer(folder / "tokenizer.json")


TOKENIZERS: list[Tokens] = [Estimate(), minilm()]


def embed(texts: list[str]) -> np.ndarray:
    """A vector by the letters of each text: near where they are alike."""
    counts = np.array([[text.count(letter) + 0.01 for letter in "aeioust"] for text in texts], dtype=np.float32)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.mark.parametrize("chunker", chunk.NAMES)
@settings(max_examples=60, deadline=None)
@given(
    text=TEXTS, size=st.integers(16, 60), share=st.floats(0, 0.5), marks=st.lists(st.integers(0, 500)), data=st.data()
)
def test_chunks_are_parts_of_the_text_and_leave_nothing_out(
    chunker: str, text: str, size: int, share: float, marks: list[int], data: st.DataObject
) -> None:
    tokens = data.draw(st.sampled_from(TOKENIZERS))
    places = sorted({one for one in marks if one < len(text)})
    outline = Outline(
        tuple((place, number) for number, place in enumerate(places, 1)),
        tuple(Heading(place, 1 + place % 3, f"H{place}") for place in places),
    )
    overlap = int(size * share)
    found = list(chunk.cut(Extracted(text, outline), tokens, chunker=chunker, size=size, overlap=overlap, embed=embed))
    covered: set[int] = set()
    for span in found:
        assert text[span.start : span.end] == span.text
        assert span.text and span.text == span.text.strip()
        assert 1 <= span.tokens <= size
        covered.update(range(span.start, span.end))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)
    assert [one.start for one in found] == sorted(one.start for one in found)
    if chunker in ("pages", "headings"):
        assert not any(one.start < place < one.end for one in found for place in places)


@pytest.mark.parametrize("chunker", chunk.NAMES)
def test_an_overlap_repeats_whole_sentences(chunker: str) -> None:
    text = " ".join(f"This is sentence number {number} of the text." for number in range(60))
    found = list(chunk.cut(Extracted(text), Estimate(), chunker=chunker, size=50, overlap=20, embed=embed))
    common = [a.end - b.start for a, b in itertools.pairwise(found)]
    assert len(found) > 5
    if chunker != "semantic":  # its walls are where topics end
        assert all(shared > 0 for shared in common)


def test_a_long_text_is_cut_in_blocks_and_loses_nothing() -> None:
    text = "\n\n".join(" ".join(making.FRENCH) for _ in range(800))
    found = list(chunk.cut(Extracted(text), TOKENIZERS[1], chunker="sentences", size=100, overlap=0))
    assert len(text) > 2 * chunk.BLOCK
    assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())


def test_a_chunk_knows_its_page_and_the_headings_above_it() -> None:
    text = "Intro.\nA\nFirst.\nA1\nSecond.\nB\nThird."
    places = {title: text.index(f"\n{title}\n") + 1 for title in ("A", "A1", "B")}
    outline = Outline(((0, 1), (places["B"], 2)), tuple(Heading(place, len(t), t) for t, place in places.items()))
    found = list(chunk.cut(Extracted(text, outline), Estimate(), chunker="headings", size=16, overlap=0))
    assert [(one.headings, one.page) for one in found] == [((), 1), (("A",), 1), (("A", "A1"), 1), (("B",), 2)]


def test_topics_are_cut_where_the_meaning_changes() -> None:
    about_a, about_o = "Banana papaya mango avocado. " * 6, "Oslo, Porto, Lyon, London, Bonn. " * 6
    found = list(
        chunk.cut(Extracted(about_a + about_o), Estimate(), chunker="semantic", size=200, overlap=0, embed=embed)
    )
    assert not any("Banana" in one.text and "Oslo" in one.text for one in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Il arrive. Elle part.", ["Il arrive. ", "Elle part."]),
        ("M. Dupont habite ici. Voir p. 12 et fig. 3.", ["M. Dupont habite ici. ", "Voir p. 12 et fig. 3."]),
        ("Dr. Smith paid 3.50 euros, i.e. little. Why?", ["Dr. Smith paid 3.50 euros, i.e. little. ", "Why?"]),
        ("« Viens ! » Il partit. Fin…", ["« Viens ! » ", "Il partit. ", "Fin…"]),
        ("J. S. Bach wrote it. Who else?", ["J. S. Bach wrote it. ", "Who else?"]),
        ("一つ目です。二つ目です。", ["一つ目です。", "二つ目です。"]),
        ("A list:\n- one\n- two", ["A list:\n", "- one\n", "- two"]),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences.spans(text)] == expected


@pytest.mark.parametrize(
    "wrong", [{"chunker": "magic"}, {"size": 8}, {"size": 999}, {"overlap": 60}, {"overlap": -1}], ids=str
)
def test_sizes_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    right = {"chunker": "pages", "size": 100, "overlap": 10, "most": 254}
    chunk.check(**right)  # type: ignore[arg-type]
    with pytest.raises(ChunkingInvalid):
        chunk.check(**{**right, **wrong})  # type: ignore[arg-type]
