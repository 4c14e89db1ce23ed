"""The page's views: look into a file, find one on the Hub, quantize, measure."""

from __future__ import annotations

from pages.ui import view_switch
from pages.ui.words import _

KEY = "quantization-view"


def switch() -> str:
    """Draws the switch and returns the view: a package beside this file, with `show(workbench, me)`."""
    return view_switch.show(
        KEY,
        {
            "measure": ":material/monitoring: " + _("Measure"),
            "inspect": ":material/frame_inspect: " + _("Inspect"),
            "quantize": ":material/compress: " + _("Quantize"),
            "hub": ":material/cloud_download: " + _("Find and download"),
        },
    )
