"""Answers with what they took: alone, beside another, stopped, and of a real model's process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.energy import meters
from core.energy.metering import Metering
from core.events import Event, Finished, Text, Usage
from core.models.catalog import Catalog
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import Shelf
from core.settings import Settings
from tests.asking import finished, request
from tests.energy.powercap import powercap, turn
from tests.gguf.making import tiny

END = Finished("stop", Usage(prompt_tokens=3, generated_tokens=1))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return powercap(tmp_path / "powercap")


@pytest.fixture
def metering(root: Path) -> Metering:
    return Metering(lambda: meters.rapl(root))


def answer(root: Path, joules: float) -> Iterator[Event]:
    """An answer for which the processor takes so much."""
    yield Text("Hello")
    turn(root, joules)
    yield END


def test_an_answer_alone_has_what_the_meter_counted_meanwhile(root: Path, metering: Metering) -> None:
    turn(root, 500.0)
    text, end = metering.measured(answer(root, 36.0))
    assert text == Text("Hello")
    assert isinstance(end, Finished) and end.energy is not None
    assert end.energy.measured
    assert end.energy.low == end.energy.high == pytest.approx(0.01)
    assert end.energy.method == "RAPL (dram, package-0)"
    assert (end.reason, end.usage) == (END.reason, END.usage)


def test_answers_at_the_same_time_have_none_and_the_next_one_alone_has(root: Path, metering: Metering) -> None:
    first = metering.measured(answer(root, 36.0))
    next(first)
    second = metering.measured(answer(root, 36.0))
    next(second)
    assert finished(list(first)).energy is None
    assert finished(list(second)).energy is None, "it was alone at its end, but not all the time"
    assert finished(list(metering.measured(answer(root, 36.0)))).energy is not None


def test_a_stopped_answer_is_no_longer_beside_the_others(root: Path, metering: Metering) -> None:
    closed: list[bool] = []

    def endless() -> Iterator[Event]:
        try:
            while True:
                yield Text("on and on")
        finally:
            closed.append(True)

    stream = metering.measured(endless())
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    del stream
    assert closed == [True]
    assert finished(list(metering.measured(answer(root, 36.0)))).energy is not None


def test_a_meter_that_stands_still_or_breaks_gives_no_figure(root: Path, metering: Metering) -> None:
    assert finished(list(metering.measured(answer(root, 0.0)))).energy is None
    stream = metering.measured(answer(root, 36.0))
    next(stream)
    (root / "intel-rapl:0" / "max_energy_range_uj").unlink()
    (root / "intel-rapl:0:1" / "energy_uj").unlink()
    assert finished(list(stream)).energy is None


def test_without_a_meter_an_answer_is_as_it_was() -> None:
    assert list(Metering(lambda: None).measured(iter([Text("Hello"), END]))) == [Text("Hello"), END]


@pytest.mark.model
def test_a_local_model_answers_with_what_it_took(root: Path, tmp_path: Path) -> None:
    def working(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            turn(root, 1.0)
            yield event

    metering = Metering(lambda: meters.rapl(root))
    shelf = Shelf(measured=lambda events: metering.measured(working(events)))
    path = tiny(tmp_path / "a.gguf")
    model = shelf.model(
        Catalog(Settings(home=tmp_path)).get(str(path)), path, ModelSettings(context_length=256, threads=1)
    )
    try:
        end = finished(list(model.stream(request("a b", max_tokens=3, ignore_end=True))))
    finally:
        shelf.close()
    assert end.energy is not None and end.energy.measured and end.energy.low > 0
    assert end.timings.load_s, "what the shelf adds is still there"
