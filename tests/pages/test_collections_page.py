"""The page's view of one's documents: dropped, followed, looked into, taken out. Real reading, real vectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.rag.values import Collection
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.e2e.serving import PATIENCE_S
from tests.pages.sitting import Sitting
from tests.rag import making


@pytest.fixture
def page(workbench: Workbench) -> Iterator[Sitting]:
    """The view, with nothing in it."""
    for one in workbench.collections.list(PERSON):
        workbench.collections.delete(PERSON, one.id)
    sitting = Sitting(workbench)
    sitting.at.switch_page("../rag/page.py")
    sitting.at.query_params["view"] = "collections"
    yield sitting.run()


def drop(page: Sitting, *files: tuple[str, bytes]) -> Collection:
    """Drops files, and waits until they have been taken in."""
    page.at.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files])
    page.run()
    return settled(page)


def settled(page: Sitting) -> Collection:
    """Waits until nothing runs, and draws the page again."""
    found = page.workbench.collections.list(PERSON)[0]
    for job in page.workbench.collections.jobs(PERSON, found.id):
        assert job.wait(PATIENCE_S)
    page.run()
    return page.workbench.collections.get(PERSON, found.id)


def texts(page: Sitting) -> str:
    return "\n".join([one.value for one in page.at.markdown] + page.captions()).replace("\\", "")


def test_a_document_that_is_dropped_becomes_ready(page: Sitting, tmp_path: Path) -> None:
    found = drop(page, ("island.pdf", making.pdf(tmp_path / "a.pdf").read_bytes()))
    assert (found.name, found.documents) == ("My documents", 1)
    assert "island.pdf" in texts(page)
    assert "ready · 3 pages" in texts(page)


def test_a_damaged_one_is_a_row_with_its_reason_and_the_others_go_on(page: Sitting) -> None:
    found = drop(page, ("good.txt", making.ENGLISH[0].encode()), ("bad.pdf", b"%PDF-1.7 and no more"))
    assert found.documents == 1
    assert "The file is damaged" in texts(page) or "damaged or cut off" in texts(page)


def test_an_encrypted_one_is_read_with_its_password(page: Sitting, tmp_path: Path) -> None:
    drop(page, ("secret.pdf", making.pdf(tmp_path / "a.pdf", password="open sesame").read_bytes()))
    (document,) = page.workbench.collections.documents(PERSON, settled(page).id)
    assert document.status == "failed"
    page.at.text_input(key=f"password-{document.id}").set_value("open sesame")
    page.press(f"retry-{document.id}")
    assert settled(page).documents == 1


def test_passages_are_tried_before_the_collection_is_cut_anew(page: Sitting) -> None:
    found = drop(page, ("long.md", ("# Title\n\n" + " ".join(making.ENGLISH * 20)).encode()))
    page.at.slider(key=f"size-{found.id}").set_value(40)
    page.run()
    before = found.chunks
    shown = len([one for one in page.at.text if one.value])
    page.press("cut-anew")
    after = settled(page)
    assert (after.build.size, after.chunks > before, shown > before) == (40, True, True)


def test_what_waits_is_gone_on_with(page: Sitting) -> None:
    found = drop(page, ("a.txt", b"The first one."))
    collections = page.workbench.collections
    kept = collections._files.put(found.id, making.incoming("b.txt", b"The second one."), most=1000)
    collections._documents.register(PERSON, found.id, name="b.txt", media_type="", hash=kept.hash, size=kept.size)
    page.run().press("documents-resume")
    assert settled(page).documents == 2


def test_a_document_is_taken_out_and_a_collection_deleted(page: Sitting) -> None:
    found = drop(page, ("a.txt", b"The first one."), ("b.txt", b"The second one."))
    document = page.workbench.collections.documents(PERSON, found.id)[0]
    page.press(f"remove-{document.id}")
    assert [one.name for one in page.workbench.collections.documents(PERSON, found.id)] == ["b.txt"]
    page.press(f"delete-collection-{found.id}")
    assert page.workbench.collections.list(PERSON) == []


def test_the_web_is_off_until_it_is_asked_for(page: Sitting) -> None:
    drop(page, ("a.txt", b"The first one."))
    page.at.button_group(key="documents-source").set_value("web")
    page.run()
    assert "documents-url" not in [one.key for one in page.at.text_input]
    page.at.toggle(key="documents-web").set_value(True)
    page.run()
    page.at.text_input(key="documents-url").set_value("http://127.0.0.1:9/")
    page.run()
    settled(page)
    assert "Only pages of the public web are" in page.errors()[0]
    page.workbench.collections.set_web(PERSON, False)


def test_the_view_speaks_french(workbench: Workbench) -> None:
    page = Sitting(workbench, lang="fr", view="collections")
    page.at.switch_page("../rag/page.py")
    page.run()
    assert page.at.file_uploader[0].label == "Déposez des documents ici"
