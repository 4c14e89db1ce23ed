"""The speed of one answer as a chart, with its title in words and its numbers as a file."""

from __future__ import annotations

import streamlit as st

from core import plots
from core.events import Timings
from pages.ui import chart
from pages.ui.words import _, rate, seconds


def show(key: str, timings: Timings) -> None:
    """The chart, or a sentence where there are too few tokens for one. Imports plotly: call it where it is seen."""
    if len(timings.at) < 3:
        st.caption(_("Too few tokens for a chart of the speed."))
        return
    words = speed_words(timings)
    chart.show(
        key,
        lambda dark: plots.answer_speed(timings, words=words, dark=dark),
        title=words.title,
        name="answer-speed",
        csv=lambda: plots.answer_csv(timings),
    )


def speed_words(timings: Timings) -> plots.SpeedWords:
    """What the chart says, in the reader's language."""
    return plots.SpeedWords(
        title=sentence(timings),
        rate=_("tokens/s, over {count} tokens", count=plots.WINDOW),
        gap=_("gap between tokens, ms"),
        seconds=_("seconds since the request"),
        first_token=_("first token {time}", time=seconds(timings.ttft_s)),
        overall=rate(timings.decode_rate),
        median=_("median {time}", time=seconds(timings.inter_token_latency_median_s)),
        p95=_("95% below {time}", time=seconds(timings.inter_token_latency_p95_s)),
        separators=chart.separators(),
    )


def sentence(timings: Timings) -> str:
    """The decode rate and how it went: "92.4 tokens/s, steady"."""
    speed = rate(timings.decode_rate)
    return {
        "steady": _("{rate}, steady", rate=speed),
        "slowing": _("{rate}, slowing down", rate=speed),
        "quickening": _("{rate}, getting faster", rate=speed),
        "uneven": _("{rate}, with pauses", rate=speed),
        None: speed,
    }[plots.course(timings.at)]
