"""Side by side: what each variant expects at each place of one text, and where they part when each goes its own way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import NothingToMeasure, TextTooShort
from core.gguf import beside
from core.gguf.beside import Reading
from core.models.in_turn import Turns
from tests.gguf.worded import BOS, WORDS, embeddings, logits, text, tokens, worded


def softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values - values.max())
    return raised / raised.sum()


@pytest.fixture
def models(tmp_path: Path) -> list[tuple[str, Path]]:
    return [
        ("reference", worded(tmp_path / "reference.gguf")),
        ("near", worded(tmp_path / "near.gguf", noise=0.05)),
        ("other", worded(tmp_path / "other.gguf", words=WORDS[::-1])),
    ]


def test_every_place_of_one_text(models: list[tuple[str, Path]]) -> None:
    words = text(20)
    told: list[tuple[int, int]] = []
    found = beside.read(models, words, Turns(), notice=lambda done, total: told.append((done, total)))
    reference, near, other = found.readings
    own = [BOS, *tokens(words)]
    assert [one.came.id for one in reference.positions] == own[1:]
    assert "".join(one.came.text for one in reference.positions) == words
    changed = []
    for place, (ours, theirs) in enumerate(zip(reference.positions, near.positions, strict=True)):
        p, q = (softmax(logits(embeddings(noise=noise), own[place])) for noise in (0.0, 0.05))
        assert ours.came.p == pytest.approx(p[own[place + 1]], rel=1e-3) and ours.kl is None
        assert [one.id for one in theirs.top] == list(np.argsort(-q)[:5])
        assert theirs.kl == pytest.approx(float((p * np.log(p / q)).sum()), rel=1e-2, abs=1e-6)
        if p.argmax() != q.argmax():
            changed.append(place)
    assert beside.changes(found) == changed
    assert not other.comparable and all(one.kl is None for one in other.positions)
    assert told[-1] == (3, 3)


def test_each_its_own_way_until_they_part(models: list[tuple[str, Path]]) -> None:
    found = beside.read(models[:2], " aa", Turns(), own_way=12)
    reference, near = found.readings
    for reading, noise in ((reference, 0.0), (near, 0.05)):
        token = tokens(" aa")[0]
        for position in reading.positions:
            token = int(logits(embeddings(noise=noise), token).argmax())
            assert position.came.id == token
    place = beside.parting(reference, near)
    ids = [[one.came.id for one in reading.positions] for reading in (reference, near)]
    assert place == next((at for at, (a, b) in enumerate(zip(*ids, strict=True)) if a != b), None)


def test_one_that_ends_earlier_parts_there(models: list[tuple[str, Path]]) -> None:
    whole = beside.read(models[:1], " aa", Turns(), own_way=5).reference
    shorter = Reading(name="short", comparable=True, positions=whole.positions[:3])
    assert beside.parting(whole, shorter) == 3
    assert beside.parting(whole, whole) is None
    assert beside.written(shorter) == "".join(one.came.text for one in whole.positions[:3])


def test_what_cannot_be_is_said(models: list[tuple[str, Path]]) -> None:
    with pytest.raises(NothingToMeasure):
        beside.read([], " aa", Turns())
    with pytest.raises(TextTooShort):
        beside.read(models, "", Turns())
