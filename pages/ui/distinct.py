"""Labels of which no two are the same: a browser gives back the label that was picked, and not what it stands for.

So a label is the same in every language, too, where any text may be typed: in another one it would be a typed text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


def distinct(labels: Mapping[str, str]) -> dict[str, str]:
    """By id; with the id behind it where several would be called the same."""
    bearers = Counter(labels.values())
    return {id: label if bearers[label] == 1 else f"{label} · {id}" for id, label in labels.items()}
