"""Quantize as a person goes through it: warned, planned, made in the background, stopped, and one block looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import quantizing
from core.gguf import block_view, quantize, reader
from core.jobs import Job
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.e2e.serving import PATIENCE_S
from tests.gguf.making import tiny
from tests.pages.looking import elsewhere, run, titles, words

__all__ = ["elsewhere"]


def page() -> None:
    from pages.quantization import quantize
    from pages.ui import owner, resources

    quantize.show(resources.workbench(), owner.current())


@pytest.fixture
def mine(workbench: Workbench) -> Iterator[Workbench]:
    """Nothing made before, and nothing left."""
    yield workbench
    for job in workbench.jobs.list(PERSON):
        job.cancel()
        assert job.wait(PATIENCE_S)
        workbench.jobs.forget(PERSON, job.id)
    for path in workbench.settings.models.glob("*.gguf"):
        path.unlink()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("source") / "little.F16.gguf", layers=2, width=256, seed=1, half=True)


def opened(path: Path, **address: str) -> AppTest:
    at = AppTest.from_function(page, default_timeout=PATIENCE_S)
    at.query_params.update(address | {"file": str(path)})
    return run(at)


def choose(at: AppTest, *types: str) -> AppTest:
    at.multiselect(key="quantize-types").set_value(list(types))
    return run(at)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click()
    return run(at)


def jobs(workbench: Workbench) -> list[Job]:
    return list(reversed(workbench.jobs.list(PERSON, quantizing.KIND)))


def table(at: AppTest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = at.table[0].value.to_dict("records")
    return found


def test_what_comes_of_it_is_planned(mine: Workbench, source: Path) -> None:
    at = choose(opened(source), "Q4_K_M", "IQ2_M")
    plan = quantize.plan(source, "Q4_K_M")
    first, second = table(at)
    assert first["Type"] == "**Q4_K_M**" and first["Other types"] == "–"
    assert first["Bits a weight"] == f"{plan.bits_per_weight:.2f}"
    assert second["Note"] == "needs an importance matrix"
    assert at.button(key="quantize-start").label == "Make 1 file"
    assert "quantized already" not in words(at)
    assert at.button(key="quantize-start").disabled is False
    assert choose(at).button(key="quantize-start").disabled


def test_files_are_made_one_after_the_other(mine: Workbench, source: Path) -> None:
    at = press(choose(opened(source), "Q8_0", "Q2_K"), "quantize-start")
    made = jobs(mine)
    assert [job.subject for job in made] == ["little.Q8_0.gguf", "little.Q2_K.gguf"]
    for job in made:
        assert job.wait(PATIENCE_S) and job.state == "done"
        assert reader.read(mine.settings.models / job.subject).quantization == job.result.type
    said = words(run(at))
    assert "little.Q8_0.gguf" in said and f"{made[1].result.bits_per_weight:.2f} bits a weight" in said
    assert [line["Note"] for line in table(at)] == ["is there already"] * 2
    press(at, f"quantize-inspect-{made[1].id}")
    assert at.session_state["gguf-file"] == str(mine.settings.models / "little.Q2_K.gguf")
    assert at.query_params["view"] == "inspect"


def test_a_job_waits_for_its_turn_and_is_stopped(mine: Workbench, source: Path) -> None:
    with mine.turns.take() as measuring:
        at = press(choose(opened(source), "Q4_0"), "quantize-start")
        (job,) = jobs(mine)
        assert measuring.position == 0 and job.state == "running"
        while job.note != quantizing.WAITING:
            assert not job.wait(0.02)
        assert "waiting for what was begun before" in run(at).get("progress")[0].proto.text
        press(at, f"quantize-stop-{job.id}")
        assert job.wait(PATIENCE_S) and job.state == "cancelled"
    assert "stopped; nothing half-made is left" in words(run(at))
    assert list(mine.settings.models.glob("*")) == []


def test_what_goes_wrong_stands_there(mine: Workbench, tmp_path: Path) -> None:
    path = tiny(tmp_path / "gone.gguf", width=256, seed=1)
    at = choose(opened(path), "Q8_0")
    with mine.turns.take():
        press(at, "quantize-start")
        path.unlink()
    (job,) = jobs(mine)
    assert job.wait(PATIENCE_S) and job.state == "failed"
    assert "There is no model at" in words(run(at))


def test_a_quantized_source_is_warned_of_and_copied(mine: Workbench, smollm: Path) -> None:
    at = opened(smollm)
    assert "quantized already (Q4_1)" in words(at)
    press(at, "quantize-copy")
    (job,) = jobs(mine)
    assert job.wait(PATIENCE_S) and job.state == "done", job.error
    press(run(at), "quantize-use-copy")
    copy = mine.settings.models / "SmolLM2-135M-Instruct.F16.gguf"
    assert at.selectbox(key="gguf-file").value == str(copy)
    assert "quantized already" not in words(at)
    assert {t.type.name for t in reader.read(copy).tensors} == {"F32", "F16"}

    choose(at, "Q4_K_M")
    at.session_state["quantize-fallbacks"] = True
    shown = run(at).dataframe[0].value
    plan = quantize.plan(copy, "Q4_K_M")
    assert list(shown["Tensor"]) == [tensor.name for tensor in plan.fallbacks]
    assert set(shown["Meant"]) == {"Q4_K", "Q6_K"}


def test_options_reach_the_plan(mine: Workbench, source: Path, tmp_path: Path) -> None:
    at = choose(opened(source), "Q4_K_M")
    mixed = table(at)[0]["Bits a weight"]
    at.toggle(key="quantize-pure").set_value(True)
    assert table(run(at))[0]["Bits a weight"] < mixed
    at.selectbox(key="quantize-embedding").set_value("Q8_0")
    at.text_input(key="quantize-folder").set_value(str(tmp_path / "out"))
    press(run(at), "quantize-start")
    (job,) = jobs(mine)
    assert job.wait(PATIENCE_S) and job.state == "done"
    found = {t.name: t.type.name for t in reader.read(tmp_path / "out" / "little.Q4_K_M.gguf").tensors}
    assert found["token_embd.weight"] == "Q8_0" and found["blk.1.ffn_down.weight"] == "Q4_K"
    at.text_input(key="quantize-imatrix").set_value(str(tmp_path / "none.dat"))
    assert "is not a usable importance matrix" in words(run(at))


def test_names_are_explained_with_computed_bits(mine: Workbench, source: Path) -> None:
    at = opened(source)
    at.session_state["quantize-names"] = True
    said = words(run(at))
    assert "Q4_K 4.5" in said and "IQ2_XXS 2.062" in said and "super-block" in said


def test_one_block_is_seen_step_by_step(mine: Workbench, source: Path) -> None:
    at = opened(source)
    at.session_state["block-fold"] = True
    run(at)
    (figure,) = [chart for chart in at.get("plotly_chart") if "As it is" in chart.proto.alt]
    for name in block_view.LADDER:
        assert f'"name":"{name}"' in figure.proto.spec
    block = block_view.block(reader.read(source), "blk.1.ffn_down.weight")
    shown = at.dataframe[0].value
    assert list(shown["whole number"]) == list(block.steps[-1].numbers)
    at.segmented_control(key="block-type-256").set_value("Q5_K")
    assert list(run(at).dataframe[0].value["scale"])[::32] == pytest.approx(list(block.steps[2].scales))
    assert any(title.startswith("Q2_K is off by") for title in titles(at))
    at.toggle(key=f"errors-all-{source}").set_value(True)
    assert len(run(at).dataframe[1].value) == len(block_view.candidates(reader.read(source)))


def test_in_french(mine: Workbench, smollm: Path) -> None:
    at = opened(smollm, lang="fr")
    assert "déjà quantifié" in words(at)
    assert at.button(key="quantize-start").label == "Créer 3 fichiers"
