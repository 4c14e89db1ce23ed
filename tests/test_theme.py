"""The look: .streamlit/config.toml is valid, its text can be read, and no page paints what the theme does not know."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from streamlit import config as streamlit_config

ROOT = Path(__file__).resolve().parent.parent
CONFIG: dict[str, Any] = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
ENOUGH, ENOUGH_FOR_SHAPES = 4.5, 3.0
FADED = 0.6  # Streamlit draws captions and placeholders in the text colour at this opacity
TINT = 0.1  # and the ground of a chosen segment in the accent at this one


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 … 21, WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def over(colour: str, ground: str, opacity: float) -> str:
    """`colour` laid over `ground`."""
    mixed = (
        round(int(colour[at : at + 2], 16) * opacity + int(ground[at : at + 2], 16) * (1 - opacity)) for at in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def section(theme: str, *, sidebar: bool) -> dict[str, str]:
    whole = CONFIG["theme"][theme]
    return {**whole, **whole["sidebar"]} if sidebar else whole


def flattened(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_option_exists() -> None:
    known = streamlit_config.get_config_options()
    assert [name for name in flattened(CONFIG) if name not in known] == []


@pytest.mark.parametrize("sidebar", [False, True], ids=["page", "sidebar"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(theme: str, sidebar: bool) -> None:
    colours = section(theme, sidebar=sidebar)
    ground, text, accent = colours["backgroundColor"], colours["textColor"], colours["primaryColor"]
    pairs = {
        "text": (text, ground),
        "text in widgets": (text, colours["secondaryBackgroundColor"]),
        "captions": (over(text, ground, FADED), ground),
        "placeholders": (
            over(text, colours["secondaryBackgroundColor"], FADED),
            colours["secondaryBackgroundColor"],
        ),
        "links": (colours["linkColor"], ground),
        "code": (colours["codeTextColor"], colours["codeBackgroundColor"]),
        "chosen tab": (accent, ground),
        "chosen segment": (accent, over(accent, ground, TINT)),
    }
    assert {name: round(contrast(*pair), 2) for name, pair in pairs.items() if contrast(*pair) < ENOUGH} == {}
    assert contrast("#ffffff", accent) >= ENOUGH_FOR_SHAPES, "ticks and knobs are white on the accent"


def test_no_white_words_on_the_accent() -> None:
    """Streamlit writes primary buttons in white; on an accent that can be read on the dark ground, white cannot."""
    pages = (ROOT / "pages").rglob("*.py")
    assert [str(p.relative_to(ROOT)) for p in pages if re.search(r"type=[\"']primary", p.read_text("utf-8"))] == []


def test_nothing_is_sent_and_only_this_machine_is_served() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["address"] == "localhost"
    assert "//" not in "".join(str(value) for value in flattened(CONFIG["theme"]).values()), (
        "fonts come from the system"
    )
