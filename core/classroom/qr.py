"""QR codes, as SVG: black on white with their quiet zone of four modules, so that they are read on a dark page too."""

from __future__ import annotations

import io
from xml.sax.saxutils import escape

MODULE = 10
"""Units of the drawing that one module is wide."""


def svg(text: str) -> str:
    """A QR code that survives damage to 15 % of it (level M)."""
    import segno

    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out, kind="svg", scale=MODULE, border=4, dark="#000", light="#fff", xmldecl=False, nl=False
    )
    return out.getvalue().decode()


def poster(text: str, *, above: str, large: str) -> str:
    """A QR code with a line and a large word beside it: for a projector, one picture as wide as the wall."""
    code = svg(text)
    side = int(code.partition('width="')[2].partition('"')[0])
    x = 1.05 * side
    lines = (
        f'<text x="{x}" y="{0.38 * side}" font-size="{0.1 * side}">{escape(above)}</text>'
        f'<text x="{x}" y="{0.7 * side}" font-size="{0.28 * side}" font-weight="700" '
        f'textLength="{1.2 * side}" lengthAdjust="spacingAndGlyphs">{escape(large)}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2.4 * side} {side}" fill="#000" '
        f'font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#fff"/>{code}{lines}</svg>'
    )
