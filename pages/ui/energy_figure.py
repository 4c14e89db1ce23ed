"""What an answer took of electricity, as a figure: measured or estimated, which it says, and with what assumptions."""

from __future__ import annotations

from core import energy
from core.energy import meters
from core.energy.words import sentences
from core.events import Energy, Finished
from core.models.remote.connections import is_remote
from pages.ui import words
from pages.ui.figure_list import Figure
from pages.ui.words import _, language


def of_kept(finished: Finished, model_id: str | None) -> Figure | None:
    """The energy of an answer of the model of this id. None where it is not known, and nothing can be done about it."""
    known = energy.of_kept(model_id, finished)
    if known is not None:
        return of(known)
    advice = None if model_id is None or is_remote(model_id) else meters.advice()
    return Figure(label=_("Energy"), value=_("not measured"), help=_(advice)) if advice else None


def of(known: Energy) -> Figure:
    """A known energy."""
    value = words.energy(known.low, known.high, estimated=not known.measured)
    if known.measured:
        label, phrase = _("Energy, measured"), _("{energy} measured", energy=value)
        help = _("Measured by this machine’s own meter while the answer came: {method}.", method=known.method)
    else:
        label, phrase = _("Energy, estimated"), value
        help = _("Estimated from the number of tokens written, and measured by nobody: {method}.", method=known.method)
    return Figure(label=label, value=value, phrase=phrase, help=" ".join([help, *sentences(known, language())]))
