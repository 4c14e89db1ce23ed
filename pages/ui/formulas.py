r"""Formulas in model text, written as Streamlit's Markdown reads them.

Models write \(…\) and \[…\] as often as $…$ and $$…$$. Streamlit knows only dollars, wants $$ on lines of their own,
and as soon as there is one formula takes any two other dollars for one. So brackets become dollars, and the dollars
that belong to no formula ("$5 and $10") are escaped. Code stays as it is. Time is linear in the length of the text.
"""

from __future__ import annotations

import re

_PARTS = re.compile(
    r"""
    (?P<code>
        ^[ ]{0,3}(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[\s\S]*?(?:\n[ ]{0,3}(?P=fence)[`~]*[ \t]*$|\Z)
      | ^(?:[ \t]{4,}|[ ]{0,3}[>*+-][ \t>]*)(?P<inner>`{3,}|~{3,})[\s\S]*?(?:\n[ \t>]*(?P=inner)|\Z)
      | (?<!`)(?P<ticks>`+)[^`\n]+(?P=ticks)(?!`)
      | \\[\\$`]
    )
  | (?P<before>^[ \t]*)?
    (?: \\\[(?P<bracketed>(?:\\[^\[\]]|[^\\$])+)\\\] | (?<!\$)\$\$(?P<doubled>[^$]+)\$\$(?!\$) )
    (?P<after>[ \t]*$)?
  | \\\((?P<round>(?:\\[^()\n]|[^\\$\n])+)\\\)
  | (?<!\$)\$(?![\s$])[^$\n]*?(?<![\s\\])\$(?!\d)
  | (?P<dollar>\$+)
    """,
    re.MULTILINE | re.VERBOSE,
)
"""Everything that is code, a formula or a dollar. The rule for $…$ is pandoc's (tex_math_dollars), and Streamlit's."""

_WORDS = re.compile(r"[a-z]{3,}")
_SIGNS = re.compile(r"[\\^_=+*/<>|{}\d-]")


def for_streamlit(text: str) -> str:
    """The same text with its formulas in Streamlit's form. Without any, the text as it is."""
    if "$" not in text and "\\(" not in text and "\\[" not in text:
        return text
    if not any(_is_formula(part) for part in _PARTS.finditer(text)):
        return text
    return _PARTS.sub(_written, text)


def _is_formula(part: re.Match[str]) -> bool:
    if part["round"] is not None:
        return _mathematical(part["round"])
    return part["code"] is None and part["dollar"] is None


def _written(part: re.Match[str]) -> str:
    whole = part[0]
    if part["dollar"] is not None:
        return whole.replace("$", "\\$")
    if part["round"] is not None:
        return f"${part['round'].strip()}$" if _mathematical(part["round"]) else whole
    displayed = part["bracketed"] if part["bracketed"] is not None else part["doubled"]
    if displayed is None or not displayed.strip():
        return whole
    before = part["before"]
    if before is not None and part["after"] is not None:
        lines = ["$$", *(line.strip() for line in displayed.strip().splitlines()), "$$"]
        return "\n".join(before + line for line in lines)
    return f"{before or ''}$${' '.join(displayed.split())}$${part['after'] or ''}"


def _mathematical(text: str) -> bool:
    r"""Whether it is a formula and not words, as in "escape \( and \)"."""
    return bool(text.strip()) and (bool(_SIGNS.search(text)) or not _WORDS.search(text))
