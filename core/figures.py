"""Figures as people read them: by locale, with their unit and no more digits than they deserve.

Every function takes a value and a language ("en", "fr") and returns words. None, or what is no number, is *unknown*;
`estimated` puts ≈ before the figure. A figure and its unit never part at the end of a line: between them stands a
no-break space, in French a narrow one (U+202F).
"""

from __future__ import annotations

import math
from datetime import date, datetime

from core.errors import N_
from core.words import locale, number, plural, translator

NO_BREAK, NARROW = "\u00a0", "\u202f"
_ENERGY_UNITS = ((999.5, 0.001, "kWh"), (0.0995, 1.0, "Wh"), (0.0, 1000.0, "mWh"))
"""From how many watt-hours on, times what, in which unit."""

BYTE_UNITS = {"en": ("bytes", "kB", "MB", "GB", "TB"), "fr": ("octets", "ko", "Mo", "Go", "To")}


def rate(value: float | None, language: str, *, estimated: bool = False) -> str:
    """Tokens a second: `92.4 tokens/s`. Three significant digits, no more than whole ones from 100 on."""
    return _figure(value, N_("tokens/s"), language, estimated=estimated)


def seconds(value: float | None, language: str, *, estimated: bool = False) -> str:
    """A duration in seconds: `0.45 ms`, `120 ms`, `1.3 s`, `42 s`, `2 min 5 s`, `1 h 3 min`."""
    if value is None or not math.isfinite(value):
        return unknown(language)
    if value >= 59.5:
        return _about(_minutes(round(value), language), language, estimated=estimated)
    if value >= 0.9995:
        return _figure(value, "s", language, estimated=estimated, digits=2)
    return _figure(value * 1000, "ms", language, estimated=estimated, digits=2)


def count(value: int | None, language: str, *, estimated: bool = False) -> str:
    """A whole number: `1,234`."""
    return _figure(value, "", language, estimated=estimated, digits=20)


def tokens(value: int | None, language: str, *, estimated: bool = False) -> str:
    """A number of tokens: `1 token`, `≈ 640 tokens`."""
    if value is None:
        return unknown(language)
    ngettext = plural(language)
    words = ngettext("{count} token", "{count} tokens", value)
    return _about(
        words.replace(" ", _space(language)).format(count=number(value, language)), language, estimated=estimated
    )


def percent(share: float | None, language: str, *, estimated: bool = False) -> str:
    """A share from 0 to 1: `12%`; one digit after the point below 1 %; `< 0.1%` rather than nothing."""
    if share is None or not math.isfinite(share):
        return unknown(language)
    hundredths = share * 100
    if 0 < hundredths < 0.1:
        text = f"<{_space(language)}{number(0.1, language)}"
    else:
        text = number(round(hundredths, 1 if hundredths < 1 else 0), language)
    sign = f"{_space(language)}%" if language == "fr" else "%"
    return _about(text + sign, language, estimated=estimated)


def size(value: float | None, language: str, *, estimated: bool = False) -> str:
    """A number of bytes: `98 MB`, `1.21 GB`; powers of a thousand (SI)."""
    if value is None or not math.isfinite(value):
        return unknown(language)
    units = BYTE_UNITS[language]
    power = 0
    while power < len(units) - 1 and float(f"{value:.3g}") >= 1000:
        value, power = value / 1000, power + 1
    return _figure(value, units[power], language, estimated=estimated)


def parameters(value: int | None, language: str, *, estimated: bool = False) -> str:
    """How many numbers a model consists of: `135 million parameters`, `7.62 billion parameters`."""
    if value is None:
        return unknown(language)
    if float(f"{value:.3g}") >= 1e9:
        return _figure(value / 1e9, N_("billion parameters"), language, estimated=estimated)
    return _figure(value / 1e6, N_("million parameters"), language, estimated=estimated)


def money(value: float | None, currency: str, language: str, *, estimated: bool = False) -> str:
    """An amount: `US$12.30`, `US$0.00042`; two digits after the point, or two that count. `currency`: ISO 4217."""
    if value is None or not math.isfinite(value):
        return unknown(language)

    from babel import Locale
    from babel.numbers import format_currency

    after = 2 if abs(value) >= 0.1 or not value else min(1 - math.floor(math.log10(abs(value))), 12)
    known = Locale.parse(locale(language)).currency_formats["standard"].pattern
    pattern = known.replace("0.00", "0.00" + "#" * (after - 2))
    text = format_currency(round(value, after), currency, pattern, locale=locale(language), currency_digits=False)
    return _about(text.replace(NO_BREAK, _space(language)), language, estimated=estimated)


def energy(low: float, high: float, language: str, *, estimated: bool = False) -> str:
    """Watt-hours, from the lowest to the highest: `0.3–1.1 Wh`, `40 mWh`, `1.2 kWh`; two significant digits."""
    if not math.isfinite(low + high):
        return unknown(language)
    scale, unit = next(((scale, unit) for least, scale, unit in _ENERGY_UNITS if high >= least), _ENERGY_UNITS[-1][1:])
    ends = [number(value * scale, language, digits=2) for value in (low, high)]
    text = "–".join(dict.fromkeys(ends)) + _space(language) + unit
    return _about(text, language, estimated=estimated)


def date_time(value: float | None, language: str) -> str:
    """A moment, in seconds since 1970, as date and time of day where this machine stands: `21 Nov 2026, 11:52`."""
    if value is None:
        return unknown(language)

    from babel.dates import format_datetime

    return str(format_datetime(datetime.fromtimestamp(value), "d MMM y, HH:mm", locale=locale(language)))


def month(day: str | None, language: str) -> str:
    """The month of a day in ISO 8601: `Jul 2024`. What is no day is unknown."""
    from babel.dates import format_date

    try:
        return str(format_date(date.fromisoformat(day or ""), "MMM y", locale=locale(language)))
    except ValueError:
        return unknown(language)


def unknown(language: str) -> str:
    """What is said of a figure that is not known."""
    return translator(language)(N_("unknown"))


def _figure(value: float | None, unit: str, language: str, *, estimated: bool, digits: int = 3) -> str:
    if value is None or not math.isfinite(value):
        return unknown(language)
    text = number(value, language, digits=digits)
    if unit:
        text += _space(language) + translator(language)(unit)
    return _about(text, language, estimated=estimated)


def _minutes(whole: int, language: str) -> str:
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min")] if hours else [(minutes, "min"), (rest, "s")]
    return " ".join(f"{amount}{_space(language)}{unit}" for amount, unit in parts if amount or unit == "min")


def _about(text: str, language: str, *, estimated: bool) -> str:
    return f"≈{_space(language)}{text}" if estimated else text


def _space(language: str) -> str:
    return NARROW if language == "fr" else NO_BREAK
