"""Modules that are imported when something of them is first used, where it would take too long to do so at start-up.

    from core.late import np            # numpy: 70 ms and 25 MB, that a server needs for no chat

Type checkers see the module itself. What is evaluated at import (an alias, a default) must not touch it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["filelock", "np"]

if TYPE_CHECKING:
    import filelock
    import numpy as np
else:

    class _Late:
        """Stands for a module until it is used."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> Any:
            value = getattr(importlib.import_module(self._name), attribute)
            setattr(self, attribute, value)
            return value

    filelock = _Late("filelock")
    np = _Late("numpy")
