"""What is assumed of an energy figure, in the reader's language. Knows no page."""

from __future__ import annotations

from core.events import Energy
from core.words import number, translator


def sentences(energy: Energy, language: str) -> list[str]:
    """The assumptions, their numbers as the language writes them."""
    values = {
        name: number(value, language, digits=3) if isinstance(value, int | float) else value
        for name, value in energy.values.items()
    }
    return [translator(language)(sentence).format_map(values) for sentence in energy.assumptions]
