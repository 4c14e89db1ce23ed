"""What stands under an answer: the line, the details and the context bar. AppTest runs them, without JavaScript."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core import plots
from core.events import Cost, Energy, Finished, FinishReason, Origin, Timings, Usage
from core.metrics import ContextFill, context_fill, timings

NO_BREAK, NARROW = "\u00a0", "\u202f"
USAGE = Usage(
    prompt_tokens=412,
    generated_tokens=101,
    cached_tokens=300,
    by_origin={"system": 42, "history": 258, "question": 112},
    context_length=4096,
)
ANSWER = Finished(
    "stop",
    USAGE,
    timings(
        [0.31 + 0.0125 * number for number in range(101)],
        load_s=1.2,
        queue_s=0.02,
        prefill_s=0.28,
        processed_tokens=112,
    ),
)


def strip_script(
    answers: dict,
    model_name: str = "phi",
    when: float | None = None,
    paid: bool = False,
    model_id: str | None = None,
) -> None:
    from pages.ui import metrics_strip

    for key, finished in answers.items():
        metrics_strip.show(key, finished, model_name=model_name, when=when, paid=paid, model_id=model_id)


def bar_script(fill: object) -> None:
    from pages.ui import context_bar

    context_bar.show("bar", fill)


def drawn(script: AppTest) -> Iterator[Any]:
    """Every element of the page, in order."""
    blocks = [script.main]
    while blocks:
        for child in blocks.pop(0).children.values():
            if hasattr(child, "children"):
                blocks.append(child)
            else:
                yield child


def components(script: AppTest, name: str) -> list[Any]:
    """What the components of one kind were given."""
    shown = (element.proto for element in drawn(script) if element.type == "bidi_component")
    return [json.loads(proto.json)[0] for proto in shown if proto.component_name == name]


def run(finished: Finished, *, opened: bool = False, **values: Any) -> AppTest:
    script = AppTest.from_function(strip_script, kwargs={"answers": {"a": finished}, **values}, default_timeout=20)
    if opened:
        script.session_state["a-details"] = True
    script.run()
    assert not script.exception
    return script


def phrases(script: AppTest) -> list[str]:
    (line,) = [shown for shown in components(script, "figure_list") if shown["layout"] == "line"]
    return [figure["phrase"] or figure["value"] for figure in line["figures"]]


def table(script: AppTest) -> dict[str, str]:
    (found,) = [shown for shown in components(script, "figure_list") if shown["layout"] == "table"]
    return {figure["label"]: figure["value"] for figure in found["figures"]}


def test_the_line_says_speed_tokens_first_token_ending_and_context() -> None:
    assert phrases(run(ANSWER)) == [
        f"80{NO_BREAK}tokens/s",
        f"101{NO_BREAK}tokens",
        f"first token 310{NO_BREAK}ms",
        "stopped: end of answer",
        "context 13%",
    ]


def test_each_figure_says_what_it_is_and_on_what_and_when_it_was_measured() -> None:
    for shown in components(run(ANSWER, opened=True, model_name="phi Q4", when=1_763_726_400.0), "figure_list"):
        for figure in shown["figures"]:
            explanation, measured = figure["help"].rsplit("Measured on ", 1)
            assert len(explanation) > 20
            assert measured.startswith("phi Q4, ") and "2025" in measured


def test_what_is_unknown_is_said_to_be_unknown() -> None:
    script = run(Finished("stop", Usage(prompt_tokens=9, generated_tokens=5)), opened=True)
    assert phrases(script) == [
        "speed unknown",
        f"5{NO_BREAK}tokens",
        "first token unknown",
        "stopped: end of answer",
        "context unknown",
    ]
    figures = table(script)
    assert {name for name, value in figures.items() if value == "unknown"} == {
        "Loading the model",
        "Queue",
        "Prefill",
        "Prompt rate",
        "Time to first token",
        "Decode",
        "End to end",
        "Decode rate",
        "Gap between tokens, median",
        "Gap between tokens, 95%",
        "Context",
    }


def test_estimated_counts_are_marked() -> None:
    usage = Usage(prompt_tokens=40, generated_tokens=3, estimated=True, context_length=100)
    script = run(Finished("stop", usage, timings([0.5, 1.0, 1.5])), opened=True)
    speed, written, first, _, context = phrases(script)
    assert speed.startswith("≈") and written.startswith("≈") and "≈" in context
    assert "≈" not in first
    figures = table(script)
    counted = {"Prompt tokens", "Fresh prompt tokens", "Prompt tokens from the cache", "Generated tokens"}
    assert {name for name, value in figures.items() if value.startswith("≈")} == {*counted, "Decode rate", "Context"}


def test_an_answer_without_a_token_shows_no_speed() -> None:
    usage = Usage(prompt_tokens=40, generated_tokens=0, context_length=100)
    assert phrases(run(Finished("cancelled", usage))) == [f"0{NO_BREAK}tokens", "stopped: on request", "context 40%"]


def test_every_reason_to_stop_has_its_words() -> None:
    endings = [phrases(run(Finished(reason, USAGE)))[-2] for reason in get_args(FinishReason)]
    assert len(set(endings)) == len(get_args(FinishReason))


def test_the_details_are_drawn_only_when_they_are_open() -> None:
    closed, opened = run(ANSWER), run(ANSWER, opened=True)
    assert [element.type for element in drawn(closed)] == ["bidi_component"]
    assert [element.type for element in drawn(opened)].count("plotly_chart") == 1
    assert len(components(opened, "context_bar")) == 1


def test_the_details_keep_fresh_and_cached_prompt_tokens_apart() -> None:
    figures = table(run(ANSWER, opened=True))
    assert figures["Prompt tokens"] == "412"
    assert figures["Fresh prompt tokens"] == "112"
    assert figures["Prompt tokens from the cache"] == "300"
    assert figures["Prompt rate"] == f"400{NO_BREAK}tokens/s"
    assert figures["Loading the model"] == f"1.2{NO_BREAK}s"
    assert figures["Time to first token"] == f"310{NO_BREAK}ms"
    assert figures["End to end"] == f"1.6{NO_BREAK}s"


def test_opening_one_answers_details_leaves_the_others_closed() -> None:
    script = AppTest.from_function(strip_script, kwargs={"answers": {"a": ANSWER, "b": ANSWER}}, default_timeout=20)
    script.session_state["b-details"] = True
    script.run()
    assert not script.exception
    assert len(components(script, "context_bar")) == 1
    assert [shown["layout"] for shown in components(script, "figure_list")].count("line") == 2


@pytest.mark.parametrize("tokens", [0, 1, 2])
def test_an_answer_too_short_for_a_chart_says_so(tokens: int) -> None:
    usage = Usage(prompt_tokens=4, generated_tokens=tokens)
    script = run(Finished("stop", usage, timings([0.5] * tokens)), opened=True)
    assert "plotly_chart" not in {element.type for element in drawn(script)}
    assert [caption.value for caption in script.caption] == ["Too few tokens for a chart of the speed."]


def test_the_chart_has_its_title_for_screen_readers_and_its_numbers_to_save() -> None:
    script = run(ANSWER, opened=True)
    (chart,) = [element.proto for element in drawn(script) if element.type == "plotly_chart"]
    assert chart.alt == json.loads(chart.spec)["layout"]["title"]["text"] == f"80{NO_BREAK}tokens/s, steady"
    assert [button.label for button in script.get("download_button")] == ["Numbers as CSV"]
    assert len(list(csv.reader(io.StringIO(plots.answer_csv(ANSWER.timings))))) == 1 + 101


def energy_figures(finished: Finished, model_id: str | None) -> list[dict[str, str]]:
    script = run(finished, opened=True, model_id=model_id)
    (shown,) = [shown for shown in components(script, "figure_list") if shown["layout"] == "table"]
    return [figure for figure in shown["figures"] if figure["label"].startswith("Energy")]


def test_an_estimated_energy_says_that_it_is_one_and_what_it_assumes() -> None:
    (figure,) = energy_figures(ANSWER, "https://api.openai.com/v1#gpt-4o")
    assert figure["label"] == "Energy, estimated"
    assert figure["value"].startswith("≈") and figure["value"].endswith("Wh")
    for said in ("EcoLogits", "44 and 132 billion parameters", "H100", "1.2 times", "measured by nobody"):
        assert said in figure["help"]
    assert "Measured on" not in figure["help"]


def test_a_measured_energy_says_by_what() -> None:
    measured = Energy(low=0.04, high=0.04, measured=True, method="RAPL (package-0)", assumptions=("All of it.",))
    (figure,) = energy_figures(msgspec.structs.replace(ANSWER, energy=measured), "https://api.openai.com/v1#gpt-4o")
    assert (figure["label"], figure["value"]) == ("Energy, measured", f"40{NO_BREAK}mWh")
    assert "RAPL (package-0)" in figure["help"] and figure["help"].endswith("All of it.")


def test_an_energy_that_nobody_knows_is_not_shown() -> None:
    assert energy_figures(ANSWER, "https://models.example.org/v1#a") == []
    assert energy_figures(ANSWER, None) == []


def test_figures_are_written_as_the_reader_writes_them() -> None:
    finished = Finished("stop", USAGE, Timings(ttft_s=1.31, decode_rate=92.44))
    script = AppTest.from_function(strip_script, kwargs={"answers": {"a": finished}}, default_timeout=20)
    script.query_params["lang"] = "fr"
    script.run()
    assert not script.exception
    speed, _, first, *_ = phrases(script)
    assert speed == f"92,4{NARROW}tokens/s"
    assert f"1,3{NARROW}s" in first


def bar(fill: ContextFill) -> dict[str, Any]:
    script = AppTest.from_function(bar_script, kwargs={"fill": fill}, default_timeout=20).run()
    assert not script.exception
    (shown,) = components(script, "context_bar")
    return dict(shown)


def test_the_context_bar_names_its_parts_with_tokens_and_shares() -> None:
    shown = bar(context_fill(USAGE))
    assert [(part["label"], part["text"]) for part in shown["parts"]] == [
        ("system", "42 (1%)"),
        ("history", "258 (6%)"),
        ("question", "112 (3%)"),
        ("answer", "101 (2%)"),
        ("free", "3,583 (87%)"),
    ]
    assert sum(part["tokens"] for part in shown["parts"]) == 4096
    assert shown["summary"] == "513 of 4,096 tokens of the context are used, 13%."


def test_the_context_bar_of_unknown_length_claims_no_share() -> None:
    shown = bar(context_fill(Usage(prompt_tokens=10, generated_tokens=5)))
    assert [(part["label"], part["text"]) for part in shown["parts"]] == [("prompt", "10"), ("answer", "5")]
    assert "unknown" in shown["summary"]


@given(
    by_origin=st.dictionaries(st.sampled_from(get_args(Origin)), st.integers(0, 10_000)), room=st.integers(1, 50_000)
)
def test_the_bar_shows_every_token_once_in_the_palettes_order(by_origin: dict[Origin, int], room: int) -> None:
    from pages.ui.context_bar import parts

    free = max(room - sum(by_origin.values()), 0)
    shown = parts(ContextFill(by_origin=by_origin, free=free, context_length=room, share=0.5))
    assert sum(part["tokens"] for part in shown) == sum(by_origin.values()) + free
    assert all(part["tokens"] for part in shown)
    colours = [colour.light for colour in plots.ORIGIN_COLOURS.values()]
    places = [colours.index(part["light"]) for part in shown]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("cost", "paid", "phrase"),
    [
        (None, False, None),
        (None, True, "cost unknown"),
        (Cost(amount=0.0123, as_of="2026-11-04"), True, "≈ US$0.012"),
        (Cost(amount=1.5, currency="EUR", reported=True), True, "€1.50"),
    ],
)
def test_what_an_answer_cost_is_said_where_somebody_is_paid(cost: Cost | None, paid: bool, phrase: str | None) -> None:
    (line,) = components(run(msgspec.structs.replace(ANSWER, cost=cost), paid=paid), "figure_list")
    said = [figure["phrase"].replace(NO_BREAK, " ") for figure in line["figures"] if figure["label"] == "Cost"]
    assert said == ([] if phrase is None else [phrase])
