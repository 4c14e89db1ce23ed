"""What is said beside a field while it is being typed in."""

from __future__ import annotations

from pages.ui import instead
from pages.ui.words import _


def show() -> None:
    """Puts it into the page. Once a run, in the frame."""
    line, lines = _("Enter to apply"), _("Ctrl or ⌘ + Enter to apply")
    fields = {"stTextInput": line, "stNumberInput": line, "stTextArea": lines}
    hint = '[data-testid="InputInstructions"] span:first-child'
    instead.show({f'[data-testid="{field}"] {hint}': text for field, text in fields.items()}, rem=0.75)
