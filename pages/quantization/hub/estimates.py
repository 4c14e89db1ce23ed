"""What is to be expected of a quantization here, in a line; and how each of these figures was come by."""

from __future__ import annotations

import streamlit as st

from core.hub.advice import Advice, Pace
from core.hub.judge import Judge, Judged
from pages.ui import error_box
from pages.ui.words import _, count, date_time, number, rate, size, tokens

BADGES = {"fits": ":material/check_circle:", "tight": ":material/warning:", "does not fit": ":material/cancel:"}


def badge(one: Advice) -> str:
    """An icon and words: does it fit."""
    words = {"fits": _("fits"), "tight": _("tight"), "does not fit": _("does not fit")}
    return f"{BADGES[one.verdict]} {words[one.verdict]}"


def line(one: Advice, pace: Pace | None) -> str:
    """Size, bits per weight, whether it fits, how long a context, how fast."""
    parts = [size(one.variant.size)]
    if one.bits_per_weight is not None:
        parts.append(_("{number} bits per weight", number=number(round(one.bits_per_weight, 1))))
    parts.append(badge(one))
    if one.longest_context:
        parts.append(_("context up to {length}", length=tokens(one.longest_context)))
    if one.tokens_per_s is not None and pace is not None and one.verdict != "does not fit":
        told = rate(one.tokens_per_s, estimated=pace.measured)
        parts.append(told if pace.measured else _("at most {rate}", rate=told))
    return " · ".join(parts)


def show(judge: Judge, judged: Judged) -> None:
    """How the figures were come by, folded."""
    with st.expander(_("How these figures were come by"), icon=":material/help:"):
        st.markdown("\n\n".join([_memory(judged), _speed(judged.pace), _bits()]))
        if judged.pace is None or not judged.pace.measured:
            st.button(
                _("Measure again"),
                key="hub-bandwidth",
                icon=":material/speed:",
                help=_("Reads 256 MB of memory a few times, in about a second. Let nothing else work meanwhile."),
                on_click=judge.measure_again,
            )


def _memory(judged: Judged) -> str:
    budget = size(judged.budget)
    if judged.header is None:
        return _(
            "**Memory**: by the size of the files alone, with 15 % for the KV cache and buffers, as no header could be "
            "read. Local models may take {budget} here.",
            budget=budget,
        )
    return _(
        "**Memory**: weights, KV cache and buffers at the default context, computed from the header of one file of "
        "this repository ({layers} layers, {heads} KV heads); quantizations differ in their weights alone. "
        "Local models may take {budget} here; *tight* is more than 90 % of it, or only with a shorter context.",
        layers=count(judged.header.block_count),
        heads=count(max(judged.header.per_layer("attention.head_count_kv"), default=None)),
        budget=budget,
    )


def _speed(pace: Pace | None) -> str:
    if pace is None:
        return _(
            "**Speed**: not estimated now, because models are at work: the memory bandwidth is measured when they rest."
        )
    read = size(pace.bytes_per_s)
    if pace.measured:
        return _(
            "**Speed**: bytes read a second ÷ bytes that a token reads (all weights; of experts, those in use). "
            "{model} read {read} a second in your own chats here, and the others are taken to do as well.",
            model=error_box.plain(pace.model),
            read=read,
        )
    return _(
        "**Speed**: at most memory bandwidth ÷ bytes that a token reads (all weights; of experts, those in use). "
        "{read} a second were read on {date}, with numpy over 256 MB. On few cores a small model stays far below it: "
        "once you have chatted with a local model, its measured speed is used instead.",
        read=read,
        date=date_time(pace.at),
    )


def _bits() -> str:
    return _("**Bits per weight**: size of the files × 8 ÷ parameters; tables and scales are counted in.")
