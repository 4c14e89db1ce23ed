"""What an answer took: one calm line under it, and the details for who asks.

The figures are defined in core/metrics.py; here each says what it is and how it was measured. An unknown figure is said
to be unknown, an estimated one is marked ≈. The details are a fragment, and draw only what is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.events import Finished, FinishReason, Timings, Usage
from core.metrics import context_fill
from pages.ui import answer_chart, context_bar, energy_figure, figure_list, server_figures
from pages.ui.figure_list import Figure
from pages.ui.words import _, count, date_time, money, month, percent, rate, seconds, tokens


@st.fragment
def show(
    key: str,
    finished: Finished,
    *,
    model_name: str,
    when: float | None = None,
    newest: bool = False,
    paid: bool = False,
    model_id: str | None = None,
) -> None:
    """The line of one answer and its details. `when`: its moment, seconds since 1970; None unknown.

    `newest`: how full the context is stands open, since it is where the conversation is now. `paid`: somebody may be
    paid for it, so that its cost is shown, or said to be unknown. `model_id`: whose answer it is, for its energy.
    """
    cost = [_cost(finished)] if paid or finished.cost is not None else []
    figure_list.show(f"{key}-line", _measured([*line(finished), *cost], model_name, when))
    if newest:
        context_bar.show(f"{key}-context", context_fill(finished.usage))
    details = st.expander(_("Details"), key=f"{key}-details", type="compact", on_change="rerun")
    if details.open:
        with details:
            energy = energy_figure.of_kept(finished, model_id)
            shown = [*_measured([*table(finished), *cost], model_name, when), *([energy] if energy else [])]
            figure_list.show(f"{key}-table", shown, layout="table")
            server_figures.show(f"{key}-server", finished.timings.server)
            if not newest:
                context_bar.show(f"{key}-context", context_fill(finished.usage))
            answer_chart.show(f"{key}-chart", finished.timings)


def line(finished: Finished) -> list[Figure]:
    """What one wants to know at once. Where no token came there is no speed and no first token to show."""
    usage, timings = finished.usage, finished.timings
    written, ending = _tokens_out(usage), [_stopped(finished.reason), _context(usage)]
    if not usage.generated_tokens:
        return [written, *ending]
    return [_decode_rate(usage, timings), written, _first_token(timings), *ending]


def table(finished: Finished) -> list[Figure]:
    """All there is to know, in the order in which it happened."""
    usage, timings = finished.usage, finished.timings
    return [
        *_before(timings),
        _prompt_rate(timings),
        _first_token(timings),
        *_after(timings),
        _decode_rate(usage, timings),
        *_gaps(timings),
        *_tokens_in(usage),
        _tokens_out(usage),
        _stopped(finished.reason),
        _context(usage),
    ]


def _measured(shown: Sequence[Figure], model_name: str, when: float | None) -> list[Figure]:
    """The same figures, each saying on what it was measured, and when."""
    source = _("Measured on {model}.", model=model_name)
    if when is not None:
        source = _("Measured on {model}, {moment}.", model=model_name, moment=date_time(when))
    return [replace(figure, help=f"{figure.help} {source}") for figure in shown]


def _before(timings: Timings) -> list[Figure]:
    return [
        Figure(
            label=_("Loading the model"),
            value=seconds(timings.load_s),
            help=_("Time to bring the model into memory, 0 when it was there already. Counted in no other figure."),
        ),
        Figure(
            label=_("Queue"),
            value=seconds(timings.queue_s),
            help=_("Time waited for a free place while other answers were written. Part of the time to first token."),
        ),
        Figure(
            label=_("Prefill"),
            value=seconds(timings.prefill_s),
            help=_("Time to read the prompt, many tokens at once. Part of the time to first token."),
        ),
    ]


def _prompt_rate(timings: Timings) -> Figure:
    return Figure(
        label=_("Prompt rate"),
        value=rate(timings.prompt_rate),
        help=_("Prompt tokens really processed ÷ prefill time. Tokens from the cache are not counted."),
    )


def _first_token(timings: Timings) -> Figure:
    time = seconds(timings.ttft_s)
    return Figure(
        label=_("Time to first token"),
        value=time,
        phrase=_("first token {time}", time=time),
        help=_(
            "From handing over the request to the first token, thinking included. Holds the queue and the prefill, "
            "not the loading of the model."
        ),
    )


def _after(timings: Timings) -> list[Figure]:
    return [
        Figure(
            label=_("Decode"),
            value=seconds(timings.decode_s),
            help=_("From the first token to the last: the answer being written token by token."),
        ),
        Figure(
            label=_("End to end"),
            value=seconds(timings.end_to_end_s),
            help=_("From handing over the request to the last token: time to first token plus decode."),
        ),
    ]


def _decode_rate(usage: Usage, timings: Timings) -> Figure:
    return Figure(
        label=_("Decode rate"),
        value=rate(timings.decode_rate, estimated=usage.estimated),
        phrase="" if timings.decode_rate is not None else _("speed unknown"),
        help=_("(Generated tokens - 1) ÷ (last token - first token). The time to first token has no part in it."),
    )


def _gaps(timings: Timings) -> list[Figure]:
    return [
        Figure(
            label=_("Gap between tokens, median"),
            value=seconds(timings.inter_token_latency_median_s),
            help=_("Inter-token latency: half of the gaps between one token and the next are shorter than this."),
        ),
        Figure(
            label=_("Gap between tokens, 95%"),
            value=seconds(timings.inter_token_latency_p95_s),
            help=_("Inter-token latency, 95th percentile: one gap in twenty is longer than this."),
        ),
    ]


def _tokens_in(usage: Usage) -> list[Figure]:
    fresh = usage.prompt_tokens - usage.cached_tokens
    return [
        Figure(
            label=_("Prompt tokens"),
            value=count(usage.prompt_tokens, estimated=usage.estimated),
            help=_("Tokens sent to the model, the whole conversation included.") + " " + _counted(usage),
        ),
        Figure(
            label=_("Fresh prompt tokens"),
            value=count(fresh, estimated=usage.estimated),
            help=_("Prompt tokens that had to be processed for this answer."),
        ),
        Figure(
            label=_("Prompt tokens from the cache"),
            value=count(usage.cached_tokens, estimated=usage.estimated),
            help=_(
                "Prompt tokens whose work was kept from an earlier request, or done with another one, and used again."
            ),
        ),
    ]


def _tokens_out(usage: Usage) -> Figure:
    return Figure(
        label=_("Generated tokens"),
        value=count(usage.generated_tokens, estimated=usage.estimated),
        phrase=tokens(usage.generated_tokens, estimated=usage.estimated),
        help=_("Tokens that the model has written, thinking included.") + " " + _counted(usage),
    )


def _stopped(reason: FinishReason) -> Figure:
    words, meaning = _stop_words(reason)
    return Figure(label=_("Stopped"), value=words, phrase=_("stopped: {reason}", reason=words), help=meaning)


def _context(usage: Usage) -> Figure:
    fill = context_fill(usage)
    share = percent(fill.share, estimated=usage.estimated)
    return Figure(
        label=_("Context"),
        value=share,
        phrase=_("context {share}", share=share),
        help=_("(Prompt + generated tokens) ÷ context length.") + " " + context_bar.summary(fill),
    )


def _cost(finished: Finished) -> Figure:
    cost = finished.cost
    if cost is None:
        help = _("Neither the provider nor the list of prices says what this model costs.")
        return Figure(label=_("Cost"), value=money(None), phrase=_("cost unknown"), help=help)
    amount = money(cost.amount, cost.currency, estimated=not cost.reported)
    if cost.reported:
        help = _("As the provider reports it.")
    else:
        help = _("Tokens × the provider’s list price ({date}). Its own bill is what counts.", date=month(cost.as_of))
    return Figure(label=_("Cost"), value=amount, phrase=amount, help=help)


def _stop_words(reason: FinishReason) -> tuple[str, str]:
    """A stop reason in few words, and what it means."""
    return {
        "stop": (_("end of answer"), _("The model wrote its end token, or one of the stop strings came.")),
        "length": (_("length limit"), _("The answer reached the maximum number of tokens. It can be continued.")),
        "context": (_("context full"), _("No more tokens fit into the context of the model.")),
        "cancelled": (_("on request"), _("Somebody, or a program, stopped the answer.")),
        "cut": (_("interrupted"), _("Something came between: an error, a lost process, nobody following.")),
        "content_filter": (_("content filter"), _("The provider held the rest of the answer back.")),
        "tool_calls": (_("tool call"), _("The model asks for a tool to be run before it goes on.")),
    }[reason]


def _counted(usage: Usage) -> str:
    if usage.estimated:
        return _("Estimated (≈): neither the tokenizer nor the server counted them.")
    return _("Counted by the tokenizer or the server, never by pieces of text.")
