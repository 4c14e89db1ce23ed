"""The words of the workbench in the reader's language, from the gettext catalogues in locales/.

English strings are the msgids; a string that a catalogue does not have stays English. Catalogues are read as text
(.po), once a process. Knows nothing of pages; which language a person reads is theirs to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import WorkbenchError

if TYPE_CHECKING:
    from babel.messages import Catalog

FOLDER = Path(__file__).resolve().parent.parent / "locales"
DOMAIN = "workbench"
LANGUAGES = {"en": "English", "fr": "Français"}
"""Language codes, each with the language's own name."""


def languages() -> tuple[str, ...]:
    """The codes of the languages there are; the first is the one that msgids are written in."""
    return tuple(LANGUAGES)


def nearest(name: str | None) -> str:
    """The language for a browser's or a system's locale ("fr-CA", "fr_FR.UTF-8"); English where there is none."""
    code = (name or "").replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else "en"


def locale(language: str) -> str:
    """The locale by which the language's numbers and dates are written."""
    return {"en": "en_GB", "fr": "fr_FR"}[language]


def number(value: float, language: str, *, digits: int = 4) -> str:
    """A bare number with the language's decimal sign and grouping, to `digits` significant digits, whole ones kept."""
    from babel.numbers import format_decimal

    after = max(digits - 1 - math.floor(math.log10(abs(value))), 0) if value else 0
    rounded = round(value, after)
    return str(format_decimal(rounded, "#,##0." + "#" * min(after, 12), locale=locale(language)))


def country(code: str, language: str) -> str:
    """The name of a country by its ISO 3166-1 code; the code itself where it is none."""
    from babel import Locale

    return str(Locale.parse(locale(language)).territories.get(code.upper(), code))


@lru_cache
def translator(language: str) -> Callable[[str], str]:
    """A function from an English string to the language's; the string itself where the catalogue has none."""
    catalogue = _catalogue(language)
    if catalogue is None:
        return lambda text: text
    known = {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and message.string and not message.fuzzy
    }
    return lambda text: str(known.get(text, text))


@lru_cache
def plural(language: str) -> Callable[[str, str, int], str]:
    """A function (one, many, number) → the form that the language uses with that number; placeholders stay."""
    catalogue = _catalogue(language)
    if catalogue is None:
        return lambda one, many, number: one if number == 1 else many

    from gettext import c2py

    form = c2py(catalogue.plural_expr)
    known = {
        message.id[0]: message.string for message in catalogue if message.pluralizable and all(message.string or ())
    }

    def choose(one: str, many: str, number: int) -> str:
        forms = known.get(one)
        if forms is None:
            return one if number == 1 else many
        return str(forms[form(number)])

    return choose


def explain(error: WorkbenchError, language: str) -> tuple[str, str]:
    """What happened and what to do about it, filled, in the language; the second is empty where there is no cure.

    Numbers among the error's values are written as the language writes them; words among them are translated where the
    catalogue has them.
    """
    translate = translator(language)
    values = {name: _shown(value, language) for name, value in error.values.items()}
    return translate(error.message).format_map(values), translate(error.hint).format_map(values) if error.hint else ""


def _shown(value: Any, language: str) -> Any:
    if isinstance(value, str):
        return translator(language)(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value, language)
    return value


@lru_cache
def _catalogue(language: str) -> Catalog | None:
    """The language's catalogue; None for the language of the msgids."""
    if language not in LANGUAGES or language == "en":
        return None

    from babel.messages.pofile import read_po

    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN, abort_invalid=True)
