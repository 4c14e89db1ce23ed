"""The answers' figures together: the race while they are written, its chart and bars when they have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import streamlit as st

from core import race_plots
from core.arena.comparing import Comparison
from core.arena.rounds import Round
from core.events import Finished, Usage
from core.plots import Colour
from core.race_plots import Bar, Lane
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.compare.side import opened
from pages.ui import chart, race
from pages.ui.words import _, count, money, number, rate, seconds


def show(workbench: Workbench, comparison: Comparison, rounds: Sequence[Round]) -> None:
    """The newest round's race; below it the bars of all rounds."""
    colours = race_plots.pane_colours([pane.asking.model_id or "" for pane in comparison.panes])
    newest = rounds[-1].answers
    running = [workbench.chat.running(message) if message else None for message in newest]
    if any(answer is not None and not answer.ended for answer in running):
        running_lanes = [
            race.Lane(id=answer.id, letter=opened.letter(at), label=pane.label, colour=colour)
            for at, (pane, answer, colour) in enumerate(zip(comparison.panes, running, colours, strict=True))
            if answer is not None
        ]
        race.show("race", running_lanes)
        return
    lanes = _lanes(comparison, newest, colours)
    if not lanes:
        return
    box = st.expander(_("Speed and cost"), expanded=True, key=f"figures-{comparison.id}", on_change="rerun")
    if box.open:
        with box:
            _race(comparison, rounds[-1], lanes)
            _bars(comparison, rounds, colours)


def _lanes(comparison: Comparison, answers: Sequence[StoredMessage | None], colours: Sequence[Colour]) -> list[Lane]:
    """Those of the answers that have figures."""
    return [
        Lane(label=_name(comparison, at), colour=colour, finished=message.finished)
        for at, (message, colour) in enumerate(zip(answers, colours, strict=True))
        if message is not None and message.finished is not None and message.finished.usage.generated_tokens
    ]


def _name(comparison: Comparison, at: int) -> str:
    return f"{opened.letter(at)} · {comparison.panes[at].label}"


def _race(comparison: Comparison, newest: Round, lanes: Sequence[Lane]) -> None:
    words = race_plots.RaceWords(
        title=_sentence(lanes),
        seconds=_("seconds since each model was asked"),
        tokens=_("tokens"),
        hover=_("{tokens} tokens after {seconds} s", tokens="%{y}", seconds="%{x:.2f}"),
        separators=chart.separators(),
    )
    chart.show(
        f"race-chart-{newest.question.id}",
        lambda dark: race_plots.race(lanes, words=words, dark=dark),
        title=words.title,
        name="race",
        csv=lambda: race_plots.race_csv(lanes),
    )
    if any(not lane.finished.timings.at for lane in lanes):
        st.caption(
            _("A straight line between two points: that server does not tell when each of its tokens was written.")
        )
    if any(message is not None and message.id in comparison.together for message in newest.answers):
        st.caption(_("Answered together: models on this machine shared it, and were slower than each is alone."))


def _sentence(lanes: Sequence[Lane]) -> str:
    """What the race shows: "A wrote fastest, 1.4 times as fast as B"."""
    rates = {lane.label[0]: lane.finished.timings.decode_rate for lane in lanes}
    known = sorted(((value, letter) for letter, value in rates.items() if value), reverse=True)
    if len(known) < 2:
        return _("Tokens over time")
    (fast, first), (slow, last) = known[0], known[-1]
    times = round(fast / slow, 1)
    if times <= 1.0:
        return _("All wrote equally fast")
    words = {"fastest": first, "slowest": last, "times": number(times)}
    return _("{fastest} wrote fastest, {times} times as fast as {slowest}", **words)


def _bars(comparison: Comparison, rounds: Sequence[Round], colours: Sequence[Colour]) -> None:
    finished = [_finished(rounds, at) for at in range(len(comparison.panes))]
    first, speed, cost = st.columns(3)

    def draw(name: str, title: str, rows: Sequence[Bar]) -> None:
        alt = title + ": " + "; ".join(f"{row.label} {row.text}" for row in rows)
        key = f"bars-{name}-{rounds[-1].question.id}"
        chart.show(key, lambda dark: race_plots.bars(rows, title=title, dark=dark), title=alt, name=name)

    with first:
        values = [[one.timings.ttft_s for one in answers] for answers in finished]
        draw("first", _("Time to first token, less is better"), _rows(colours, values, seconds))
    with speed:
        values = [[one.timings.decode_rate for one in answers] for answers in finished]
        draw("speed", _("Tokens a second, more is better"), _rows(colours, values, rate))
    with cost:
        currencies = {one.cost.currency for answers in finished for one in answers if one.cost}
        if len(currencies) == 1:
            (currency,) = currencies
            values = [[one.cost.amount if one.cost else None for one in answers] for answers in finished]
            draw(
                "cost",
                _("Cost of an answer, less is better"),
                _rows(colours, values, lambda value: money(value, currency)),
            )
        elif currencies:
            st.caption(_("Costs in different currencies are not drawn side by side."))
        else:
            st.caption(_("Nothing was paid for these answers, or nobody says how much."))
    st.caption(_("The median of each pane’s answers here; n says how many there are."))
    for letter, usage in _spared(finished):
        st.caption(
            _(
                "{letter} found {cached} of {tokens} prompt tokens computed already, as it shares its model with "
                "another pane: its first token came the sooner for it.",
                letter=letter,
                cached=count(usage.cached_tokens),
                tokens=count(usage.prompt_tokens),
            )
        )


def _spared(finished: Sequence[Sequence[Finished]]) -> list[tuple[str, Usage]]:
    """Whose newest prompt was mostly in the cache, where another pane had to read most of its own."""
    newest = {opened.letter(at): answers[-1].usage for at, answers in enumerate(finished) if answers}
    spared = [(letter, usage) for letter, usage in newest.items() if 2 * usage.cached_tokens > usage.prompt_tokens]
    return spared if len(spared) < len(newest) else []


def _finished(rounds: Sequence[Round], at: int) -> list[Finished]:
    """How one pane's answers ended, those left out that were given before it was a pane."""
    answers = [one.answers[at] for one in rounds if not (one.shared and one is not rounds[-1])]
    return [one.finished for one in answers if one and one.finished and one.finished.usage.generated_tokens]


def _rows(
    colours: Sequence[Colour],
    values: Sequence[Sequence[float | None]],
    words: Callable[[float | None], str],
) -> list[Bar]:
    rows = []
    for at, (colour, all_of_it) in enumerate(zip(colours, values, strict=True)):
        known = [value for value in all_of_it if value is not None]
        value = median(known) if known else None
        text = f"{words(value)} (n = {len(known)})" if known else words(None)
        rows.append(Bar(label=opened.letter(at), colour=colour, value=value, text=text))
    return rows
