"""Which models are in memory: who gives way to whom, who never does, and what is done about those that die."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec
import psutil
import pytest

from core.errors import (
    ModelDied,
    ModelFileInvalid,
    ModelNotFound,
    ModelTooLarge,
    ModelUnstable,
    SettingInvalid,
)
from core.events import Event, Text
from core.gguf import reader
from core.models.catalog import Catalog
from core.models.local.model_settings import ModelSettings, memory_needed
from core.models.local.shelf import LocalModel, Shelf
from core.settings import Settings
from tests.asking import finished, request, text
from tests.gguf.making import tiny

SMALL = ModelSettings(context_length=256, parallel=2, threads=1)
OTHER = msgspec.structs.replace(SMALL, batch_size=64)
SHORT = request("a b", max_tokens=3, ignore_end=True)
ENDLESS = request("a b", max_tokens=1_000_000, ignore_end=True, overflow="rolling")


def needed(path: Path, settings: ModelSettings = SMALL) -> int:
    """Bytes that the shelf counts for a model."""
    return memory_needed(reader.read(path), settings).total


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Three models of one size."""
    return [tiny(tmp_path / f"{name}.gguf") for name in "abc"]


@pytest.fixture
def shelf(paths: list[Path]) -> Iterator[Shelf]:
    """Room for two of them."""
    shelf = Shelf(budget_bytes=int(2.5 * needed(paths[0])))
    yield shelf
    shelf.close()


def model(shelf: Shelf, path: Path, settings: ModelSettings = SMALL) -> LocalModel:
    return shelf.model(Catalog(Settings(home=path.parent)).get(str(path)), path, settings)


def answering(model: LocalModel) -> Iterator[Event]:
    """A stream that has given its first text and would go on for ever."""
    stream = model.stream(ENDLESS)
    while not isinstance(next(stream), Text):
        pass
    return stream


def names(shelf: Shelf) -> set[str]:
    return {Path(loaded.info.id).stem for loaded in shelf.loaded()}


def kill(model: LocalModel) -> None:
    engine = model.engine()
    os.kill(engine.pid, signal.SIGKILL)
    while engine.alive:
        time.sleep(0.01)


def kill_in_mid_answer(model: LocalModel) -> None:
    stream = answering(model)
    kill(model)
    with pytest.raises(ModelDied):
        list(stream)


def test_a_model_costs_nothing_until_it_is_asked_and_is_loaded_once(shelf: Shelf, paths: list[Path]) -> None:
    asked = model(shelf, paths[0])
    assert shelf.loaded() == []
    first = finished(list(asked.stream(SHORT)))
    (loaded,) = shelf.loaded()
    pid = asked.engine().pid
    second = finished(list(model(shelf, paths[0]).stream(SHORT)))
    assert first.timings.load_s and first.timings.load_s > 0
    assert second.timings.load_s == 0.0
    assert asked.engine().pid == pid
    assert (loaded.info, loaded.settings, loaded.answering) == (asked.info, SMALL, 0)
    assert loaded.ready and loaded.ready.context_length == 256
    assert loaded.memory_bytes and loaded.memory_bytes > 0


def test_loading_is_no_part_of_the_time_to_the_first_token(shelf: Shelf, paths: list[Path]) -> None:
    timings = finished(list(model(shelf, paths[0]).stream(SHORT))).timings
    assert timings.load_s and timings.ttft_s
    assert timings.at[0] == timings.ttft_s < timings.load_s + timings.ttft_s


def test_the_least_recently_used_gives_way(shelf: Shelf, paths: list[Path]) -> None:
    a, b, c = (model(shelf, path) for path in paths)
    for asked in (a, b, a, c):
        list(asked.stream(SHORT))
    assert names(shelf) == {"a", "c"}


def test_one_that_is_answering_never_gives_way(paths: list[Path]) -> None:
    with closing(Shelf(budget_bytes=int(1.5 * needed(paths[0])))) as shelf:
        a, b = model(shelf, paths[0]), model(shelf, paths[1])
        stream = answering(a)
        with pytest.raises(ModelTooLarge):
            list(b.stream(SHORT))
        assert isinstance(next(e for e in stream if isinstance(e, Text)), Text)
        stream.close()  # type: ignore[attr-defined]
        assert text(b.stream(SHORT))
        assert names(shelf) == {"b"}


def test_one_that_is_loading_never_gives_way(paths: list[Path]) -> None:
    with closing(Shelf(budget_bytes=int(1.5 * needed(paths[0])))) as shelf:
        first = model(shelf, paths[0]).stream(SHORT)
        next(first)
        with pytest.raises(ModelTooLarge):
            list(model(shelf, paths[1]).stream(SHORT))
        assert text(first)


def test_a_model_that_is_too_large_says_so_with_figures_and_closes_nobody(smollm: Path, paths: list[Path]) -> None:
    large = ModelSettings(context_length=4096)
    with closing(Shelf(budget_bytes=100_000_000)) as shelf:
        list(model(shelf, paths[0]).stream(SHORT))
        with pytest.raises(ModelTooLarge) as refused:
            list(model(shelf, smollm, large).stream(SHORT))
        assert names(shelf) == {"a"}
    assert refused.value.values == {
        "model": "SmolLM2-135M-Instruct",
        "needed_gb": f"{needed(smollm, large) / 1e9:.1f}",
        "free_gb": "0.1",
    }
    assert float(refused.value.values["needed_gb"]) > 0.1
    assert refused.value.advice()


def test_other_settings_replace_the_idle_one(shelf: Shelf, paths: list[Path]) -> None:
    for settings in (SMALL, OTHER):
        list(model(shelf, paths[0], settings).stream(SHORT))
        assert [loaded.settings for loaded in shelf.loaded()] == [settings]


def test_other_settings_leave_the_one_that_is_answering(shelf: Shelf, paths: list[Path]) -> None:
    stream = answering(model(shelf, paths[0], SMALL))
    list(model(shelf, paths[0], OTHER).stream(SHORT))
    assert {loaded.settings for loaded in shelf.loaded()} == {SMALL, OTHER}
    assert isinstance(next(e for e in stream if isinstance(e, Text)), Text)


def test_all_who_ask_first_at_once_share_one_process(shelf: Shelf, paths: list[Path]) -> None:
    ourselves, together = psutil.Process(), threading.Barrier(4)
    before = len(ourselves.children())

    def first(_: int) -> tuple[str, int]:
        together.wait(timeout=60)
        asked = model(shelf, paths[0])
        return text(asked.stream(SHORT)), asked.engine().pid

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(first, range(4)))
    assert len(set(answers)) == 1
    assert len(ourselves.children()) - before == 1


def test_three_deaths_in_a_row_set_a_model_aside(shelf: Shelf, paths: list[Path]) -> None:
    a = model(shelf, paths[0])
    for _ in range(3):
        kill_in_mid_answer(a)
    with pytest.raises(ModelUnstable, match="SIGKILL"):
        list(a.stream(SHORT))
    assert text(model(shelf, paths[0], OTHER).stream(SHORT)), "other settings are another try"
    assert text(model(shelf, paths[1]).stream(SHORT)), "other models go on"
    shelf.forgive(a.info.id)
    assert text(a.stream(SHORT))


def test_an_answer_in_between_makes_the_count_begin_anew(shelf: Shelf, paths: list[Path]) -> None:
    a = model(shelf, paths[0])
    for _ in range(2):
        kill_in_mid_answer(a)
        kill_in_mid_answer(a)
        assert text(a.stream(SHORT))


def test_one_death_counts_once_however_many_answers_it_ends(paths: list[Path]) -> None:
    with closing(Shelf()) as shelf:
        a = model(shelf, paths[0], ModelSettings(context_length=16_384, parallel=4))
        streams = [answering(a) for _ in range(4)]
        kill(a)
        for stream in streams:
            with pytest.raises(ModelDied):
                list(stream)
        assert text(a.stream(SHORT))


def test_a_death_while_idle_is_noticed_only_by_the_load_time(shelf: Shelf, paths: list[Path]) -> None:
    a = model(shelf, paths[0])
    for _ in range(4):
        end = finished(list(a.stream(SHORT)))
        assert end.timings.load_s
        kill(a)
    assert shelf.loaded() == []


def test_taking_a_model_out_in_mid_answer_ends_the_answer_and_is_no_death(shelf: Shelf, paths: list[Path]) -> None:
    a = model(shelf, paths[0])
    for _ in range(3):
        stream = answering(a)
        pid = a.engine().pid
        a.close()
        with pytest.raises(ModelDied, match="closed"):
            list(stream)
        assert not psutil.pid_exists(pid)
    assert text(a.stream(SHORT))


def test_closing_leaves_no_process(shelf: Shelf, paths: list[Path]) -> None:
    answering_one, loading_one = model(shelf, paths[0]), model(shelf, paths[1])
    stream = answering(answering_one)
    pids = [answering_one.engine().pid, loading_one.engine().pid]
    shelf.close()
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert shelf.loaded() == []
    with pytest.raises(ModelDied):
        list(stream)


def test_tokens_are_counted_and_the_model_is_loaded_for_it(shelf: Shelf, paths: list[Path]) -> None:
    assert model(shelf, paths[0]).count(SHORT).prompt_tokens > 0
    assert names(shelf) == {"a"}


def test_a_file_damaged_after_it_was_listed_is_refused(shelf: Shelf, paths: list[Path]) -> None:
    cut, gone = model(shelf, paths[0]), model(shelf, paths[1])
    paths[0].write_bytes(paths[0].read_bytes()[:-100])
    paths[1].unlink()
    with pytest.raises(ModelFileInvalid, match="incomplete"):
        list(cut.stream(SHORT))
    with pytest.raises(ModelNotFound):
        list(gone.stream(SHORT))
    tiny(paths[0])
    assert text(cut.stream(SHORT)), "a mended file is read again"


@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(context_length=8),
        ModelSettings(context_length=10**9),
        ModelSettings(threads=0),
        ModelSettings(batch_size=1),
        ModelSettings(parallel=0),
        ModelSettings(parallel=65),
        ModelSettings(gpu_layers=-2),
        ModelSettings(kv_type="q8_0", flash_attention="off"),
    ],
    ids=lambda settings: ",".join(
        f"{name}={value}"
        for name, value in msgspec.structs.asdict(settings).items()
        if value != getattr(ModelSettings(), name)
    ),
)
def test_settings_out_of_range_are_refused_and_start_nothing(
    shelf: Shelf, paths: list[Path], settings: ModelSettings
) -> None:
    with pytest.raises(SettingInvalid):
        model(shelf, paths[0], settings)
    assert shelf.loaded() == []


def test_half_of_the_memory_is_the_budget_where_none_is_set() -> None:
    assert Shelf().budget_bytes == psutil.virtual_memory().total // 2
