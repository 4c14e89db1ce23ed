"""A tokenizer and a template without the model: the same as the loaded model's, and no harm from a hostile one."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ModelFileInvalid, ModelNotFound, TemplateInvalid
from core.gguf import look
from core.models.local.engine import Engine
from tests.faults.models import with_template
from tests.gguf.making import tiny

TEXT = "L’élève naïf mange 12,5 œufs 😀\n\tfor i in range(3): <|im_start|>"


@pytest.mark.model
@pytest.mark.parametrize("special", [False, True])
def test_tokens_are_those_of_the_loaded_model(smollm: Path, shared_engine: Engine, special: bool) -> None:
    pieces = look.tokenize(smollm, TEXT, special=special)
    loaded = shared_engine.tokenize(TEXT, special=special)
    assert [piece.id for piece in pieces] == loaded.ids
    assert [piece.text for piece in pieces] == loaded.pieces
    assert b"".join(piece.data for piece in pieces).decode() == TEXT


def test_french_takes_more_tokens_a_word(smollm: Path) -> None:
    found = look.per_word(smollm)
    for language, per_word in (("en", found.english), ("fr", found.french)):
        text = look.PASSAGES[language]
        assert per_word == pytest.approx(len(look.tokenize(smollm, text)) / look.words(text))
    assert found.french > found.english > 1
    whole = {language: len(look.tokenize(smollm, text)) for language, text in look.PASSAGES.items()}
    assert found.ratio == pytest.approx(whole["fr"] / whole["en"])


def test_the_template_is_rendered(smollm: Path) -> None:
    made = look.rendered(smollm)
    assert made.own and made.text.endswith("<|im_start|>assistant\n")
    for role, content in look.EXAMPLE:
        assert f"<|im_start|>{role}\n{content}<|im_end|>\n" in made.text


def test_a_file_without_a_tokenizer_or_template(tmp_path: Path) -> None:
    made = look.rendered(tiny(tmp_path / "tiny.gguf"), [("user", "hello")])
    assert (made.text, made.own) == ("hello", True)
    with pytest.raises(ModelNotFound):
        look.tokenize(tmp_path / "none.gguf", "a")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelFileInvalid):
        look.tokenize(tmp_path / "broken.gguf", "a")


def test_a_template_that_takes_no_system_message(tmp_path: Path) -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "[{{ m.content }}]{% endfor %}"
    )
    made = look.rendered(with_template(tiny(tmp_path / "tiny.gguf"), tmp_path / "strict.gguf", source))
    assert made.text == "".join(f"[{content}]" for role, content in look.EXAMPLE if role != "system")


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(10**9) %}{% endfor %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% for m in messages %}",
        "{{ 'x' * 10**10 }}",
    ],
)
def test_a_hostile_template_is_an_error(tmp_path: Path, source: str) -> None:
    path = with_template(tiny(tmp_path / "tiny.gguf"), tmp_path / "hostile.gguf", source)
    with pytest.raises(TemplateInvalid):
        look.rendered(path)
