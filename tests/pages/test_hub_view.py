"""The view *Find and download* as a person uses it, with a real Hub on loopback: search, judge, download, use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.figures import parameters
from core.gguf import reader
from core.hub import transfer
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.e2e.serving import until
from tests.gguf.making import Raw, string, tiny, u32
from tests.hub.local_hub import Fault, LocalHub, Repo
from tests.pages.sitting import Sitting

MODEL, PROJECTOR = "tiny-Q4_0.gguf", "mmproj-tiny-f16.gguf"
ID = "org/tiny-GGUF"


class Finding(Sitting):
    """A person who opened the view."""

    def __init__(self, workbench: Workbench, **address: str) -> None:
        super().__init__(workbench, view="hub", **address)
        self.at.switch_page("../quantization/page.py")
        self.at.query_params.update({"view": "hub", **address})
        self.run()

    def search(self, text: str) -> Finding:
        self.at.text_input(key="hub-text").set_value(text)
        next(button for button in self.at.button if button.label == "Search").click()
        self.run()
        return self

    def open(self, id: str = ID) -> Finding:
        self.press(f"open-{id}")
        return self

    def texts(self) -> str:
        """All that is said on the page, Markdown's backslashes left out."""
        drawn = [*self.at.markdown, *self.at.caption, *self.at.header, *self.at.subheader, *self.at.info]
        return "\n".join(element.value for element in drawn).replace("\\", "").replace("\u00a0", " ")

    def button(self, key: str) -> Any:
        return self.at.button(key=key)

    def done(self) -> Finding:
        """Waits until nothing is downloaded any more, and draws the page again."""
        until(lambda: not self.workbench.downloads.running(PERSON))
        self.run()
        return self


@pytest.fixture(scope="module", autouse=True)
def served() -> Iterator[LocalHub]:
    """The Hub of this module's workbench; set before the workbench is opened."""
    with LocalHub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        patch.delenv("HF_TOKEN", raising=False)
        patch.setattr(transfer, "LONGEST_WAIT_S", 0)
        yield hub


@pytest.fixture
def hub(served: LocalHub, workbench: Workbench, tmp_path: Path) -> Iterator[LocalHub]:
    """A Hub with one repository; nothing downloaded, nothing known of it."""
    data = tiny(tmp_path / "tiny.gguf").read_bytes()
    files = {MODEL: data, "tiny-F32.gguf": data + bytes(90_000), PROJECTOR: data}
    card = {"license": "mit", "base_model": "lab/tiny", "language": ["fr"]}
    served.add(Repo(ID, files, downloads=1234, card=card, gguf={"total": 20_000, "context_length": 128}))
    workbench.hub._kept.clear()
    yield served
    for one in workbench.downloads.list(PERSON):
        if one.state == "running":
            job = workbench.downloads.job(PERSON, one.id)
            workbench.downloads.stop(PERSON, one.id)
            job.wait(60)
        elif one.state == "done":
            workbench.downloads.dismiss(PERSON, one.id)
        else:
            workbench.downloads.stop(PERSON, one.id)
    for path in workbench.settings.models.rglob("*.gguf"):
        path.unlink()
    workbench.connections.set_local_only(PERSON, False)
    served.reset()


@pytest.mark.parametrize(("language", "title"), [("en", "Find a model, and what it takes here"), ("fr", "Trouver un")])
def test_the_view_opens_and_asks_nothing(workbench: Workbench, hub: LocalHub, language: str, title: str) -> None:
    page = Finding(workbench, lang=language)
    assert page.at.header[0].value.startswith(title) and page.errors() == []
    assert hub.asked == []


def test_where_the_search_goes_is_said_before(workbench: Workbench, hub: LocalHub) -> None:
    assert "on this machine · what you search for" in Finding(workbench).texts()


def test_a_search_shows_what_a_choice_depends_on(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench).search("tiny")
    said = page.texts()
    for part in ("1 repository", "licence mit", "1,234 downloads a month", "128 tokens", "Jan 2026", "fr"):
        assert part in said


def test_an_idea_is_a_search(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench).press("hub-idea-SmolLM2")
    assert any("GGUF files" in info.value for info in page.at.info)
    assert page.at.text_input(key="hub-text").value == "SmolLM2"


def test_filters_reach_the_hub(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench)
    page.at.selectbox(key="hub-size").set_value("small")
    page.at.text_input(key="hub-author").set_value("org")
    page.search("tiny")  # type: ignore[attr-defined]
    (asked,) = [one for one in hub.asked if one.path == "/api/models"]
    assert asked.query["author"] == ["org"] and asked.query["num_parameters"] == ["min:2B,max:5B"]


def test_a_repository_is_judged_for_this_machine(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench).search("tiny").open()
    said = page.texts()
    assert page.at.query_params["repo"] == ID
    assert "Recommended here" in said and "2 quantizations" in said and "1 other file" not in said
    assert ":material/check_circle: fits" in said and "bits per weight" in said and "at most" in said
    assert "made from [lab/tiny]" in said and f"{hub.url}/{ID}" in said
    assert [expander.label for expander in page.at.expander][-1] == "1 other file"
    assert page.press("hub-back").at.text_input(key="hub-text").value == "tiny"


def test_more_is_shown_on_demand(workbench: Workbench, hub: LocalHub) -> None:
    for number in range(30):
        hub.add(Repo(f"many/m{number}-GGUF"))
    page = Finding(workbench).search("many/")
    assert "20 repositories" in page.texts()
    page.press("hub-more")
    assert "30 repositories" in page.texts() and [b for b in page.at.button if b.key == "hub-more"] == []


def test_a_name_typed_whole_is_opened(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench).search(ID)
    assert "2 quantizations" in page.texts()


def test_a_download_from_click_to_chat(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench, repo=ID).press(f"get-row-{MODEL}").done()  # type: ignore[attr-defined]
    path = workbench.settings.models / ID / MODEL
    assert path.exists() and "is on this machine, whole and checked" in page.texts()
    page.press(f"use-row-{MODEL}")
    assert page.at.selectbox(key="model-new").value == str(path)


def test_a_download_is_paused_gone_on_with_and_stopped(workbench: Workbench, hub: LocalHub) -> None:
    hub.repos[ID].fault = Fault(pause_s=0.3)
    page = Finding(workbench, repo=ID).press(f"get-row-{MODEL}")
    (one,) = workbench.downloads.list(PERSON)
    until(lambda: workbench.downloads.list(PERSON)[0].done > 0)
    page.run()
    assert page.button(f"get-row-{MODEL}").disabled  # type: ignore[attr-defined]
    page.press(f"pause-{one.id}").done()  # type: ignore[attr-defined]
    assert workbench.downloads.list(PERSON)[0].state == "paused"
    page.press(f"resume-{one.id}")
    until(lambda: workbench.downloads.running(PERSON))
    page.run().press(f"stop-{one.id}").done()  # type: ignore[attr-defined]
    assert workbench.downloads.list(PERSON) == [] and not (workbench.settings.models / "org").exists()


def test_what_fails_stands_at_its_download_with_the_cure(workbench: Workbench, hub: LocalHub) -> None:
    hub.repos[ID].fault = Fault(cut_at=20_000)
    page = Finding(workbench, repo=ID)
    workbench.judge.judged(PERSON, workbench.hub.repository(ID))
    page.press(f"get-row-{MODEL}").done()  # type: ignore[attr-defined]
    (one,) = workbench.downloads.list(PERSON)
    assert one.state == "failed" and any("What has come is kept" in error for error in page.errors())
    hub.repos[ID].fault = Fault(times=0)
    page.press(f"resume-{one.id}").done()  # type: ignore[attr-defined]
    assert workbench.downloads.list(PERSON)[0].state == "done"


def test_what_cannot_be_had_is_said_where_it_was_clicked(workbench: Workbench, hub: LocalHub) -> None:
    hub.repos[ID].sizes[MODEL] = 10**15
    page = Finding(workbench, repo=ID).press(f"get-row-{MODEL}")
    assert (
        any("split over several files" in error for error in page.errors()) and workbench.downloads.list(PERSON) == []
    )


def test_gated_is_explained(workbench: Workbench, hub: LocalHub) -> None:
    hub.repos[ID].gated = "manual"
    page = Finding(workbench, repo=ID)
    (error,) = page.errors()
    assert f"Open {hub.url}/{ID}" in error and "HF_TOKEN" in error
    assert "2 quantizations" in page.texts()


def test_a_look_inside_reads_the_header_only(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench, repo=ID).press("look-tiny-F32.gguf")
    assert "Architecture: llama" in page.texts() and "F32" in page.texts()
    assert len(page.at.dataframe) == 1 and all(hub.ranges("tiny-F32.gguf"))
    page.press("look-tiny-F32.gguf")
    assert len(page.at.dataframe) == 0


def test_the_bandwidth_is_measured_again_on_demand(workbench: Workbench, hub: LocalHub) -> None:
    page = Finding(workbench, repo=ID)
    before = workbench.judge.pace(PERSON)
    page.press("hub-bandwidth")
    after = workbench.judge.pace(PERSON)
    assert before is not None and after is not None and (after.at or 0) > (before.at or 0)


def test_a_split_model_is_looked_into_as_one(workbench: Workbench, hub: LocalHub, tmp_path: Path) -> None:
    names = [f"tiny-F32-0000{number}-of-00002.gguf" for number in (1, 2)]
    parts = {name: tiny(tmp_path / name, split=(number, 2)).read_bytes() for number, name in enumerate(names)}
    hub.add(Repo("org/split", parts))
    page = Finding(workbench, repo="org/split").press(f"look-{names[0]}")
    header = reader.read(tmp_path / names[0])
    assert f"Parameters: {parameters(header.parameters, 'en')}".replace("\u00a0", " ") in page.texts()
    assert all(hub.ranges(names[1]))


def test_a_model_that_writes_no_text_is_announced(workbench: Workbench, hub: LocalHub, tmp_path: Path) -> None:
    data = Raw([string("general.architecture", "bert"), u32("bert.block_count", 1), u32("bert.pooling_type", 1)])
    hub.add(Repo("org/embedder", {"e-Q8_0.gguf": data.write(tmp_path / "e.gguf").read_bytes()}))
    assert "writes no text" in Finding(workbench, repo="org/embedder").texts()


@pytest.mark.parametrize("id", ["org/nothing", "../..", "<b>x</b>/y"])
def test_what_is_not_there_is_said(workbench: Workbench, hub: LocalHub, id: str) -> None:
    page = Finding(workbench, repo=id)
    assert len(page.errors()) == 1 and "OWNER/NAME" in page.errors()[0]


def test_a_hub_that_fails_is_said_and_can_be_asked_again(workbench: Workbench, hub: LocalHub) -> None:
    hub.broken = (400, {}, b"")
    page = Finding(workbench).search("tiny")
    assert len(page.errors()) == 1
    hub.broken = None
    page.press("hub-results-retry")
    assert "1 repository" in page.texts()


def test_local_only_asks_nothing_and_says_why(
    workbench: Workbench, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbench.hub, "endpoint", "https://hub.example.org")
    workbench.connections.set_local_only(PERSON, True)
    page = Finding(workbench, repo=ID)
    assert any("Local only" in error for error in page.errors()) and hub.asked == []
    assert [button for button in page.at.button if str(button.key).startswith("get-")] == []


def test_offline_says_so_at_once_and_what_can_still_be_done(
    workbench: Workbench, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbench.hub, "_offline", True)
    page = Finding(workbench)
    (error,) = page.errors()
    assert "embedded model" in error and "HF_HUB_OFFLINE" in error and hub.asked == []
