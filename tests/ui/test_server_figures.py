"""What a server says of its own speed: under its own names, with the unit that each name says."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def drawn(server: dict[str, float]) -> AppTest:
    def script(server: dict[str, float]) -> None:
        import streamlit as st

        from pages.ui import server_figures

        server_figures.show("server", server)
        st.text(" | ".join(f"{figure.label}={figure.value}" for figure in server_figures.figures(server)))

    app = AppTest.from_function(script, args=(server,)).run(timeout=20)
    assert not app.exception
    return app


def test_the_servers_own_figures_are_labelled_as_its_own() -> None:
    app = drawn({"prompt_n": 310.0, "prompt_ms": 1500.0, "predicted_per_second": 95.5})
    assert [caption.value for caption in app.caption] == ["Reported by the server"]
    shown = app.text[0].value.replace("\u00a0", " ")
    assert shown == "prompt_n=310 | prompt_ms=1.5 s | predicted_per_second=95.5 tokens/s"


def test_a_server_that_says_nothing_leaves_no_trace() -> None:
    app = drawn({})
    assert len(app.caption) == 0 and app.text[0].value == ""
