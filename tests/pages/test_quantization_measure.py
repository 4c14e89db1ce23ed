"""The Measure view of the Quantization page, as a person goes through it: one button, what it says, paused, deleted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from core.gguf import study, texts
from core.gguf.study import Study
from core.models.local import files
from core.models.local.model_settings import ModelSettings
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.gguf.worded import text, worded
from tests.pages.sitting import Sitting

PATIENCE_S = 100.0


class Measuring(Sitting):
    """A person at the measurements."""

    def __init__(self, workbench: Workbench, **address: str) -> None:
        super().__init__(workbench, **address)
        self.at.switch_page("../quantization/page.py")
        self.run()

    def chooses(self, *types: str, chunks: int = 1, repeat: int = 0) -> Measuring:
        self.at.multiselect(key="study-types").set_value(list(types))
        self.at.number_input(key="study-chunks").set_value(chunks)
        self.at.number_input(key="study-context").set_value(128)
        self.at.number_input(key="study-repeat").set_value(repeat)
        self.run()
        return self

    @property
    def study(self) -> Study:
        return self.workbench.studies.list(PERSON)[0]

    def waits(self) -> Measuring:
        job = self.workbench.studies.job(PERSON, self.study.id)
        assert job is not None and job.wait(PATIENCE_S)
        self.run()
        return self

    def texts(self) -> str:
        shown = [*self.at.header, *self.at.markdown, *self.at.caption, *self.at.error]
        return "\n".join(str(one.value) for one in shown).replace("\\", "")


@pytest.fixture
def measured(workbench: Workbench) -> Iterator[Workbench]:
    yield workbench
    for one in workbench.studies.list(PERSON):
        workbench.studies.delete(PERSON, one.id)


@pytest.mark.model
def test_one_button_measures_and_says_what_it_found(measured: Workbench) -> None:
    sitting = Measuring(measured).chooses("Q8_0", "Q2_K")
    assert "About three minutes" in sitting.texts()
    sitting.press("study-start")
    sitting.waits()
    assert sitting.study.state == "done"
    said = sitting.texts()
    assert "Q8_0: " in said and "same next token; fits with a context of" in said
    assert "cannot be said" in said and "scored: 1;" in said  # one chunk is not to be trusted
    table = sitting.at.dataframe[0].value
    assert list(table["Model"]) == ["F16 (reference)", "Q8_0", "Q2_K"]
    assert len(sitting.at.get("plotly_chart")) >= 2


@pytest.mark.model
def test_a_study_that_was_cut_off_can_go_on_or_be_deleted(measured: Workbench) -> None:
    source = files.embedded()
    assert source is not None
    spec = study.of_types(source, ("Q8_0",), text_name="english", text=texts.passage("english"), chunks=1, repeat=0)
    kept = measured.studies.bench.kept.create(PERSON, spec)
    sitting = Measuring(measured)
    assert sitting.at.button(key="study-resume").label == "Go on"
    sitting.press(f"delete-study-{kept.id}")
    assert measured.studies.list(PERSON) == []
    assert sitting.at.button(key="study-start").label.startswith("Quantize to 5 types")


@pytest.fixture
def words(measured: Workbench) -> Iterator[list[str]]:
    """Two tiny models in the folder of models; what they are called."""
    folder = measured.settings.models / "tiny"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [worded(folder / "one.gguf"), worded(folder / "two.gguf", noise=0.1)]
    yield [str(path) for path in paths]
    shutil.rmtree(folder)


def test_variants_side_by_side(measured: Workbench, words: list[str]) -> None:
    sitting = Measuring(measured)
    chosen = [name for name in sitting.at.multiselect(key="beside-models").options if "Worded" in name]
    assert len(chosen) == 2
    sitting.at.multiselect(key="beside-models").set_value(chosen)
    sitting.at.text_area(key="beside-text").set_value(text(12))
    sitting.run()
    sitting.press("beside-start")
    (job,) = measured.jobs.list(PERSON, "beside")
    assert job.wait(PATIENCE_S) and job.state == "done"
    sitting.run()
    assert "of 12 places the most probable token changes" in sitting.texts()
    sitting.at.toggle(key="beside-own").set_value(True)
    sitting.run()
    sitting.press("beside-start")
    assert measured.jobs.list(PERSON, "beside")[0].wait(PATIENCE_S)
    sitting.run()
    assert "nothing is compared" in sitting.texts() or "wrote the same" in sitting.texts()
    for one in measured.jobs.list(PERSON, "beside"):
        measured.jobs.forget(PERSON, one.id)


def test_settings_are_tried_and_kept_with_a_conversation(measured: Workbench, words: list[str]) -> None:
    sitting = Measuring(measured)
    sitting.at.selectbox(key="sweep-model").set_value(words[0])
    sitting.at.multiselect(key="sweep-axes").set_value(["threads"])
    sitting.run()
    sitting.press("sweep-start")
    (job,) = measured.jobs.list(PERSON, "sweep")
    assert job.wait(PATIENCE_S) and job.state == "done"
    sitting.run()
    assert "Best here: threads:" in sitting.texts()
    sitting.at.toggle(key="sweep-default-False").set_value(True)
    sitting.run()
    assert measured.load_settings(PERSON, words[0]) == job.result.best
    assert measured.load_settings("ben", words[0]) == ModelSettings()
    chat = Sitting(measured)
    chat.set(model=words[0])
    batch = next(one for one in chat.at.number_input if str(one.key).startswith("batch-new"))
    assert batch.value == job.result.best.batch_size == 128
    sitting.at.toggle(key="sweep-default-True").set_value(False)
    sitting.run()
    assert measured.load_settings(PERSON, words[0]) == ModelSettings()
    sitting.press("sweep-keep")
    kept = measured.conversations.list(PERSON)[0]
    settings = measured.conversations.get(PERSON, kept.id).settings["settings"]
    assert settings["threads"] == job.result.best.threads and settings["flash_attention"] == "off"
    measured.jobs.forget(PERSON, job.id)


def test_it_speaks_french(measured: Workbench) -> None:
    sitting = Measuring(measured, lang="fr")
    assert "Que coûte une quantification" in sitting.texts()
