"""A field for files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui import instead
from pages.ui.words import _, size

USUAL_MB = 200
"""Streamlit's own limit."""


def show(label: str, *, key: str, type: str | Sequence[str] = (), most_mb: int = USUAL_MB, **options: Any) -> Any:
    """`st.file_uploader`, whose options it takes. key: of letters, digits and hyphens, as it becomes a class of CSS."""
    types = [type] if isinstance(type, str) else list(type)
    folder = options.get("accept_multiple_files") == "directory"
    limit = _("up to {size} a file", size=size(most_mb * 1_000_000))
    field = f'.st-key-{key} [data-testid="stFileUploaderDropzone'
    words = {
        f'{field}"] button p': _("Choose a folder") if folder else _("Choose"),
        f'{field}Instructions"] span': " · ".join(filter(None, [limit, ", ".join(types).upper()])),
    }
    instead.show(words, rem=0.875)
    return st.file_uploader(label, type=types or None, key=key, max_upload_size=most_mb, **options)
