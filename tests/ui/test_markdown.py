"""Model text drawn for good: what is handed to Streamlit can fetch nothing, and everything else stays as it was.

That nothing is fetched in a real browser: tests/e2e/test_live_answer.py.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from pages.ui import markdown


def drawn(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """What `show` draws: the Markdown elements, and the code elements as (code, language)."""

    def script(text: str) -> None:
        from pages.ui import markdown

        markdown.show(text)

    app = AppTest.from_function(script, args=(text,)).run(timeout=20)
    assert not app.exception
    return [element.value for element in app.markdown], [(element.value, element.language) for element in app.code]


def test_harmless_text_is_streamlits_own() -> None:
    text = "# Title\n\n- a\n\n```python\nx = 1\n```\n\n$a^2$ :red[b] <b>c</b> [d](https://example.org)"
    assert drawn(text) == ([text], [])


def test_images_become_links_and_code_stays_exact() -> None:
    text = "See ![this](http://x/a.png).\n\n```rust\nvec![1]\n```\n\nand `vec![2]`"
    texts, codes = drawn(text)
    assert codes == [("vec![1]", "rust")]
    assert texts == ["See !\u2060[this](http://x/a.png).", "and `vec!\u2060[2]`"]


def test_a_diagram_is_shown_as_its_code() -> None:
    texts, codes = drawn("Look:\n\n```mermaid\nflowchart TD\n```")
    assert codes == [("flowchart TD", "mermaid")] and texts == ["Look:"]


@pytest.mark.parametrize("fence", ["> ```mermaid\n> a", "- ~~~ &#109;ermaid\n  a", "1. ````  MerMaid x\n   a"])
def test_a_diagram_within_something_is_plain_code(fence: str) -> None:
    texts, codes = drawn(fence)
    assert codes == [] and re.search(r"[`~]{3}text ", texts[0])


@given(some.text(alphabet="![]()`~\n >-$:m&#109;x\\", max_size=60))
def test_no_image_is_left_in_what_is_read_as_markdown(text: str) -> None:
    texts = [part for part, language in markdown.parts(text) if language is None]
    assert all(markdown.IMAGE not in markdown.defused(part) for part in texts)


@given(some.lists(some.sampled_from(["```", "~~~", "```` py", "a", "  b", "", "- c", "``` d"]), max_size=12))
def test_no_line_of_text_is_lost(lines: list[str]) -> None:
    kept = [line for part, _ in markdown.parts("\n".join(lines)) for line in part.split("\n")]
    fences = re.compile(r"\s*(`{3,}|~{3,})")
    wanted = [line for line in lines if line.strip() and not fences.match(line)]
    assert [line for line in kept if line.strip() and not fences.match(line)] == wanted
