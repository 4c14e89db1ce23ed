"""Every string for people is in the French catalogue, whole, and with the same placeholders; languages choose well."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import PoFileError

from core import errors, words
from core.errors import ContextOverflow, ModelFileInvalid, WorkbenchError
from scripts import words as catalogues

MARKS = {"_", "N_", "ngettext"}


@pytest.fixture(scope="module")
def template() -> Catalog:
    return catalogues.extracted()


@pytest.fixture(scope="module", params=catalogues.catalogues(), ids=lambda path: path.parent.parent.name)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return catalogues.read(request.param)


def pairs(catalogue: Catalog) -> Iterator[tuple[str, str]]:
    """Every msgid with each of its translations."""
    for message in catalogue:
        if not message.id:
            continue
        many = isinstance(message.id, tuple | list)
        original = message.id[-1] if many else message.id
        for translation in message.string if many else [message.string]:
            yield original, translation


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {path.parent.parent.name for path in catalogues.catalogues()} == set(words.languages()) - {"en"}


def test_the_strings_of_errors_are_found(template: Catalog) -> None:
    assert "Type a question." in template
    assert len(template) > 40


def test_no_string_is_missing(template: Catalog, catalogue: Catalog) -> None:
    known = {message.id: message.string for message in catalogue}
    missing = [message.id for message in template if message.id and not complete(known.get(message.id))]
    assert missing == [], "run `make words` and translate these"


def complete(translation: object) -> bool:
    return all(translation) if isinstance(translation, tuple | list) else bool(translation)


def test_no_string_is_fuzzy(catalogue: Catalog) -> None:
    assert [message.id for message in catalogue if message.fuzzy and message.id] == []


def test_no_string_is_left_over(template: Catalog, catalogue: Catalog) -> None:
    left = [message.id for message in catalogue if message.id and message.id not in template]
    assert left == [], "run `make words`"


def test_placeholders_are_the_same(catalogue: Catalog) -> None:
    assert [(a, b) for a, b in pairs(catalogue) if placeholders(a) != placeholders(b)] == []


def test_french_spaces_do_not_break() -> None:
    """Before ; : ! ? » % and after « stands a narrow no-break space; quotation marks are « »."""
    french = catalogues.read(words.FOLDER / "fr/LC_MESSAGES/workbench.po")
    wrong = [b for _, b in pairs(french) if any(f" {mark}" in b for mark in ";:!?»%") or "« " in b or '"' in b]
    assert wrong == []


def test_french_apostrophes_are_curved() -> None:
    """But in the name Compar'IA."""
    french = catalogues.read(words.FOLDER / "fr/LC_MESSAGES/workbench.po")
    straight = re.compile(r"(?<=\w)'(?=\w)")
    assert [b for _, b in pairs(french) if straight.search(b.replace("Compar'IA", ""))] == []


@pytest.mark.parametrize(
    "path", list(catalogues.sources()), ids=lambda path: path.relative_to(catalogues.ROOT).as_posix()
)
def test_marked_strings_stand_as_they_are(path: Path) -> None:
    """A string put together inside `_()` is no msgid: the catalogue can never have it."""
    wrong = [
        f"line {call.lineno}"
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKS
        if call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert wrong == []


def test_a_damaged_catalogue_is_noticed(tmp_path: Path) -> None:
    damaged = tmp_path / "fr/LC_MESSAGES/workbench.po"
    damaged.parent.mkdir(parents=True)
    damaged.write_text('msgid "a"\nmsgstr "b\nmsgid', encoding="utf-8")
    with pytest.raises(PoFileError):
        catalogues.read(damaged)


def test_writing_a_catalogue_changes_nothing(tmp_path: Path) -> None:
    original = words.FOLDER / "fr/LC_MESSAGES/workbench.po"
    copy = tmp_path / "fr/LC_MESSAGES/workbench.po"
    copy.parent.mkdir(parents=True)
    catalogues.write(copy, catalogues.read(original))
    assert copy.read_text(encoding="utf-8") == original.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("locale", "language"),
    [("fr-CA", "fr"), ("fr", "fr"), ("FR_fr.UTF-8", "fr"), ("en-GB", "en"), ("de-DE", "en"), ("", "en"), (None, "en")],
)
def test_the_nearest_language(locale: str | None, language: str) -> None:
    assert words.nearest(locale) == language


def test_an_unknown_string_stays_english() -> None:
    assert words.translator("fr")("no msgid of ours") == "no msgid of ours"
    assert words.plural("fr")("{count} bird", "{count} birds", 0) == "{count} birds"


def test_plurals_are_those_of_the_language() -> None:
    assert [words.plural("en")("{count} token", "{count} tokens", n)[-1] for n in (0, 1, 2)] == ["s", "n", "s"]
    assert [words.plural("fr")("{count} token", "{count} tokens", n)[-1] for n in (0, 1, 2)] == ["n", "n", "s"]


def test_an_error_is_explained_in_french() -> None:
    message, hint = words.explain(ContextOverflow(prompt_tokens=12345, context_length=8192), "fr")
    assert "12\u202f345" in message
    assert "8\u202f192" in message
    assert hint.startswith("Raccourcissez")


def test_english_is_what_the_error_says() -> None:
    error = ModelFileInvalid(model="phi.gguf", detail="it is empty")
    assert words.explain(error, "en") == (str(error), error.advice())


def kinds(kind: type[WorkbenchError] = WorkbenchError) -> Iterator[type[WorkbenchError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from kinds(child)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_every_error_has_french_words(kind: type[WorkbenchError]) -> None:
    names = placeholders(kind.message) | placeholders(kind.hint)
    error = kind(**{name: f"<{name}>" for name in names})
    message, hint = words.explain(error, "fr")
    assert message != str(error)
    assert bool(hint) == bool(kind.hint)
    assert all(f"<{name}>" in message + hint for name in names)


def test_no_string_to_translate_stands_inside_an_f_string() -> None:
    """Babel does not look there (before Python 3.12 it cannot), so such a string would never reach the catalogue."""
    hidden = [
        f"{path.relative_to(catalogues.ROOT)}:{call.lineno}"
        for folder in ("core", "pages")
        for path in (catalogues.ROOT / folder).rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext")
    ]
    assert hidden == []
