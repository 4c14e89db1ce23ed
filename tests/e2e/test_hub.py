"""Find and download in a real browser: a model is searched for, judged, downloaded, interrupted by the end of the
server, gone on with, and writes in Chat. The Hub is a real server on loopback; its file is the embedded model's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chatting import STORY, Workbench, ask, grown, stop, watched, workbench
from tests.e2e.serving import free_port, until
from tests.hub.local_hub import Fault, LocalHub, Repo

pytestmark = [pytest.mark.e2e, pytest.mark.model]

ID, FILE = "HuggingFaceTB/SmolLM2-135M-Instruct-GGUF", "smollm2-135m-instruct-q4_1.gguf"
CARD = {"license": "apache-2.0", "language": ["en"], "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct"}


@pytest.fixture(scope="module")
def hub(smollm: Path) -> Iterator[LocalHub]:
    data = smollm.read_bytes()
    with LocalHub() as running, pytest.MonkeyPatch.context() as patch:
        files = {FILE: data, "smollm2-135m-instruct-q8_0.gguf": data + bytes(46_000_000)}
        about = {"total": 134_515_008, "architecture": "llama", "context_length": 8192}
        running.add(Repo(ID, files, downloads=12_345, gguf=about, card=CARD))
        patch.setenv("HF_ENDPOINT", running.url)
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        yield running


def opened(page: Page, bench: Workbench) -> None:
    """The repository, found by its name."""
    page.goto(f"{bench.server.address}quantization?view=hub")
    page.get_by_label("Part of a model's name, or OWNER/NAME").fill("smollm2")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("button", name=ID).click()
    expect(page.get_by_text("Recommended here: Q4_1")).to_be_visible()


def test_a_model_from_the_search_to_its_first_answer(browser: Browser, hub: LocalHub, tmp_path: Path) -> None:
    port, target = free_port(), tmp_path / "models" / ID / FILE
    with watched(browser) as (context, watch):
        page = context.new_page()
        with workbench(tmp_path, port=port) as bench:
            opened(page, bench)
            expect(page.get_by_text("fits").first).to_be_visible()
            hub.repos[ID].fault = Fault(times=1, pause_s=0.002)
            page.get_by_role("button", name="Download", exact=True).first.click()
            expect(page.get_by_text("1 download", exact=True)).to_be_visible()
            expect(page.get_by_test_id("stProgress")).to_contain_text("a second")
            watch.lost = True
        part = target.with_name(FILE + ".part")
        until(part.exists)
        assert not target.exists()
        hub.repos[ID].fault = Fault(times=0)
        with workbench(tmp_path, port=port) as bench:
            page.goto(f"{bench.server.address}quantization?view=hub")
            page.get_by_role("button", name="Go on").click()
            page.get_by_role("button", name="Use in Chat").click()
            assert target.exists() and not part.exists()
            expect(page.get_by_role("combobox", name="Model")).to_have_value(re.compile("SmolLM2|smollm2", re.I))
            ask(page, STORY)
            assert grown(page, characters=20)
            stop(page)
    assert hub.ranges(FILE)[-1] != "" and hub.ranges(FILE)[-1] != "bytes=0-"


def test_in_french_and_on_a_small_screen(browser: Browser, hub: LocalHub, tmp_path: Path) -> None:
    with workbench(tmp_path) as bench, watched(browser, "fr-FR") as (context, _):
        page = context.new_page()
        page.set_viewport_size({"width": 420, "height": 800})
        page.goto(f"{bench.server.address}quantization?view=hub&repo={ID}")
        expect(page.get_by_text("Recommandée ici\u202f: Q4_1")).to_be_visible()
        expect(page.get_by_text("bits par poids").first).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, "nothing runs off a small screen"
