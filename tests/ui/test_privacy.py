"""Where what is asked goes: the same words for an address, a connection, a model and a route."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.models.base import ModelInfo

HERE = ModelInfo(id="small", name="Small", provider="local", local=True)
SERVER = ModelInfo(id="http://localhost:8080/v1#m", name="m", provider="localhost", local=False)
LAN = ModelInfo(id="http://192.168.1.7:8000/v1#m", name="m", provider="192.168.1.7", local=False)
AWAY = ModelInfo(id="https://api.example.org/v1#m", name="m", provider="Example *AI*", local=False, country="FR")
NOWHERE = ModelInfo(id="https://far.example.org/v1#m", name="m", provider="Far", local=False)


def script(models: list, route: bool) -> None:  # type: ignore[type-arg]
    import streamlit as st

    from pages.ui import privacy

    st.session_state.said = privacy.of_route(models) if route else [privacy.badge(one) for one in models]


def said(models: list[ModelInfo], *, route: bool = False, language: str = "en") -> object:
    page = AppTest.from_function(script, kwargs={"models": models, "route": route}, default_timeout=20)
    page.query_params["lang"] = language
    page.run()
    assert not page.exception
    return page.session_state.said


def test_a_model_says_where_it_is() -> None:
    assert said([HERE, SERVER, LAN, AWAY, NOWHERE]) == [
        ":material/computer: on this machine",
        ":material/computer: on this machine",
        ":material/lan: on your network",
        r":material/public: leaves for Example \*AI\*, France",
        ":material/public: leaves for Far",
    ]


def test_countries_are_written_in_the_readers_language() -> None:
    american = ModelInfo(id="https://api.example.org/v1#m", name="m", provider="Far", local=False, country="US")
    assert said([american], language="fr") == [r":material/public: part vers Far, États\-Unis"]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([HERE, SERVER], ":material/computer: on this machine"),
        ([HERE, LAN], ":material/lan: on your network"),
        ([HERE, LAN, AWAY, NOWHERE, AWAY], r":material/public: may leave for Example \*AI\*, Far"),
        ([], ""),
    ],
)
def test_a_route_goes_as_far_as_its_farthest_model(models: list[ModelInfo], expected: str) -> None:
    assert said(models, route=True) == expected
