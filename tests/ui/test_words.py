"""The language of a page: the browser's, the address's, the switch's."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.ui import words
    from pages.ui.words import _, ngettext

    words.switch()
    st.text(_("Type a question."))
    st.text(_("There is no model at {model}.", model="phi.gguf"))
    st.text(ngettext("{count} token", "{count} tokens", 1234))
    st.text(words.rate(92.43))


def test_english_where_the_browser_says_nothing() -> None:
    at = AppTest.from_function(page).run()
    assert [text.value for text in at.text] == [
        "Type a question.",
        "There is no model at phi.gguf.",
        "1,234 tokens",
        "92.4\u00a0tokens/s",
    ]


def test_the_address_chooses() -> None:
    at = AppTest.from_function(page)
    at.query_params["lang"] = "fr"
    at.run()
    assert at.text[0].value == "Posez une question."
    assert at.text[2].value == "1\u202f234 tokens"
    assert at.text[3].value == "92,4\u202ftokens/s"


def test_a_language_that_is_not_there_is_passed_over() -> None:
    at = AppTest.from_function(page)
    at.query_params["lang"] = "xx"
    at.run()
    assert not at.exception
    assert at.text[0].value == "Type a question."


def test_the_switch_changes_every_word_and_the_address() -> None:
    at = AppTest.from_function(page).run()
    at.session_state["lang"] = "fr"
    at.run()
    assert at.text[0].value == "Posez une question."
    assert at.query_params["lang"] == "fr"
