"""A model's own values, from its file and from the card beside it; what makes no sense there is ignored."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from core.messages import Sampling
from core.models import recommended as recommendations
from core.models.local import limits
from core.models.recommended import BALANCED, PRESETS, nearest, presets, recommended
from tests.gguf.making import Raw, pair, string, u32


def f32(key: str, value: float) -> bytes:
    return pair(f"general.sampling.{key}", 6, struct.pack("<f", value))


def i32(key: str, value: int) -> bytes:
    return pair(f"general.sampling.{key}", 5, struct.pack("<i", value))


def model(folder: Path, *pairs: bytes, card: Any = None) -> Path:
    """A GGUF file with these values in its metadata, and a card beside it."""
    if card is not None:
        (folder / "generation_config.json").write_text(card if isinstance(card, str) else json.dumps(card))
    return Raw([string("general.architecture", "llama"), *pairs]).write(folder / "model.gguf")


ALL = (
    *(f32("temp", 0.6), i32("top_k", 20), f32("top_p", 0.95), f32("min_p", 0.0), f32("xtc_probability", 0.5)),
    *(f32("xtc_threshold", 0.2), i32("penalty_last_n", -1), f32("penalty_repeat", 1.05), i32("mirostat", 2)),
    *(f32("mirostat_tau", 4.0), f32("mirostat_eta", 0.2)),
)


def test_the_values_of_the_file(tmp_path: Path) -> None:
    own = recommended(model(tmp_path, *ALL))
    assert own is not None and set(own.sources.values()) == {"gguf"}
    assert own.sampling == Sampling(
        temperature=0.6,
        top_k=20,
        top_p=0.95,
        min_p=0.0,
        xtc_probability=0.5,
        xtc_threshold=0.2,
        repeat_last_n=-1,
        repeat_penalty=1.05,
        mirostat=2,
        mirostat_tau=4.0,
        mirostat_eta=0.2,
    )


def test_the_card_says_what_the_file_leaves_open(tmp_path: Path) -> None:
    card = {
        "temperature": 1,
        "top_k": 50,
        "top_p": 0.8,
        "repetition_penalty": 1.1,
        "eos_token_id": 2,
        "do_sample": True,
    }
    own = recommended(model(tmp_path, f32("temp", 0.6), card=card))
    assert own is not None
    assert own.values == {"temperature": 0.6, "top_k": 50, "top_p": 0.8, "repeat_penalty": 1.1}
    assert own.sources["temperature"] == "gguf" and own.sources["top_k"] == "generation_config"


def test_a_file_without_them_recommends_nothing(tmp_path: Path, smollm: Path) -> None:
    assert recommended(model(tmp_path)) is None
    assert recommended(model(tmp_path, card={"eos_token_id": 2})) is None
    assert recommended(smollm) is None


@pytest.mark.parametrize("path", ["missing.gguf", "", "a\0b", "x" * 5000])
def test_no_file_recommends_nothing(path: str) -> None:
    assert recommended(path) is None


@pytest.mark.parametrize(
    "pair_",
    [
        *(f32("temp", float("nan")), f32("temp", float("inf")), f32("temp", -0.5), f32("temp", 50.0)),
        *(i32("top_k", -3), f32("top_k", 40.0), f32("top_p", 1.5), i32("mirostat", 1), f32("mirostat", 2.0)),
        *(string("general.sampling.temp", "0.7"), pair("general.sampling.temp", 7, b"\1"), u32("sampling.temp", 1)),
    ],
)
def test_hostile_values_of_a_file_are_ignored(tmp_path: Path, pair_: bytes) -> None:
    assert recommended(model(tmp_path, pair_)) is None
    own = recommended(model(tmp_path, pair_, f32("min_p", 0.25)))
    assert own is not None and own.values == {"min_p": 0.25}


@pytest.mark.parametrize(
    "card",
    [
        *("", "no json", "[]", "null", "[" * 100_000, '{"temperature": NaN}', '{"temperature": 1e999}'),
        *(
            '{"temperature": "hot"}',
            '{"temperature": true}',
            '{"temperature": [1]}',
            '{"top_k": 40.5}',
            '{"top_k": -1}',
        ),
        *('{"top_k": 1' + "0" * 400 + "}", '{"top_p": -0.1}', '{"repetition_penalty": 0}', '{"seed": 1}'),
        '{"temperature": 0.5, "' + "x" * recommendations.MAX_CARD + '": 1}',
    ],
)
def test_hostile_cards_are_ignored(tmp_path: Path, card: str) -> None:
    assert recommended(model(tmp_path, card=card)) is None


def test_a_card_that_is_no_text_is_ignored(tmp_path: Path) -> None:
    path = model(tmp_path)
    (tmp_path / "generation_config.json").write_bytes(b"\xff\xfe\0")
    assert recommended(path) is None
    (tmp_path / "generation_config.json").unlink()
    (tmp_path / "generation_config.json").mkdir()
    assert recommended(path) is None


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = model(tmp_path, f32("temp", 0.6))
    assert recommended(path) == recommended(path)
    model(tmp_path, f32("temp", 0.7), card={"top_k": 10})
    os.utime(path, ns=(1, 1))
    own = recommended(path)
    assert own is not None and own.values == {"temperature": 0.7, "top_k": 10}


def test_every_recommended_value_is_one_a_model_takes(tmp_path: Path) -> None:
    own = recommended(model(tmp_path, *ALL))
    for preset in presets(own):
        for name, (low, high) in limits.RANGES.items():
            value = getattr(preset.sampling, name)
            assert value is None or low <= value <= high
    assert [preset.name for preset in presets(own)][1:] == [preset.name for preset in PRESETS]


def test_the_nearest_preset_is_the_one_with_the_fewest_differences() -> None:
    assert nearest(PRESETS, Sampling()) is BALANCED
    assert nearest(PRESETS, Sampling(temperature=0.7, seed=3, logit_bias={1: 1.0})) is BALANCED
    assert BALANCED.differences(Sampling(temperature=0.7, seed=3)) == ["temperature"]
    precise, creative = PRESETS[1:]
    assert nearest(PRESETS, Sampling(temperature=0.0)) is precise
    assert nearest(PRESETS, Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.1)) is creative
