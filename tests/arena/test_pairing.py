"""Which two models are drawn for a duel."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from core.arena import pairing
from core.arena.votes import Side, Vote
from core.errors import NoPair, NoPairOfSizes, TooFewModels
from core.models.base import ModelInfo

BILLION = 1_000_000_000


def model(
    name: str, billions: float | None = None, quantization: str | None = None, size_bytes: int | None = None
) -> ModelInfo:
    parameters = None if billions is None else int(billions * BILLION)
    return ModelInfo(
        id=f"/models/{name}-{quantization}",
        name=name,
        provider="local",
        local=True,
        parameters=parameters,
        quantization=quantization,
        size_bytes=size_bytes,
    )


def vote(one: ModelInfo, other: ModelInfo, number: int) -> Vote:
    sides = [Side(label=info.name, model_id=info.id) for info in (one, other)]
    return Vote(id=str(number), at=0.0, choice="a", a=sides[0], b=sides[1])


def names(found: list[pairing.Pair]) -> set[frozenset[str]]:
    return {frozenset((one.name, other.name)) for one, other in found}


TINY, SMALL, BIG = model("Tiny", 0.1), model("Small", 1.5), model("Big", 70)
LARGER, UNKNOWN = model("Larger", 3), model("Unknown")


def test_any_two_are_a_random_pair_but_no_route() -> None:
    route = ModelInfo(id="route:abc", name="Route", provider="route", local=True)
    found = pairing.pairs([TINY, BIG, UNKNOWN, route, TINY], "random")
    assert names(found) == {frozenset(p) for p in (("Tiny", "Big"), ("Tiny", "Unknown"), ("Big", "Unknown"))}


def test_small_meets_small_of_about_its_size() -> None:
    assert names(pairing.pairs([TINY, SMALL, LARGER, BIG, UNKNOWN], "small_small")) == {frozenset(("Small", "Larger"))}


def test_small_meets_big() -> None:
    found = names(pairing.pairs([SMALL, LARGER, BIG, model("Bigger", 400), UNKNOWN], "small_big"))
    assert found == {
        frozenset(p) for p in (("Small", "Big"), ("Larger", "Big"), ("Small", "Bigger"), ("Larger", "Bigger"))
    }


def test_files_are_measured_where_parameters_are_unknown_and_never_one_against_the_other() -> None:
    file, other = model("File", size_bytes=BILLION), model("Other", size_bytes=9 * BILLION)
    assert names(pairing.pairs([file, other, SMALL], "small_big")) == {frozenset(("File", "Other"))}
    assert pairing.ratio(file, SMALL) is None


def test_two_quantizations_are_of_one_model() -> None:
    models = [
        model("smollm2-135m-instruct-q4_k_m", 0.135, "Q4_K_M"),
        model("SmolLM2-135M-Instruct", 0.1345, "Q8_0"),
        model("SmolLM2-135M-Instruct", 0.1345, "Q8_0"),
        model("SmolLM2-360M-Instruct", 0.36, "Q4_K_M"),
        model("HuggingFaceTB/SmolLM2 135M Instruct", None, "F16"),
    ]
    found = pairing.pairs(models, "quantizations")
    assert names(found) == {frozenset(("smollm2-135m-instruct-q4_k_m", "SmolLM2-135M-Instruct"))}


@pytest.mark.parametrize(
    "name",
    [
        "Qwen2.5-7B-Instruct",
        "Qwen/Qwen2.5-7B-Instruct",
        "qwen2.5-7b-instruct-q4_k_m.gguf",
        "Qwen2.5 7B Instruct IQ3_XXS",
        "Qwen2.5-7B-Instruct-UD-Q6_K_XL",
        "qwen2.5:7b-instruct-q4_0",
        "Qwen2.5-7B-Instruct-BF16",
        "Qwen2.5-7B-Instruct-fp16",
    ],
)
def test_a_quantization_is_no_part_of_the_name(name: str) -> None:
    assert pairing.base_name(model(name)) == "qwen257binstruct"


def test_a_name_that_looks_like_a_quantization_stays() -> None:
    assert pairing.base_name(model("Seq8-Model")) == "seq8model"


def test_two_quantizations_of_one_model_are_no_two_small_models() -> None:
    assert pairing.pairs([model("One", 1, "Q4_0"), model("One", 1, "Q8_0")], "small_small") == []


def test_those_that_have_met_seldom_are_drawn_more_often() -> None:
    votes = [vote(SMALL, BIG, number) for number in range(30)]
    met, chance = pairing.met(votes), random.Random(1)
    drawn = Counter(
        frozenset(info.name for info in pairing.pair([TINY, SMALL, BIG], "random", chance=chance, met=met))
        for _ in range(600)
    )
    assert drawn[frozenset(("Small", "Big"))] < 60 < 200 < min(n for pair, n in drawn.items() if "Tiny" in pair)


def test_chance_decides_the_order_and_a_seed_the_chance() -> None:
    orders = [pairing.pair([TINY, BIG], "random", chance=random.Random(seed)) for seed in range(40)]
    assert {one.name for one, _ in orders} == {"Tiny", "Big"}
    assert orders == [pairing.pair([TINY, BIG], "random", chance=random.Random(seed)) for seed in range(40)]


def test_where_there_is_no_pair_it_is_said_with_a_cure() -> None:
    chance = random.Random(0)
    with pytest.raises(TooFewModels) as few:
        pairing.pair([TINY], "random", chance=chance)
    assert few.value.values == {"count": 1} and few.value.advice()
    with pytest.raises(NoPair, match="No two of the models"):
        pairing.pair([TINY, BIG], "quantizations", chance=chance)
    with pytest.raises(NoPairOfSizes) as unknown:
        pairing.pair([TINY, UNKNOWN], "small_big", chance=chance)
    assert unknown.value.values == {"unknown": 1}
