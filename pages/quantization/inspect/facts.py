"""What a file is, in one line of figures that explain themselves, and its badge."""

from __future__ import annotations

import streamlit as st

from core.gguf.header import GGUF
from core.models.local import model_settings, room
from core.models.local.model_settings import ModelSettings
from core.models.local.room import Verdict
from core.workbench import Workbench
from pages.ui import error_box, figure_list
from pages.ui.figure_list import Figure
from pages.ui.words import N_, _, number, parameters, size, tokens

BADGES: dict[Verdict, tuple[str, str, str]] = {
    "fits": (N_("fits"), ":material/check_circle:", "green"),
    "tight": (N_("tight"), ":material/warning:", "orange"),
    "does not fit": (N_("does not fit"), ":material/cancel:", "red"),
}
"""Of a verdict: its word, icon and colour."""

HELPS: dict[Verdict, str] = {
    "fits": N_("It takes at most 80 % of the memory that is free now, with the usual settings."),
    "tight": N_("It takes more than 80 % of what is free now: close other programs, or choose a shorter context."),
    "does not fit": N_(
        "It takes more than this machine has, or than models may take here. Choose a smaller quantization, or a "
        "shorter context."
    ),
}


def show(workbench: Workbench, gguf: GGUF) -> None:
    """Draws them."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{error_box.plain(gguf.name or gguf.path.name)}**", width="content")
        if gguf.architecture and gguf.block_count:
            badge(_verdict(workbench, gguf))
    figure_list.show("inspect-facts", _figures(gguf))


def badge(verdict: Verdict) -> None:
    """Draws the badge of a verdict."""
    word, icon, colour = BADGES[verdict]
    st.badge(_(word), icon=icon, color=colour, help=_(HELPS[verdict]))  # type: ignore[arg-type]


def _verdict(workbench: Workbench, gguf: GGUF) -> Verdict:
    usual = model_settings.memory_needed(gguf, ModelSettings())
    return room.verdict(usual.total, room.machine(limit=workbench.shelf.budget_bytes).ram)


def _figures(gguf: GGUF) -> list[Figure]:
    found = [
        Figure(label=_("Size"), value=size(gguf.total_size), help=_("Bytes of the file, of all its parts together.")),
        Figure(
            label=_("Parameters"),
            value=parameters(gguf.parameters),
            help=_("Numbers that the model consists of, counted in its tensors."),
        ),
        Figure(
            label=_("Bits a weight"),
            value=_("{bits} bits a weight", bits=number(round(gguf.bits_per_weight, 2))),
            help=_("Bits that a weight takes on average, the scales of its block included: computed, not copied."),
        ),
        Figure(
            label=_("Quantization"),
            value=gguf.quantization or _("unknown"),
            help=_("The recipe that the file names, or the type that most of its weights have."),
        ),
        Figure(
            label=_("Architecture"),
            value=gguf.architecture or _("unknown"),
            help=_("The kind of model, as llama.cpp calls it."),
        ),
    ]
    if gguf.context_length:
        found.append(
            Figure(
                label=_("Context"),
                value=tokens(gguf.context_length),
                help=_("The longest context that it was trained for."),
            )
        )
    if gguf.licence:
        found.append(Figure(label=_("Licence"), value=gguf.licence[:60], help=_("As the file says.")))
    if gguf.parts:
        found.append(
            Figure(label=_("Files"), value=str(1 + len(gguf.parts)), help=_("The model is split over several files."))
        )
    return found
