from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.llamacpp.text_stream import TextStream


def feed(stream: TextStream, pieces: list[bytes]) -> str:
    return "".join(map(stream.push, pieces)) + stream.flush()


def test_half_a_character_is_held_back() -> None:
    stream = TextStream()
    smile = "😀".encode()
    assert [stream.push(smile[i : i + 1]) for i in range(4)] == ["", "", "", "😀"]


def test_a_character_that_never_ends_becomes_a_replacement() -> None:
    assert feed(TextStream(), ["é".encode()[:1]]) == "\ufffd"


def test_a_stop_string_across_tokens_ends_the_text_before_it() -> None:
    stream = TextStream(["END"])
    assert [stream.push(p) for p in (b"one E", b"N", b"D two")] == ["one ", "", ""]
    assert stream.stopped
    assert stream.flush() == ""


def test_the_beginning_of_a_stop_string_is_given_out_when_it_is_none() -> None:
    stream = TextStream(["END"])
    assert stream.push(b"EN") == ""
    assert stream.push(b"ORMOUS") == "ENORMOUS"
    assert not stream.stopped


def test_the_earliest_of_several_stop_strings_counts() -> None:
    assert feed(TextStream(["later", "now"]), [b"stop now or later"]) == "stop "


@given(st.text(), st.lists(st.text(min_size=1, max_size=4), max_size=3), st.integers(1, 5))
def test_the_text_is_whole_up_to_the_first_stop_string(text: str, stops: list[str], step: int) -> None:
    data = text.encode("utf-8", errors="replace")
    whole = data.decode("utf-8")
    places = [whole.find(s) for s in stops if s in whole]
    expected = whole[: min(places)] if places else whole
    stream = TextStream(stops)
    assert feed(stream, [data[i : i + step] for i in range(0, len(data), step)]) == expected
    assert stream.stopped == bool(places)
