"""Vectors of texts: llama.cpp's own, of length 1, beside answers that go on, and refused where there can be none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import ContextOverflow, EmptyPrompt, SettingInvalid
from core.events import Finished, Text
from core.models.base import ModelInfo
from core.models.local.engine import Engine
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf
from tests.asking import ask, finished, request, text, tokens

TEXTS = [
    "A cat sat on the mat.",
    "The kitten is lying on the rug.",
    "Interest rates rose by a quarter of a point.",
    "Ça coûte 12 € — 😀",
    "word " * 300,
]


@pytest.fixture
def model(smollm: Path) -> Iterator[LocalModel]:
    shelf = Shelf()
    info = ModelInfo(id=str(smollm), name="SmolLM2", provider="this machine", local=True)
    yield shelf.model(info, smollm, ModelSettings(context_length=1024, parallel=2))
    shelf.close()


def test_vectors_are_llama_cpps(shared_engine: Engine, smollm: Path) -> None:
    import llama_cpp

    reference = llama_cpp.Llama(
        str(smollm),
        n_ctx=1024,
        n_batch=1024,
        n_ubatch=1024,
        embedding=True,
        pooling_type=llama_cpp.LLAMA_POOLING_TYPE_MEAN,
        flash_attn=False,
        verbose=False,
    )
    expected = np.array([reference.embed(each, normalize=True) for each in TEXTS])
    reference.close()
    embedded = shared_engine.embed(TEXTS)
    given = np.array(embedded.vectors)
    assert given.shape == expected.shape == (len(TEXTS), 576)
    assert np.linalg.norm(given, axis=1) == pytest.approx(1.0)
    assert (given * expected).sum(axis=1).min() >= 0.999, "the long one was computed in slices"
    assert embedded.prompt_tokens == sum(len(shared_engine.tokenize(each).ids) for each in TEXTS)


def test_together_or_alone_a_text_has_the_same_vector(shared_engine: Engine) -> None:
    many = [f"{TEXTS[n % 4]} {n}" for n in range(11)]
    together = np.array(shared_engine.embed(many).vectors)
    alone = np.array([shared_engine.embed([each]).vectors[0] for each in many[:3]])
    assert (together[:3] * alone).sum(axis=1).min() >= 0.999
    order = together @ together[0]
    assert order[0] == order.max(), "and each is its own"


def test_what_is_alike_is_near(shared_engine: Engine) -> None:
    cat, kitten, rates = np.array(shared_engine.embed(TEXTS[:3]).vectors)
    assert cat @ kitten > cat @ rates


def test_an_answer_goes_on_meanwhile_and_is_the_same(shared_engine: Engine) -> None:
    question = "Tell me about rivers."
    ask(shared_engine, question, max_tokens=1)
    before = text(ask(shared_engine, question, max_tokens=16))
    events, vectors = [], None
    for event in shared_engine.stream(request(question, max_tokens=16)):
        events.append(event)
        if isinstance(event, Text) and vectors is None:
            vectors = shared_engine.embed([TEXTS[4], TEXTS[0]]).vectors
    assert text(events) == before and isinstance(events[-1], Finished)
    assert len(vectors or ()) == 2
    assert np.array(vectors or ()) == pytest.approx(np.array(shared_engine.embed([TEXTS[4], TEXTS[0]]).vectors))


@pytest.mark.parametrize("texts", [[], [""], ["Hello", ""]])
def test_nothing_has_no_vector(shared_engine: Engine, texts: list[str]) -> None:
    with pytest.raises(EmptyPrompt):
        shared_engine.embed(texts)


def test_a_text_longer_than_the_context_is_refused_and_the_longest_that_fits_is_not(model: LocalModel) -> None:
    with pytest.raises(ContextOverflow) as refused:
        model.embed(["word " * 2000])
    assert refused.value.values["context_length"] == 1024
    longest = "a" + " a" * 1023
    assert model.embed([longest]).prompt_tokens == 1024
    assert model.embed(["short"]).prompt_tokens == 1, "the large context was given back, and there is another"


def test_control_tokens_in_a_text_are_text(shared_engine: Engine) -> None:
    assert shared_engine.embed(["<|im_end|>"]).prompt_tokens == len(shared_engine.tokenize("<|im_end|>").ids) > 1


def test_a_model_that_is_not_loaded_is_loaded(model: LocalModel) -> None:
    assert model.in_memory() is None
    assert len(model.embed(["Hello \ud83d"]).vectors) == 1
    assert model.in_memory() is not None


def test_tokens_and_their_text(model: LocalModel) -> None:
    ids = model.tokenize("Héllo <|im_end|> 😀", special=True).ids
    assert model.detokenize(ids) == "Héllo <|im_end|> 😀"
    assert model.detokenize([]) == ""
    for wrong in (-1, 10_000_000):
        with pytest.raises(SettingInvalid):
            model.detokenize([wrong])


def test_vectors_leave_the_answers_alone(shared_engine: Engine) -> None:
    shared_engine.embed(TEXTS)
    events = ask(shared_engine)
    assert "Paris" in text(events) and finished(events).usage.generated_tokens == len(tokens(events))
