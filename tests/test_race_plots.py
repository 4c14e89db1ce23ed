"""The figures of answers side by side: what is drawn is what was measured, and no label is a tag or lies on another."""

from __future__ import annotations

import csv
import io
import math
from itertools import pairwise

import pytest

from core import race_plots
from core.events import Alternative, Finished, Timings, Usage
from core.plots import MODEL_COLOURS, QUIET
from core.race_plots import Bar, Lane, RaceWords

WORDS = RaceWords(title="Title", seconds="seconds", tokens="tokens", hover="%{y} after %{x}")


def lane(label: str, at: tuple[float, ...], written: int | None = None, **timings: float) -> Lane:
    usage = Usage(prompt_tokens=1, generated_tokens=len(at) if written is None else written)
    return Lane(label=label, colour=MODEL_COLOURS[0], finished=Finished("stop", usage, Timings(at=at, **timings)))


def test_each_token_is_a_point() -> None:
    figure = race_plots.race([lane("A", (0.1, 0.3)), lane("B", (0.2, 0.4, 0.8))], words=WORDS)
    assert [(list(line.x), list(line.y)) for line in figure.data] == [
        ([0.1, 0.3], [1, 2]),
        ([0.2, 0.4, 0.8], [1, 2, 3]),
    ]
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert [note.text for note in figure.layout.annotations] == ["A", "B"]


def test_without_times_of_tokens_a_line_from_the_first_to_the_last() -> None:
    (line,) = race_plots.race([lane("A", (), written=50, ttft_s=0.5, end_to_end_s=3.0)], words=WORDS).data
    assert (list(line.x), list(line.y)) == ([0.5, 3.0], [0, 50])
    assert line.mode == "lines+markers"


def test_what_has_no_times_at_all_is_not_drawn() -> None:
    assert not race_plots.race([lane("A", (), written=5), lane("B", ())], words=WORDS).data


def test_labels_at_the_same_height_are_pushed_apart() -> None:
    figure = race_plots.race([lane(name, tuple(n / 10 for n in range(20))) for name in "ABCDEF"], words=WORDS)
    heights = sorted(note.y for note in figure.layout.annotations)
    assert all(above - below > 1 for below, above in pairwise(heights))


def test_names_of_models_are_no_tags() -> None:
    figure = race_plots.race([lane("A · <b>x</b>&", (0.1, 0.2))], words=WORDS)
    assert figure.data[0].name == figure.layout.annotations[0].text == "A · &lt;b&gt;x&lt;/b&gt;&amp;"


def test_a_second_pane_of_a_model_has_a_colour_of_its_own() -> None:
    one, again, other, third = race_plots.pane_colours(["m", "m", "n", "m"])
    assert len({one, again, other, third}) == 4
    assert race_plots.pane_colours(["m"]) == [one]


def test_bars_from_zero_with_their_values_beside_them() -> None:
    rows = [
        Bar(label="A", colour=MODEL_COLOURS[0], value=2.0, text="2 s (n = 3)"),
        Bar(label="B", colour=MODEL_COLOURS[1], value=None, text="unknown"),
    ]
    figure = race_plots.bars(rows, title="First token")
    (drawn,) = figure.data
    assert (list(drawn.x), list(drawn.y), list(drawn.text)) == ([2.0, 0], ["A", "B"], ["2 s (n = 3)", "unknown"])
    assert figure.layout.xaxis.range[0] == 0 and figure.layout.xaxis.range[1] > 2


def test_bars_of_nothing_known_are_drawn() -> None:
    figure = race_plots.bars([Bar(label="A", colour=MODEL_COLOURS[0], value=None, text="unknown")], title="Cost")
    assert figure.layout.xaxis.range[1] > 0


def test_alternatives_as_shares_with_the_chosen_one_marked() -> None:
    top = [Alternative(" yes", 1, math.log(0.7)), Alternative("\n", 2, math.log(0.2)), Alternative("<s>", 3, -9.0)]
    figure = race_plots.alternatives(
        top, "\n", title="Here", colour=MODEL_COLOURS[1], percent=lambda share: f"{share:.2f}"
    )
    (drawn,) = figure.data
    assert list(drawn.y) == ["␣yes", "▸ ⏎", "&lt;s&gt;"]
    assert list(drawn.x) == [pytest.approx(0.7), pytest.approx(0.2), pytest.approx(math.exp(-9.0))]
    assert list(drawn.text) == ["0.70", "0.20", "0.00"]
    assert list(drawn.marker.color) == [QUIET.light, MODEL_COLOURS[1].light, QUIET.light]


def test_two_tokens_that_look_alike_are_two_bars() -> None:
    top = [Alternative("a", 1, -1.0), Alternative("a", 2, -2.0)]
    figure = race_plots.alternatives(top, "b", title="", colour=MODEL_COLOURS[0], percent=str)
    assert len(set(figure.data[0].y)) == 2


def test_the_numbers_as_a_file_that_runs_no_formula() -> None:
    text = race_plots.race_csv([lane("A · m", (0.25, 0.5)), lane("=cmd()", (1.0,))])
    assert list(csv.reader(io.StringIO(text))) == [
        ["answer", "tokens", "at_s"],
        ["A · m", "1", "0.250000"],
        ["A · m", "2", "0.500000"],
        ["'=cmd()", "1", "1.000000"],
    ]
