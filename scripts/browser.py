"""A Chromium for the browser tests: the one of the system where there is one, else None (Playwright's own is used).

Standard library only: scripts/setup.py runs it before anything is installed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAMES = (
    "chromium-headless-shell", "chrome-headless-shell",
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
)  # fmt: skip
"""The first two are the same browser without the windows that nobody sees here: a fifth less work."""
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
)


def executable() -> str | None:
    """Path of the system's Chromium, Chrome or Edge, for Playwright's `executable_path`; None: none was found."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for place in PLACES:
        path = Path(os.path.expandvars(place))
        if path.is_file():
            return str(path)
    return None
