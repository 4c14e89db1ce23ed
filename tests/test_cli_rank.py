"""`python -m core rank` as a person and a program use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.__main__ import main
from core.arena import exchange
from core.arena.votes import Choice, Side, Source, Vote
from core.messages import Message


def votes(
    a: str, b: str, choices: str, *, source: Source = "duel", category: str | None = None, language: str | None = None
) -> list[Vote]:
    """A vote for each letter: a, b, or t for a tie."""
    named: dict[str, Choice] = {"a": "a", "b": "b", "t": "tie"}
    sides = [Side(label=name, conversation=(Message("assistant", f"I am {name}."),)) for name in (a, b)]
    return [
        Vote(
            id=f"{a}{b}{source}{category}{number}",
            at=number,
            choice=named[letter],
            a=sides[0],
            b=sides[1],
            source=source,
            category=category,
            language=language,
        )
        for number, letter in enumerate(choices)
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "votes.jsonl"
    path.write_bytes(
        exchange.lossless(
            votes("x", "y", "a" * 12 + "b", category="code", language="fr")
            + votes("y", "z", "abtaa")
            + votes("z", "y", "a" * 9, source="judge")
        )
    )
    return path


def ranked(capfd: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["rank", *arguments, "--json"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return json.loads(out)


def test_a_ranking_is_one_json_object(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = ranked(capfd, str(file), "--rounds", "100")
    assert [set(row) for row in said["ranking"]] == [{"model", "score", "low", "high", "battles"}] * 3
    assert [(row["model"], row["battles"]) for row in said["ranking"]] == [("x", 13), ("y", 18), ("z", 5)]
    assert all(row["low"] < row["score"] < row["high"] for row in said["ranking"])
    assert said["groups"] == [["x", "y", "z"]]
    assert [(one["a"], one["b"]) for one in said["undecided"]] == [("y", "z")]
    assert "style" not in said and said["left_out"] == []


def test_only_the_votes_that_were_asked_for(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def battles(*arguments: str) -> dict[str, int]:
        rows = ranked(capfd, str(file), "--rounds", "2", *arguments)["ranking"]
        return {row["model"]: row["battles"] for row in rows}

    assert battles("--category", "code") == battles("--language", "fr") == {"x": 13, "y": 13}
    assert battles("--voters", "judge") == {"z": 9, "y": 9}
    assert battles("--voters", "people,judge") == {"x": 13, "y": 27, "z": 14}
    assert battles("--category", "poetry") == {}


def test_style_can_be_taken_out(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = ranked(capfd, str(file), "--style", "--rounds", "5")
    assert [effect["element"] for effect in said["style"]["effects"]] == ["length", "headings", "lists", "bold"]
    assert said["style"]["without_text"] == 0 and len(said["ranking"]) == 3


def test_people_read_a_table(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner\nx,y,model_a\nu,v,tie\nu,v,\n", encoding="utf-8")
    assert main(["rank", str(path), "--rounds", "20"]) == 0
    out, err = capfd.readouterr()
    assert "group 1" in out and "group 2" in out and "undecided: u and v: too close to tell" in out
    assert err == "left out: 1 votes that do not say who won\n"


@pytest.mark.parametrize("name", ["nowhere.csv", "a\0b", "."])
def test_a_file_that_cannot_be_read_is_said(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(tmp_path / name), "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["error"] == "VotesUnreadable"


def test_a_voter_of_another_kind_is_not_understood(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["rank", "votes.csv", "--voters", "dogs"])
    assert caught.value.code == 2 and "dogs is not one of people, class, judge" in capfd.readouterr().err
