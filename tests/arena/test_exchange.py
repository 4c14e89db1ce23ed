"""What is exported comes back; what others export is read; what is no table of votes is refused by name."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from core.arena import exchange, layouts, spreadsheet
from core.arena.exchange import FORMS, Form
from core.arena.layouts import Name
from core.arena.votes import Choice, Side, Vote
from core.errors import VotesColumnsMissing, VotesError, VotesTooLarge, VotesTooMany, VotesUnknown, VotesUnreadable
from core.events import Energy, Finished, Usage
from core.messages import Message

NAMES: tuple[Name, ...] = get_args(Name)


def said(answer: str) -> tuple[Message, ...]:
    return (Message("user", "=1+1 ?\n« où »"), Message("assistant", answer))


WHOLE = Vote(
    id="5d41402abc4b2a76",
    at=1_700_000_000.25,
    choice="b",
    a=Side(
        label="SmolLM2 Q4_1",
        model_id="smollm2-135m",
        local=True,
        quantization="Q4_1",
        size_bytes=98,
        system_prompt="Be brief.",
        temperature=0.2,
        conversation=said("=cmd|' /C calc'!A0"),
        finished=Finished("stop", Usage(prompt_tokens=3, generated_tokens=4)),
        energy=Energy(low=1, high=2, measured=True, method="RAPL"),
        reasons=("wrong", "off_instruction"),
    ),
    b=Side(label="Mistral", conversation=said('Two, "of course"; 😀\0'), reasons=("useful", "clear")),
    voter="ada",
    duel_id="d1",
    turn=2,
    category="reasoning",
    language="fr",
    comment="+1, parce que",
)
BARE = Vote(id="b2", at=0, choice="both_bad", a=Side(label="=x"), b=Side(label="'=x"), source="judge", voter="gemma")
TIE = Vote(id="c3", at=5, choice="tie", a=Side(label="x"), b=Side(label="y"), source="classroom", voter="phone 3")
VOTES = (WHOLE, BARE, TIE)


def plain(vote: Vote, *, choice: Choice | None = None) -> tuple[Any, ...]:
    """What every layout keeps. NUL is no character of any table."""

    def texts(side: Side) -> list[tuple[str, str]]:
        return [(message.role, message.content.replace("\0", "")) for message in side.conversation]

    sides = [(side.label, texts(side)) for side in (vote.a, vote.b)]
    return vote.id, vote.at, choice or vote.choice, sides, vote.voter, vote.source == "judge", vote.turn, vote.language


def table(*rows: dict[str, Any]) -> bytes:
    text = io.StringIO()
    out = csv.DictWriter(text, list(rows[0]))
    out.writeheader()
    out.writerows(rows)
    return text.getvalue().encode()


def arena(**more: Any) -> dict[str, Any]:
    return {"model_a": "x", "model_b": "y", "winner": "model_a", **more}


def test_our_own_form_loses_nothing_and_two_files_make_one() -> None:
    data = exchange.lossless(VOTES)
    assert exchange.read(data) == exchange.VotesFile(VOTES)
    assert exchange.read(data + exchange.lossless([TIE])).votes == VOTES


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", NAMES)
def test_every_layout_comes_back_in_every_form(layout: Name, form: Form) -> None:
    found = exchange.read(exchange.export(VOTES, layout, form))
    assert (found.layout, found.left_out) == (layout, ())
    # Compar'IA has no column for two bad answers.
    expected = [plain(one, choice="tie" if layout == "comparia" and one is BARE else None) for one in VOTES]
    assert [plain(one) for one in found.votes] == expected
    if layout == "comparia":
        whole = found.votes[0]
        assert (whole.a.reasons, whole.b.reasons) == (WHOLE.a.reasons, WHOLE.b.reasons)
        assert (whole.category, whole.comment, whole.a.system_prompt) == ("reasoning", "+1, parce que", "Be brief.")


@pytest.mark.parametrize("layout", NAMES)
def test_a_csv_has_the_columns_of_its_data_set_and_no_cell_that_runs(layout: Name) -> None:
    text = exchange.export(VOTES, layout, "csv").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == [column.name for column in layouts.LAYOUTS[layout].columns]
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")]
    assert set(layouts.LAYOUTS[layout].required) < set(rows[0])


@given(cells=st.lists(st.text(st.sampled_from("'=+-@\t\r\nab,\";"), max_size=6), min_size=1, max_size=4))
def test_any_cell_is_inert_and_comes_back(cells: list[str]) -> None:
    columns = [str(number) for number in range(len(cells))]
    data = spreadsheet.table(columns, [cells])
    written = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]
    assert not [cell for row in written for cell in row if cell[:1] and cell[0] in "=+-@\t\r\n"]
    assert list(spreadsheet.rows(data))[1:] == ([dict(zip(columns, cells, strict=True))] if written[0] else [])


def test_a_public_table_is_read() -> None:
    """The layout of ministere-culture/comparia-votes, with cells as a data frame writes them."""
    conversation = json.dumps([{"role": "user", "content": "Où ?"}, {"role": "assistant", "content": "Ici."}])
    row = {
        "id": 12,
        "timestamp": "2024-11-05 13:20:01.5",
        "model_a_name": "llama-3.1-8b",
        "model_b_name": "gemma-2-9b-it",
        "model_pair_name": "{gemma-2-9b-it,llama-3.1-8b}",
        "chosen_model_name": "gemma-2-9b-it",
        "both_equal": "False",
        "conversation_a": conversation,
        "conversation_b": "nan",
        "conv_turns": "1.0",
        "selected_category": "",
        "conversation_pair_id": "p-1",
        "visitor_id": "None",
        "conv_useful_b": "True",
        "conv_incorrect_a": "t",
        "conv_superficial_a": "False",
        "languages": '["fr"]',
    }
    (vote,) = exchange.read(table(row), origin="votes.csv").votes
    assert (vote.choice, vote.at, vote.language, vote.category) == ("b", 1730812801.5, "fr", None)
    assert (vote.a.label, vote.b.label, vote.a.answer, vote.b.answer) == ("llama-3.1-8b", "gemma-2-9b-it", "Ici.", "")
    assert (vote.a.reasons, vote.b.reasons) == (("wrong",), ("useful",))
    assert (vote.source, vote.voter, vote.origin, vote.duel_id) == ("import", "", "votes.csv", "p-1")


def test_an_arena_s_rows_are_read() -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image", "image": "x"}]}]
    rows = [
        arena(winner="tie (bothbad)", judge="arena_user_973", language="French", tstamp=1682351591.1, turn=1),
        arena(winner="both_bad", language="en", timestamp="2025-07-01T10:00:00+00:00", conversation_a=parts),
        arena(winner="model_b", judge="gpt4_pair", language="Klingon-ish"),
    ]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    first, second, third = exchange.read(data).votes
    assert (first.choice, first.voter, first.language, first.at) == ("both_bad", "arena_user_973", "fr", 1682351591.1)
    assert (second.choice, second.language, second.a.answer, second.source) == ("both_bad", "en", "Hi", "import")
    assert (third.choice, third.source, third.language) == ("b", "judge", None)
    assert exchange.read(json.dumps(rows).encode()).votes == (first, second, third), "a list is as good as lines"


def test_rows_keep_their_ids_and_like_rows_are_told_apart() -> None:
    data = table(*[arena()] * 3, arena(winner="tie"))
    found = exchange.read(data, origin="one.csv").votes
    assert len({vote.id for vote in found}) == 4
    assert [vote.id for vote in exchange.read(data, origin="other.csv").votes] == [vote.id for vote in found]
    as_lines = "\n".join(json.dumps(arena(winner=w)) for w in ("model_a",) * 3 + ("tie",))
    assert [vote.id for vote in exchange.read(as_lines.encode()).votes] == [vote.id for vote in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_encoding_and_delimiter_of_a_spreadsheet(encoding: str, delimiter: str) -> None:
    text = (
        delimiter.join(("model_a", "model_b", "winner")) + "\r\n" + delimiter.join(("été", "naïf", "model_b")) + "\r\n"
    )
    (vote,) = exchange.read(text.encode(encoding)).votes
    assert (vote.a.label, vote.b.label, vote.choice) == ("été", "naïf", "b")


def test_rows_that_cannot_be_votes_are_counted_and_the_rest_is_kept() -> None:
    rows = [arena(), arena(model_a=""), arena(model_b="x"), arena(winner="?"), arena(winner="")]
    found = exchange.read(table(*rows) + b"lone\r\nx,y,model_b,too,many,cells\r\n")
    assert [vote.choice for vote in found.votes] == ["a", "b"]
    assert {one.reason: one.count for one in found.left_out} == {
        layouts.NO_MODELS: 2,
        layouts.SAME_MODEL: 1,
        layouts.NO_CHOICE: 2,
    }


def test_votes_of_ours_that_are_damaged_are_counted() -> None:
    good = exchange.lossless([TIE])
    endless = exchange.lossless([WHOLE]).replace(b"1700000000.25", b"1e300")
    found = exchange.read(good + b'{"id": "z", "choice": "c", "a": {}, "b": {}}\nnot JSON\n' + endless)
    assert (found.votes, [one.count for one in found.left_out]) == ((TIE,), [3])


def test_nul_huge_cells_and_half_characters_do_no_harm() -> None:
    huge = "x" * 3_000_000
    (vote,) = exchange.read(table(arena(conversation_a=json.dumps([{"role": "assistant", "content": huge}])))).votes
    assert len(vote.a.answer) == len(huge)
    (vote,) = exchange.read(table(arena()).replace(b"x,y", b"x\0,y\0")).votes
    assert (vote.a.label, vote.b.label) == ("x", "y")
    (vote,) = exchange.read(
        json.dumps(arena(model_a="\ud800", conversation_b=[{"role": "user", "content": "\ud83d"}])).encode()
    ).votes
    assert exchange.read(exchange.lossless([vote])).votes == (vote,)


def test_a_hundred_thousand_rows_are_read() -> None:
    line = "x,y,model_a\r\nx,z,tie\r\n"
    found = exchange.read(("model_a,model_b,winner\r\n" + line * 50_000).encode())
    assert len(found.votes) == 100_000 == len({vote.id for vote in found.votes})


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


REFUSED: dict[str, tuple[bytes, type[VotesError], str]] = {
    "empty": (b" \n", VotesUnreadable, "empty"),
    "a workbook": (b"PK\x03\x04rest", VotesUnreadable, "archive"),
    "another table": (b"name;age\r\nAda;36\r\n", VotesUnknown, "name, age"),
    "no winner": (b"model_a,model_b,verdict\r\nx,y,x\r\n", VotesColumnsMissing, "no column winner"),
    "no names": (b"model_b_name,chosen_model_name\r\n", VotesColumnsMissing, "no column model_a_name"),
    "broken JSON": (b'{"model_a": ', VotesUnreadable, "JSON"),
    "a broken list": (b'[{"model_a": "x"}', VotesUnreadable, "JSON"),
    "deep JSON": (b"[" * 100_000, VotesUnreadable, "JSON"),
    "an object of no votes": (b'{"conversations": []}', VotesUnknown, "conversations"),
    "cut Parquet": (parquet_of([arena()])[:-20], VotesUnreadable, "Parquet"),
    "another Parquet": (parquet_of([{"name": "Ada"}]), VotesUnknown, "name"),
    "random bytes": (bytes(range(256)) * 4, VotesUnknown, "It has"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_votes_is_refused_and_says_why(name: str) -> None:
    data, kind, words = REFUSED[name]
    with pytest.raises(kind) as caught:
        exchange.read(data)
    assert type(caught.value) is kind and words in str(caught.value) and caught.value.advice()


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [arena()] * 4
    monkeypatch.setattr(exchange, "LIMIT_ROWS", 3)
    for data in (
        table(*rows),
        parquet_of(rows),
        exchange.lossless((*VOTES, Vote(id="4", at=0, choice="a", a=TIE.a, b=TIE.b))),
    ):
        with pytest.raises(VotesTooMany):
            exchange.read(data)
    monkeypatch.setattr(exchange, "LIMIT_MB", 0.0001)
    with pytest.raises(VotesTooLarge):
        exchange.read(table(*rows) * 10)


def test_an_empty_table_has_no_votes() -> None:
    assert exchange.read(b"model_a,model_b,winner\r\n").votes == ()
    assert exchange.read(exchange.export([], "comparia", "csv")).votes == ()
    assert exchange.read(exchange.export([], "arena", "parquet")).votes == ()
