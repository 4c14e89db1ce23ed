"""Keys that Streamlit takes for a component."""

from __future__ import annotations


def component_key(key: str) -> str:
    """The key without two underlines in a row, at which Streamlit splits a component's id.

    Messages kept by earlier versions have ids that can hold them.
    """
    return key.replace("_", "-")
