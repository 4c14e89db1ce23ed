"""Formulas as Streamlit reads them. That they are drawn by a real browser: tests/e2e/test_transcript.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pages.ui.formulas import for_streamlit


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"So \(a^2\) is", "So $a^2$ is"),
        (r"\( x \) and \(ABC\)", "$x$ and $ABC$"),
        ("\\[\n\\frac{1}{2}\n\\]", "$$\n\\frac{1}{2}\n$$"),
        ("1. So:\n   \\[ a = b \\\\[2pt] c \\]\n2. Then", "1. So:\n   $$\n   a = b \\\\[2pt] c\n   $$\n2. Then"),
        (r"where \[x = 1\], of course", "where $$x = 1$$, of course"),
        ("$$x = 1$$", "$$\nx = 1\n$$"),
        ("$$\nx = 1\n$$", "$$\nx = 1\n$$"),
        ("$c^2$ costs $5 and $10", r"$c^2$ costs \$5 and \$10"),
        (r"\(x\) for US$5", r"$x$ for US\$5"),
        (r"`\(a\)` and \(b\)", r"`\(a\)` and $b$"),
        ("```tex\n\\[a\\]\n$5 $x$\n```\n\\(b\\)", "```tex\n\\[a\\]\n$5 $x$\n```\n$b$"),
        ("- ~~~\n  $5 \\(a\\)\n  ~~~\n$b$ $", "- ~~~\n  $5 \\(a\\)\n  ~~~\n$b$ \\$"),
        (r"\$5 and \(b\)", r"\$5 and $b$"),
    ],
)
def test_brackets_become_dollars_and_other_dollars_are_escaped(written: str, read: str) -> None:
    assert for_streamlit(written) == read
    assert for_streamlit(read) == read


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "From $20-$30, or US$5 (CA$7)",
        "$HOME and $PATH",
        r"Escape \( and \) with a backslash",
        r"A list \[ without an end",
        r"An end \] and \)",
        "`$a$` and ```$b$```",
        r"\\(a\\)",
        "$ a $ and $$",
        "no formula at all",
    ],
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert for_streamlit(text) == text


@pytest.mark.parametrize("piece", ["\\[", "\\(", "$$ ", "$a ", "`", "~~~ ", "\n```", "\\", " $", "$$$"])
def test_a_flood_of_openings_is_read_in_one_sweep(piece: str) -> None:
    flood = "$x$ " + piece * 100_000
    assert len(for_streamlit(flood)) >= len(flood)


@given(some.text(alphabet="$\\()[]`~ \nax1^", max_size=50))
def test_nothing_but_dollars_brackets_and_spaces_is_changed(text: str) -> None:
    kept = "".join(c for c in text if c in "`~ax1^")
    assert "".join(c for c in for_streamlit(text) if c in "`~ax1^") == kept
