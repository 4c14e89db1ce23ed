"""What kind of task a question is, by rules on its text: code fences, endings of files, words in English and French.

Only the last question counts, and of attached files only the name and what is code. A person's own regular expressions
are searched like ours: in at most `SEARCHED` characters and `LIMIT_S` seconds, after which they are not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from core.errors import N_
from core.messages import ChatRequest

if TYPE_CHECKING:
    from regex import Pattern

GENERAL = "general"
"""The task of every question that is no other."""

SEARCHED = 20_000
LIMIT_S = 0.05
LONGEST_PATTERN = 300
LONGEST_FOUND = 40

_LANGUAGES = r"python|javascript|typescript|c\+\+|c#|java|kotlin|php|sql|html|css|bash|regexp?|json|yaml"
_ENDINGS = r"py|ipynb|js|mjs|ts|tsx|jsx|java|kt|cpp|hpp|cs|go|rs|rb|php|lua|sh|ps1|sql|css|html?|json|ya?ml|toml"
_PIECES = r"code(?!\s+(?:civil|pénal|de la route))|functions?|fonctions?|scripts?|quer(?:y|ies)|requ[êe]tes? sql"

TASKS: dict[str, tuple[str, ...]] = {
    "code": (
        r"^ {0,3}(?:```|~~~)",
        rf"(?<![\w@.:/-])(?:[\w-]+/)*[\w-]+\.(?:{_ENDINGS})(?!\w)",
        rf"(?<![\w.])(?:{_LANGUAGES})(?!\w)",
        r"\b(?:stack ?trace|traceback|debug(?:ging)?|refactor(?:ing)?|unit tests?|source code)\b",
        r"\b(?:débogu(?:e|er|ez|age)|refactoris(?:e|er|ez|ation)|tests? unitaires?|code source)\b",
        rf"\b(?:write|fix|debug|[ée]cri[st]|[ée]crire|[ée]crivez|corrige[rz]?)\b[^.?!\n]{{0,40}}\b(?:{_PIECES})\b",
    ),
    "translation": (r"\btranslat(?:e|es|ed|ion|ing)\b", r"\btradui(?:s|t|re|sez|sons)\b", r"\btraductions?\b"),
    "maths": (
        r"\\(?:frac|int|sum|sqrt|lim|begin\{(?:equation|align|matrix))",
        r"\d\s*[+*×÷^]\s*\d",
        r"\b(?:equations?|integral of|derivatives?|theorems?|probabilit(?:y|ies)|polynomials?)\b",
        r"\b(?:[ée]quations?|intégrales? de|dérivées?|théorèmes?|probabilités?|polynômes?)\b",
        r"\b(?:solve|prove that|calculate|résou(?:s|dre|dez)|démontre[rz]?|calcule[rz]?)\b",
    ),
    "summary": (
        r"\b(?:summari[sz]e|summar(?:y|ies)|tl;?dr)\b",
        r"\b(?:résume[rz]?|résumés?|synthèses?|synthétise[rz]?)\b",
    ),
}
"""The tasks that are recognised, and by what; a rule of thumb each, whatever the case of the letters."""

NAMES = {
    "code": N_("code"),
    "translation": N_("translation"),
    "maths": N_("maths"),
    "summary": N_("summary"),
    GENERAL: N_("general"),
}

_NO_CODE = r"(?s)^(`{3,})(?:text|markdown|csv)\n.*?^\1[ \t]*$"
"""A file that core/attachments.py put before the question."""


def question(request: ChatRequest) -> str:
    """The text that the rules look at: the last question; empty where there is none."""
    if isinstance(request.prompt, str):
        return request.prompt[:SEARCHED]
    asked = next((message.content for message in reversed(request.messages) if message.role == "user"), "")
    with suppress(TimeoutError):
        asked = str(_compiled(_NO_CODE).sub("", asked, timeout=LIMIT_S))
    return asked[:SEARCHED]


def found(patterns: Sequence[str], text: str) -> str | None:
    """What the first of these regular expressions that is found matches, as one short line; None where none is."""
    for pattern in patterns:
        try:
            match = _compiled(pattern).search(text, timeout=LIMIT_S)
        except TimeoutError:
            continue
        if match is not None:
            return (" ".join(match[0].split()) or pattern)[:LONGEST_FOUND]
    return None


def task(text: str) -> str:
    """The first kind of task whose rules fit a question; `GENERAL` where none do."""
    searched = text[:SEARCHED]
    return next((name for name, patterns in TASKS.items() if found(patterns, searched) is not None), GENERAL)


def fault(pattern: str) -> str | None:
    """What is wrong with a regular expression, None where nothing is."""
    import regex

    if not pattern.strip() or len(pattern) > LONGEST_PATTERN:
        return N_("a regular expression has from 1 to 300 characters")
    try:
        _compiled(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Pattern[str]:
    """Not by Python's own re: that cannot be stopped."""
    import regex

    return regex.compile(pattern, regex.IGNORECASE | regex.MULTILINE)
