"""Event streams and `<think>` tags: whatever the cut, the same comes out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.remote import sse
from core.models.remote.sse import Decoder, StreamInvalid
from core.models.remote.thinking import Thinking

STREAM = (
    '\ufeff: hello\n\nevent: x\nid: 1\nretry: 5\ndata: {"a": 1}\n\ndata:é\r\ndata: 🙂\r\n\r\n'
    "\n\n: only\n\ndata: [DONE]\n\n"
).encode()
EVENTS = [b'{"a": 1}', "é\n🙂".encode(), b"[DONE]"]

CUTS = st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted)


def pieces(text: str | bytes, cuts: list[int]) -> list[str | bytes]:
    edges = [0, *cuts, len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@given(cuts=CUTS)
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    decoder = Decoder()
    assert [event for piece in pieces(STREAM, cuts) for event in decoder.feed(piece)] == EVENTS  # type: ignore[arg-type]
    assert list(decoder.end()) == []


def test_the_last_event_needs_no_empty_line() -> None:
    decoder = Decoder()
    assert list(decoder.feed(b"data: a\n\ndata: b")) == [b"a"]
    assert list(decoder.end()) == [b"b"]


@pytest.mark.parametrize("data", [b"<html>\n", b"HTTP/1.1 400\r\n", b"\n\nhello: x\n"])
def test_what_does_not_begin_as_a_stream_is_none(data: bytes) -> None:
    with pytest.raises(StreamInvalid):
        list(Decoder().feed(data))


def test_unknown_fields_inside_a_stream_are_passed_over() -> None:
    assert list(Decoder().feed(b": x\nfoo: bar\ndata: a\n\n")) == [b"a"]


@pytest.mark.parametrize("separator", [b"", b"\ndata: "])
def test_an_event_without_end_is_refused(separator: bytes) -> None:
    decoder, part = Decoder(), separator + b"x" * 1_000_000
    list(decoder.feed(b"data: "))
    with pytest.raises(StreamInvalid):
        for _ in range(sse.LIMIT // len(part) + 1):
            list(decoder.feed(part))


@pytest.mark.parametrize(
    ("content", "thought", "answer"),
    [
        ("<think>\nIt is\nParis. \n</think>\n\nParis.", "It is\nParis. \n", "Paris."),
        ("  \n<think>a</think>b", "a", "b"),
        ("<think></think>b", "", "b"),
        ("<think>never closed </thin", "never closed </thin", ""),
        ("<think>a</thinker></think>b </think> c", "a</thinker>", "b </think> c"),
        ("The tag <think>x</think> is a tag.", "", "The tag <think>x</think> is a tag."),
        ("<thinking>", "", "<thinking>"),
        (" <thi", "", " <thi"),
        ("  leading", "", "  leading"),
        ("", "", ""),
    ],
)
@given(data=st.data())
def test_thinking_is_told_apart_however_it_is_cut(data: st.DataObject, content: str, thought: str, answer: str) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=8).map(sorted))
    thinking = Thinking()
    parts = [part for piece in pieces(content, cuts) for part in thinking.push(piece)]  # type: ignore[arg-type]
    parts += thinking.flush()
    assert "".join(text for inside, text in parts if inside) == thought
    assert "".join(text for inside, text in parts if not inside) == answer
    assert all(text for _, text in parts)
