"""The yardsticks: what core/bench.py measures and how, and what benchmarks/ makes of it."""

from __future__ import annotations

import itertools
import tarfile
from datetime import date
from pathlib import Path

import pytest

from benchmarks import build_llamacpp, document, llamacpp
from benchmarks.__main__ import main
from benchmarks.chat_page import Seen
from benchmarks.figure import Figure, Unmeasurable
from core import bench, metrics
from core.bench import Round, Run
from core.errors import ContextOverflow, ModelNotFound
from core.events import Finished, Loading, Usage
from core.models.base import ModelInfo
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf


def opener(shelf: Shelf, path: Path) -> bench.Opener:
    info = ModelInfo(id="tiny", name="Tiny", provider="local", local=True)
    return lambda settings: shelf.model(info, path, settings)


def run(handed_over: float, *at: float) -> Run:
    """An answer whose tokens came at these seconds; its prompt took until the first one."""
    usage = Usage(prompt_tokens=10, generated_tokens=len(at))
    timings = metrics.timings(at, prefill_s=at[0] if at else None, processed_tokens=10)
    return Run(handed_over, Finished("length", usage, timings))


def test_each_level_is_measured_and_reported(smollm: Path) -> None:
    shelf = Shelf()
    seen: list[Loading | Round] = []
    report = bench.measure(
        opener(shelf, smollm), prompt_tokens=20, generate=5, parallel=(2, 1), repeat=2, notice=seen.append
    )
    assert report.model == "tiny" and report.threads >= 1
    assert [(r.parallel, r.prompt_tokens, r.generated_tokens) for r in report.results] == [(2, 20, 5), (1, 20, 5)]
    rounds = [(e.parallel, e.number, e.total) for e in seen if isinstance(e, Round)]
    assert rounds == [(2, 0, 2), (2, 1, 2), (2, 2, 2), (1, 0, 2), (1, 1, 2), (1, 2, 2)]
    assert shelf.loaded() == []


def test_nothing_comes_from_the_cache_and_no_answer_ends_early(smollm: Path) -> None:
    shelf = Shelf()
    try:
        model = opener(shelf, smollm)(ModelSettings(context_length=512, parallel=4))
        ready = bench.load(model)
        asked = bench.requests(16, 6, vocabulary=ready.vocabulary)
        usages = [
            each.finished.usage for _ in range(3) for each in bench.together(model, list(itertools.islice(asked, 4)))
        ]
    finally:
        shelf.close()
    assert {(usage.cached_tokens, usage.prompt_tokens, usage.generated_tokens) for usage in usages} == {(0, 16, 6)}


def test_requests_are_the_same_each_time_and_begin_differently() -> None:
    first = list(itertools.islice(bench.requests(5, 2, vocabulary=100), 50))
    assert first == list(itertools.islice(bench.requests(5, 2, vocabulary=100), 50))
    prompts = [request.prompt for request in first if isinstance(request.prompt, tuple)]
    assert len({prompt[0] for prompt in prompts}) == 50
    assert all(len(prompt) == 5 and all(0 <= token < 100 for token in prompt) for prompt in prompts)


def test_an_error_of_one_request_is_raised_and_the_others_end(smollm: Path) -> None:
    shelf = Shelf()
    try:
        model: LocalModel = opener(shelf, smollm)(ModelSettings(context_length=256, parallel=2))
        ready = bench.load(model)
        too_long = next(bench.requests(400, 2, vocabulary=ready.vocabulary))
        endless = next(bench.requests(4, 200, vocabulary=ready.vocabulary))
        with pytest.raises(ContextOverflow):
            bench.together(model, [too_long, endless])
        assert model.engine().answering == 0
    finally:
        shelf.close()


def test_a_model_that_is_not_there_cannot_be_measured(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        bench.measure(opener(Shelf(), tmp_path / "none.gguf"), prompt_tokens=4, generate=2)


def test_the_aggregate_rate_is_over_all_answers() -> None:
    runs = [run(100.0, 1.0, 1.5, 2.0), run(100.5, 1.0, 2.5)]
    assert bench.aggregate_rate(runs) == pytest.approx(5 / (103.0 - 101.0))
    assert bench.aggregate_rate([run(0.0, 1.0)]) is None
    assert bench.aggregate_rate([run(0.0)]) is None


def test_a_level_is_its_medians() -> None:
    rounds = [[run(0.0, 1.0, 2.0), run(0.0, 2.0, 4.0)], [run(0.0, 4.0, 8.0), run(0.0, 8.0, 9.0)]]
    result = bench.summary(rounds)
    assert (result.parallel, result.prompt_tokens, result.generated_tokens) == (2, 10, 2)
    assert result.ttft_s == pytest.approx(3.0)
    assert result.prompt_rate == pytest.approx((5.0 + 2.5) / 2)
    assert result.decode_rate == pytest.approx((0.5 + 1.0) / 2)
    assert result.aggregate_rate == pytest.approx((4 / 3 + 4 / 5) / 2)


def test_what_is_not_known_is_none() -> None:
    result = bench.summary([[run(0.0, 1.0)]])
    assert (result.decode_rate, result.aggregate_rate) == (None, None)


def figure(what: str, value: float, target: tuple[str, float] | None = ("≥", 0.95)) -> Figure:
    return Figure(name="engine.writing", what=what, value=value, unit="×", target=target)


def test_a_target_is_reached_or_not() -> None:
    assert [figure("a", value).reached for value in (0.949, 0.95)] == [False, True]
    assert [figure("a", value, ("≤", 4.0)).reached for value in (4.0, 4.1)] == [True, False]
    assert figure("a", 1.0, None).reached is None


def test_the_document_keeps_the_rows_that_were_not_measured_again(tmp_path: Path) -> None:
    page = tmp_path / "BENCHMARKS.md"
    page.write_text(f"# Before\n\n{document.BEGIN}\n\nNothing yet.\n\n{document.END}\n\nAfter.\n", encoding="utf-8")
    document.write([figure("one", 0.9), figure("two", 1.0)], path=page, machine="A, 2 cores", today=date(2026, 1, 2))
    document.write([figure("one", 0.97)], path=page, machine="A, 2 cores", today=date(2026, 1, 3))
    text = page.read_text(encoding="utf-8")
    assert "Nothing yet" not in text and text.startswith("# Before") and text.endswith("After.\n")
    assert "| one | 0.97 × | ≥ 0.95 × | yes | 2026-01-03 | `python -m benchmarks engine` |" in text
    assert "| two | 1.00 × | ≥ 0.95 × | yes | 2026-01-02 |" in text and text.count("| one |") == 1
    document.write([figure("two", 0.5)], path=page, machine="B, 4 cores", today=date(2026, 1, 4))
    of_b, of_a = page.read_text(encoding="utf-8").split("Machine: B, 4 cores.")[1].split("Machine: A, 2 cores.")
    assert "| one |" not in of_b and "| two | 0.50 × | ≥ 0.95 × | **no** |" in of_b
    assert "| one | 0.97 ×" in of_a and "| two | 1.00 ×" in of_a, "each machine has its own table"


def test_the_real_document_can_be_written(tmp_path: Path) -> None:
    copy = tmp_path / "BENCHMARKS.md"
    copy.write_text(document.PATH.read_text(encoding="utf-8"), encoding="utf-8")
    document.write([figure("one", 0.9)], path=copy)
    assert "| one | 0.90 × |" in copy.read_text(encoding="utf-8") and document.this_machine() in copy.read_text("utf-8")


def test_llama_bench_is_read() -> None:
    assert llamacpp.rate('[{"n_prompt": 0, "n_gen": 256, "avg_ts": 91.25, "stddev_ts": 0.0}]') == 91.25


def test_tools_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP_TOOLS", str(tmp_path))
    with pytest.raises(Unmeasurable, match="build_llamacpp"):
        llamacpp.tool("llama-bench")
    (tmp_path / "llama-bench").touch()
    assert llamacpp.tool("llama-bench") == tmp_path / "llama-bench"


def test_a_rate_that_is_seen_leaves_the_first_change_out() -> None:
    seen = Seen(updates=((10.0, 20), (10.5, 60), (11.0, 100)), tokens=50)
    assert seen.rate == pytest.approx(40.0)
    assert seen.updates_a_second == pytest.approx(2.0)


def test_the_source_is_taken_out_of_the_sdist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLAMA_CPP_SOURCE", raising=False)
    tree = tmp_path / "made" / "llama_cpp_python-1.0" / build_llamacpp.IN_SDIST
    tree.mkdir(parents=True)
    (tree / "CMakeLists.txt").write_text("project(llama.cpp)")
    with tarfile.open(tmp_path / "sdist.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "made" / "llama_cpp_python-1.0", "llama_cpp_python-1.0")
    build_llamacpp.unpack(tmp_path / "sdist.tar.gz", tmp_path / "home" / "source")
    assert build_llamacpp.source(tmp_path / "home") == tmp_path / "home" / "source" / build_llamacpp.IN_SDIST
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["source"]


@pytest.mark.parametrize("arguments", [["dance"], ["engine", "--quick", "--write"]])
def test_benchmarks_refuse_what_makes_no_sense(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
