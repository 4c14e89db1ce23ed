"""What panes are called: as much as tells them apart, and what stands in a ranking."""

from __future__ import annotations

import pytest

from core.arena.labels import labels, ranked
from core.chat import Asking
from core.messages import Sampling
from core.models.base import ModelInfo
from core.models.local.model_settings import ModelSettings

Q4 = ModelInfo(id="/m/q4.gguf", name="SmolLM2", provider="local", local=True, quantization="Q4_1")
Q8 = ModelInfo(id="/m/q8.gguf", name="SmolLM2", provider="local", local=True, quantization="Q8_0")
GPT = ModelInfo(id="https://a/v1#gpt", name="gpt", provider="OpenAI", local=False)
AZURE = ModelInfo(id="https://b/v1#gpt", name="gpt", provider="Azure", local=False)
NAMED = ModelInfo(id="/m/n.gguf", name="SmolLM2-q4_1", provider="local", local=True, quantization="Q4_1")


def t(temperature: float, **fields: object) -> Asking:
    return Asking(sampling=Sampling(temperature=temperature, **fields))  # type: ignore[arg-type]


USUAL = Asking()


@pytest.mark.parametrize(
    ("panes", "called"),
    [
        ([(USUAL, Q4), (USUAL, GPT)], ("SmolLM2", "gpt")),
        ([(USUAL, Q4), (USUAL, Q8)], ("SmolLM2 Q4_1", "SmolLM2 Q8_0")),
        ([(USUAL, GPT), (USUAL, AZURE)], ("gpt · OpenAI", "gpt · Azure")),
        ([(t(0.2), Q4), (t(1), Q4), (t(0.2), GPT)], ("SmolLM2 · T 0.2", "SmolLM2 · T 1", "gpt")),
        ([(t(0.2), Q4), (t(0.2), Q8)], ("SmolLM2 Q4_1", "SmolLM2 Q8_0")),
        ([(t(0.2), Q4), (t(0.2, seed=4), Q4)], ("SmolLM2", "SmolLM2 · seed 4")),
        ([(USUAL, Q4), (Asking(system_prompt="Rhyme."), Q4)], ("SmolLM2 · prompt 1", "SmolLM2 · prompt 2")),
        ([(USUAL, Q4), (Asking(system_prompt=" \n"), Q4)], ("SmolLM2 · 1", "SmolLM2 · 2")),
        ([(USUAL, Q4), (USUAL, Q4), (USUAL, Q8)], ("SmolLM2 Q4_1 · 1", "SmolLM2 Q4_1 · 2", "SmolLM2 Q8_0")),
        (
            [(USUAL, Q4), (Asking(settings=ModelSettings(kv_type="q8_0")), Q4)],
            ("SmolLM2 · KV f16", "SmolLM2 · KV q8_0"),
        ),
        ([], ()),
    ],
)
def test_as_much_is_said_as_tells_them_apart(panes: list[tuple[Asking, ModelInfo]], called: tuple[str, ...]) -> None:
    assert labels([asking for asking, _ in panes], [info for _, info in panes]) == called


def test_no_two_are_alike_whatever_differs() -> None:
    askings = [t(0.2), t(0.2), t(0.2, top_k=1), Asking(system_prompt="Rhyme."), Asking(system_prompt="Rhyme."), t(2.0)]
    assert len(set(labels(askings, [Q4, Q8, Q4, Q4, Q4, Q8]))) == 6


@pytest.mark.parametrize(
    ("asking", "info", "called"),
    [
        (USUAL, Q4, "SmolLM2 Q4_1"),
        (USUAL, NAMED, "SmolLM2-q4_1"),
        (USUAL, GPT, "gpt"),
        (t(0.0), Q8, "SmolLM2 Q8_0 · T 0"),
        (Asking(system_prompt=" Be\nbrief. "), GPT, "gpt · “Be brief.”"),
        (Asking(system_prompt="You are a pirate who sings all day."), GPT, "gpt · “You are a pirate who sin…”"),
    ],
)
def test_in_a_ranking_it_is_called_the_same_whoever_is_beside_it(asking: Asking, info: ModelInfo, called: str) -> None:
    assert ranked(asking, info) == called
