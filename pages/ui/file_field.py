"""A field for files. What Streamlit writes in it, in English only, is written by the reader's language's words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui.words import _, size

USUAL_MB = 200
"""Streamlit's own limit."""

_STYLE = """<style>
{field} [data-testid="stFileUploaderDropzone"] button p,
{field} [data-testid="stFileUploaderDropzoneInstructions"] span {{ font-size: 0; }}
{field} [data-testid="stFileUploaderDropzone"] button p::after {{ content: {button}; font-size: 0.875rem; }}
{field} [data-testid="stFileUploaderDropzoneInstructions"] span::after {{ content: {limit}; font-size: 0.875rem; }}
</style>"""


def show(label: str, *, key: str, type: str | Sequence[str] = (), most_mb: int = USUAL_MB, **options: Any) -> Any:
    """`st.file_uploader`, whose options it takes. key: of letters, digits and hyphens, as it becomes a class of CSS."""
    types = [type] if isinstance(type, str) else list(type)
    folder = options.get("accept_multiple_files") == "directory"
    limit = _("up to {size} a file", size=size(most_mb * 1_000_000))
    words = {
        "button": _("Choose a folder") if folder else _("Choose"),
        "limit": " · ".join([limit, ", ".join(each.upper() for each in types)] if types else [limit]),
    }
    st.html(_STYLE.format(field=f".st-key-{key}", **{name: json.dumps(text, ensure_ascii=False) for name, text in words.items()}))
    return st.file_uploader(label, type=types or None, key=key, max_upload_size=most_mb, **options)
