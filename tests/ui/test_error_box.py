"""An error in its red box: the cure first, then what happened, in the reader's language, with nothing acted on."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import EmptyPrompt, ModelFileInvalid, ModelNotFound, WorkbenchError


def script(error: object, retry: bool) -> None:
    import streamlit as st

    from pages.ui import error_box

    st.session_state.pressed = error_box.show(error, key="box", retry=retry)


def run(error: WorkbenchError, *, retry: bool = False, language: str = "en") -> AppTest:
    page = AppTest.from_function(script, kwargs={"error": error, "retry": retry}, default_timeout=20)
    page.query_params["lang"] = language
    page.run()
    assert not page.exception
    return page


def read(page: AppTest) -> str:
    """The box as Markdown shows it: escapes undone."""
    (box,) = page.error
    return re.sub(r"\\(.)", r"\1", box.value)


def test_the_cure_stands_before_what_happened() -> None:
    error = ModelNotFound(model="phi.gguf")
    assert read(run(error)) == f"**{error.advice()}**\n\n{error}"


def test_an_error_without_a_cure_says_what_happened() -> None:
    assert read(run(WorkbenchError())) == "Something went wrong."


def test_it_speaks_the_readers_language() -> None:
    english, french = read(run(EmptyPrompt())), read(run(EmptyPrompt(), language="fr"))
    assert english != french
    assert "question" in french


@pytest.mark.parametrize(
    "detail",
    ["**bold**", ":red[x]", "<b>x</b>", "![x](https://example.org/x.png)", "# x", "`x`", "$x$", "a_b_c", "| x |"],
)
def test_what_an_error_quotes_is_shown_and_never_acted_on(detail: str) -> None:
    page = run(ModelFileInvalid(model="m.gguf", detail=detail))
    assert detail in read(page)
    quoted = page.error[0].value.split("\n\n")[1]
    assert not re.search(r"(?<!\\)[*_`$<>\[\]:#|!]", quoted)


def test_lines_of_a_detail_cannot_open_blocks() -> None:
    page = run(ModelFileInvalid(model="m.gguf", detail="one\n\n    two\n---\nthree"))
    assert "one two --- three" in read(page)


def test_the_button_tries_again_once() -> None:
    page = run(EmptyPrompt(), retry=True)
    assert page.session_state.pressed is False
    page.button(key="box-retry").click().run()
    assert page.session_state.pressed is True
    page.run()
    assert page.session_state.pressed is False


def test_without_retry_there_is_no_button() -> None:
    page = run(EmptyPrompt())
    assert not page.button
    assert page.session_state.pressed is False
