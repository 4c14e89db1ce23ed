"""How this server's Python shares its time between a page that is drawn and the answers that come meanwhile.

One thread runs Python at a time. What holds it for long holds every answer, and every question that is on its way.
"""

from __future__ import annotations

import gc
import sys

SWITCH_S = 0.001
"""After which a thread that computes lets another one go on. A request passes a dozen times from thread to thread until
it has left; Python's own 5 ms would hold it up each time."""

_known = 0


def share() -> None:
    """Once, when the server starts."""
    sys.setswitchinterval(SWITCH_S)


def spare_modules() -> None:
    """At the beginning of every run of a page: whatever the modules that are loaded by now hold is no garbage.

    Streamlit has all garbage collected after each run, and nothing else goes on meanwhile: with the modules of a client
    and a database in it, that took a tenth of a second.
    """
    global _known
    if len(sys.modules) != _known:
        _known = len(sys.modules)
        gc.freeze()
