"""A batch's prompts, and the short sets of them that come with the workbench, in English and in French.

A set is a TOML file in prompt_sets/, named CATEGORY.LANGUAGE.toml: tables `[[prompt]]` with the fields that a line of
JSONL may have (core/arena/prompt_files.py). Knows no model.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from core.arena import checks
from core.arena.checks import KINDS, Check
from core.errors import N_, CheckInvalid, CheckInvalidAt

FOLDER = Path(__file__).parent / "prompt_sets"

CATEGORIES: dict[str, str] = {
    "reasoning": N_("Reasoning"),
    "code": N_("Code"),
    "summarising": N_("Summarising"),
    "instructions": N_("Following instructions"),
    "translation": N_("Translation"),
    "safety": N_("Safety"),
}
"""What the built-in sets are about, in the order in which they are offered; as a vote's `category`."""

LANGUAGES = ("en", "fr")


class Prompt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question of a batch. `system` takes the place of a model's system prompt, where it is not empty.

    `category`, `language`: as a `Vote` has them.
    """

    text: str
    system: str = ""
    category: str | None = None
    language: str | None = None
    checks: tuple[Check, ...] = ()


class PromptSet(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts that come with the workbench. `id`: as `reasoning.en`."""

    id: str
    category: str
    language: str
    prompts: tuple[Prompt, ...]


def ids() -> tuple[str, ...]:
    """The built-in sets' ids: by category, then by language."""
    return tuple(f"{category}.{language}" for category in CATEGORIES for language in LANGUAGES)


@lru_cache
def built_in(id: str) -> PromptSet:
    """The built-in set of this id, which must be one of `ids`."""
    category, language = id.split(".")
    with (FOLDER / f"{id}.toml").open("rb") as file:
        tables = tomllib.load(file)["prompt"]
    about = {"category": category, "language": language}
    found = tuple(of_fields(about | table, row=row) for row, table in enumerate(tables, start=1))
    return PromptSet(id=id, category=category, language=language, prompts=found)


def of_fields(fields: Mapping[str, Any], *, row: int) -> Prompt:
    """A prompt from its fields by name: prompt, system, category, language, and a field for each kind of check.

    A check's field is a text, a number, a JSON object, or a list of them. `row`: for people, from 1.
    Raises `CheckInvalidAt`.
    """
    found = [Check(kind, text) for kind in KINDS for text in _texts(fields.get(kind))]
    try:
        for check in found:
            checks.sound(check)
    except CheckInvalid as error:
        raise CheckInvalidAt(row=row, **error.values) from error
    return Prompt(
        text=_text(fields.get("prompt")).strip(),
        system=_text(fields.get("system")).strip(),
        category=_text(fields.get("category")).strip() or None,
        language=_text(fields.get("language")).strip().lower() or None,
        checks=tuple(found),
    )


def _texts(value: Any) -> list[str]:
    each = value if isinstance(value, list) else [value]
    return [text for text in map(_text, each) if text.strip()]


def _text(value: Any) -> str:
    """As a table's cell would have it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
