"""Where this server's own OpenAI-compatible API is, as the reader's browser reaches it."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st


def base_url() -> str:
    """Beside the page that is open, without a slash at its end."""
    page = urlsplit(st.context.url or "http://localhost:8501")
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{page.scheme}://{page.netloc}/{base + '/' if base else ''}v1"
