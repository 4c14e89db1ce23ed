"""Amounts and list prices in words, as Markdown: two dollar signs in a line would make a formula of it."""

from __future__ import annotations

from core.models.base import Price
from pages.ui.words import _, money


def amount(value: float | None, currency: str, *, estimated: bool = False) -> str:
    """An amount, as `core.figures.money`."""
    return money(value, currency, estimated=estimated).replace("$", "\\$")


def per_million(price: Price | None) -> str:
    """For a million tokens read and written; *unknown* where it is, which is not free."""
    if price is None:
        return _("price unknown")
    if not price.input and not price.output:
        return _("free of charge")
    return _(
        "{input} in, {output} out per million tokens",
        input=amount(price.input, price.currency),
        output=amount(price.output, price.currency),
    )
