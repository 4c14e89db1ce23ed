"""Why a route chose a model, in a reader's language. Knows no page.

What is filled in is never a format: a conversation, and the reason in it, may come from a file of somebody else's.
"""

from __future__ import annotations

import re

from core import words
from core.events import Routed

NUMBERS = frozenset({"amount", "rate", "seconds", "answers"})
TRANSLATED = frozenset({"why", "task"})
"""Values of core/models/choices.py and fallbacks.py that are written as a language does; the others are names."""


def why(routed: Routed, language: str) -> str:
    """The reason, its placeholders filled; begins in lower case and has no full stop."""
    translate = words.translator(language)

    def shown(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        value = routed.values.get(name, placeholder[0])
        if name in NUMBERS:
            return _number(value, language)
        return translate(value) if name in TRANSLATED else value

    return re.sub(r"\{(\w+)\}", shown, translate(routed.reason))


def _number(value: str, language: str) -> str:
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?(e[+-]?[0-9]{1,3})?", value):
        return value
    return words.number(float(value), language)
