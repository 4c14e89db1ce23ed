"""Taking documents in: real reading, real vectors, a real index; and everything that may come between."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.errors import DocumentUnreadable, NotThere, TooManyFiles
from core.jobs import Job
from core.rag import ingest
from core.rag.collections import Collections
from core.rag.embedders.sentences import SentenceEmbedding
from core.rag.files import LONGEST_NAME, Incoming, found, shown_name
from core.rag.values import Collection
from core.settings import Settings
from core.workbench import open_workbench
from tests.rag import making
from tests.rag.conftest import OWNER

PATIENCE_S = 90


def done(job: Job) -> ingest.Summary:
    """What it did, when it has ended."""
    assert job.wait(PATIENCE_S)
    assert (job.state, job.error) == ("done", None)
    return job.result


def texts(collections: Collections, found: Collection) -> list[str]:
    return [chunk.text for chunk in collections.chunks(OWNER, found.id)]


def states(collections: Collections, found: Collection) -> dict[str, str]:
    return {one.name: one.status for one in collections.documents(OWNER, found.id)}


@pytest.fixture
def island(collections: Collections) -> Collection:
    return collections.create(OWNER, "Island")


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is embedded from now on; it is really embedded."""
    seen: list[str] = []
    embed = SentenceEmbedding.embed

    def watched(self: SentenceEmbedding, texts: Sequence[str], *, question: bool = False) -> np.ndarray:
        seen.extend(texts)
        return embed(self, texts, question=question)

    monkeypatch.setattr(SentenceEmbedding, "embed", watched)
    return seen


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    opened = Gate()
    embed = SentenceEmbedding.embed

    def held(self: SentenceEmbedding, texts: Sequence[str], *, question: bool = False) -> np.ndarray:
        opened.reached.set()
        assert opened.free.wait(PATIENCE_S)
        return embed(self, texts, question=question)

    monkeypatch.setattr(SentenceEmbedding, "embed", held)
    yield opened
    opened.free.set()


class Gate:
    """Where embedding waits until it is let through."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.free = threading.Event()


@pytest.mark.parametrize("language", [making.ENGLISH, making.FRENCH], ids=["en", "fr"])
def test_what_was_added_is_found_with_its_page(
    collections: Collections, island: Collection, tmp_path: Path, language: tuple[str, ...]
) -> None:
    files = [
        Incoming("a.pdf", path=making.pdf(tmp_path / "a.pdf", [text * 3 for text in language])),
        Incoming("b.docx", path=making.docx(tmp_path / "b.docx", language)),
        Incoming("c.html", making.html(language)),
    ]
    build = collections.create(OWNER, "Pages", chunker="pages")
    assert done(collections.add(OWNER, build.id, files)) == ingest.Summary(ready=3)
    question = collections.embed_query(OWNER, build.id, language[1])
    ids = [id for id, _ in collections.search_dense(OWNER, build.id, question, limit=8)]
    by_id = collections.some_chunks(OWNER, build.id, ids)
    (best,) = [by_id[id] for id in ids if by_id[id].document == "a.pdf"][:1]
    assert (best.page, language[1][:20] in best.text) == (2, True)
    for chunk in collections.chunks(OWNER, build.id):
        text = collections.extracted(OWNER, build.id, chunk.document_id).text
        assert text[chunk.start : chunk.end] == chunk.text


def test_a_damaged_document_is_a_row_with_its_reason(collections: Collections, island: Collection) -> None:
    files = [making.incoming("bad.docx", b"PK\x03\x04 no"), making.incoming("good.txt", b"A good one.")]
    assert done(collections.add(OWNER, island.id, files)) == ingest.Summary(ready=1, failed=1)
    bad, good = collections.documents(OWNER, island.id)
    assert (bad.status, (bad.error or {})["error"], good.status) == ("failed", "DocumentUnreadable", "ready")


def test_the_same_file_twice_is_one(collections: Collections, island: Collection, embedded: list[str]) -> None:
    file = making.incoming("a.txt", b"Only once.")
    twice = [file, making.incoming("copy.txt", b"Only once.")]
    assert done(collections.add(OWNER, island.id, twice)) == ingest.Summary(ready=1, same=1)
    assert done(collections.add(OWNER, island.id, [file])) == ingest.Summary(same=1)
    assert texts(collections, island) == embedded == ["Only once."]


def test_files_of_one_name_that_come_together_are_both_kept(collections: Collections, island: Collection) -> None:
    files = [making.incoming("notes.txt", f"From folder {n}.".encode()) for n in range(3)]
    done(collections.add(OWNER, island.id, files))
    assert states(collections, island) == dict.fromkeys(("notes.txt", "notes (2).txt", "notes (3).txt"), "ready")
    newer = making.incoming("notes.txt", b"Of today.")
    done(collections.add(OWNER, island.id, [newer]))
    assert sorted(texts(collections, island)) == ["From folder 1.", "From folder 2.", "Of today."]
    kept = [collections.original(OWNER, island.id, one.id) for one in collections.documents(OWNER, island.id)]
    assert sorted(kept[0].parent.iterdir()) == sorted(kept), "what it replaced is gone"


def test_only_what_changed_is_embedded_again(collections: Collections, embedded: list[str]) -> None:
    found = collections.create(OWNER, "Notes", chunker="headings")
    old = "# One\n\nThe first.\n\n# Two\n\nThe second."
    done(collections.add(OWNER, found.id, [making.incoming("a.md", old.encode())]))
    before = {chunk.text: chunk.id for chunk in collections.chunks(OWNER, found.id)}
    embedded.clear()
    new = old.replace("The second.", "Another second.")
    done(collections.add(OWNER, found.id, [making.incoming("a.md", new.encode())]))
    after = {chunk.text: chunk.id for chunk in collections.chunks(OWNER, found.id)}
    assert embedded == ["# Two\n\nAnother second."]
    assert list(after) == ["# One\n\nThe first.", "# Two\n\nAnother second."]
    assert not set(before.values()) & set(after.values()), "a changed document has new ids"
    assert states(collections, found) == {"a.md": "ready"}


def test_the_version_changes_with_what_can_be_found(collections: Collections, island: Collection) -> None:
    seen = [collections.version(OWNER, island.id)]
    done(collections.add(OWNER, island.id, [making.incoming("a.txt", b"Some text.")]))
    seen.append(collections.version(OWNER, island.id))
    collections.rename(OWNER, island.id, "Another name")
    assert collections.version(OWNER, island.id) == seen[-1]
    (document,) = collections.documents(OWNER, island.id)
    collections.remove(OWNER, island.id, [document.id])
    seen.append(collections.version(OWNER, island.id))
    assert len(set(seen)) == 3


def test_another_chunker_keeps_the_old_passages_until_all_are_cut(
    collections: Collections, island: Collection, gate: Gate
) -> None:
    gate.free.set()
    files = [making.incoming(f"{n}.txt", (f"Number {n}. " + " ".join(making.ENGLISH)).encode()) for n in range(2)]
    done(collections.add(OWNER, island.id, files))
    before = texts(collections, island)
    gate.free.clear()
    gate.reached.clear()
    job = collections.change(
        OWNER, island.id, embedding=island.build.embedding, chunker="sentences", size=20, overlap=0
    )
    assert gate.reached.wait(PATIENCE_S)
    assert texts(collections, island) == before
    assert len(collections.search_dense(OWNER, island.id, np.eye(1, 384, dtype=np.float32)[0], limit=9)) == 2
    gate.free.set()
    assert job.wait(PATIENCE_S)
    after = collections.get(OWNER, island.id)
    assert (job.result, after.build.size, after.chunks > len(before)) == (True, 20, True)
    assert {one.text.split(".")[0] for one in collections.chunks(OWNER, island.id)} >= {"Number 0", "Number 1"}


def test_what_is_added_while_it_is_cut_anew_is_in_it(collections: Collections, island: Collection, gate: Gate) -> None:
    gate.free.set()
    done(collections.add(OWNER, island.id, [making.incoming("a.txt", " ".join(making.ENGLISH).encode())]))
    gate.free.clear()
    gate.reached.clear()
    job = collections.change(
        OWNER, island.id, embedding=island.build.embedding, chunker="sentences", size=20, overlap=0
    )
    assert gate.reached.wait(PATIENCE_S)
    adding = collections.add(OWNER, island.id, [making.incoming("b.txt", " ".join(making.FRENCH).encode())])
    gate.free.set()
    done(adding)
    assert job.wait(PATIENCE_S)
    if collections.get(OWNER, island.id).build.size != 20:  # it came after the last look: what began is gone on with
        assert collections.change(
            OWNER, island.id, embedding=island.build.embedding, chunker="sentences", size=20, overlap=0
        ).wait(PATIENCE_S)
    assert {chunk.document for chunk in collections.chunks(OWNER, island.id)} == {"a.txt", "b.txt"}
    assert all(chunk.tokens <= 20 for chunk in collections.chunks(OWNER, island.id))


def test_cancelling_leaves_what_is_ready_and_the_rest_waits(
    collections: Collections, island: Collection, gate: Gate
) -> None:
    job = collections.add(OWNER, island.id, [making.incoming(f"{n}.txt", f"Number {n}".encode()) for n in range(3)])
    assert gate.reached.wait(PATIENCE_S)
    job.cancel()
    gate.free.set()
    assert job.wait(PATIENCE_S)
    assert job.state == "cancelled"
    assert set(states(collections, island).values()) <= {"ready", "waiting"}
    assert "waiting" in states(collections, island).values()
    done(collections.resume(OWNER, island.id))
    assert sorted(texts(collections, island)) == ["Number 0", "Number 1", "Number 2"]


def test_closing_the_workbench_leaves_what_was_under_way_waiting(tmp_path: Path, gate: Gate) -> None:
    home = Settings(home=tmp_path / "home")
    first = open_workbench(home)
    found = first.collections.create(OWNER, "Island")
    job = first.collections.add(OWNER, found.id, [making.incoming("a.txt", b"Some text.")])
    assert gate.reached.wait(PATIENCE_S)
    closing = threading.Thread(target=first.close)
    closing.start()
    while not job.halting:
        closing.join(0.01)
    gate.free.set()
    closing.join(PATIENCE_S)
    second = open_workbench(home)
    (document,) = second.collections.documents(OWNER, found.id)
    assert document.status == "waiting"
    done(second.collections.resume(OWNER, found.id))
    assert texts(second.collections, found) == ["Some text."]
    second.close()


def test_two_browsers_add_the_same_files_at_once(collections: Collections, island: Collection) -> None:
    files = [making.incoming(f"{n}.txt", f"Number {n}".encode()) for n in range(12)]
    jobs = [collections.add(OWNER, island.id, order) for order in (files, files[::-1])]
    ready = sum(done(job).ready for job in jobs)
    assert ready == 12
    assert sorted(texts(collections, island)) == sorted(f"Number {n}" for n in range(12))


def test_a_collection_that_is_deleted_while_it_is_filled(
    collections: Collections, island: Collection, gate: Gate
) -> None:
    job = collections.add(OWNER, island.id, [making.incoming("a.txt", b"Some text.")])
    assert gate.reached.wait(PATIENCE_S)
    collections.delete(OWNER, island.id)
    gate.free.set()
    assert job.wait(PATIENCE_S)
    assert job.state in ("cancelled", "failed")
    with pytest.raises(NotThere):
        collections.get(OWNER, island.id)


def test_questions_go_before_what_is_being_indexed(collections: Collections, island: Collection) -> None:
    long = " ".join(f"Sentence {n} about {making.ENGLISH[n % 3]}" for n in range(300))
    job = collections.add(OWNER, island.id, [making.incoming("long.txt", long.encode())])
    asked = 0
    while not job.wait(0.05):
        collections.embed_query(OWNER, island.id, "Which rock?")
        asked += job.state == "running"
    assert asked > 3, "a question that waited for the whole document would have been the only one"
    assert job.state == "done"


def test_thirty_people_ask_at_once(collections: Collections, island: Collection) -> None:
    done(
        collections.add(
            OWNER, island.id, [making.incoming(f"{n}.txt", t.encode()) for n, t in enumerate(making.ENGLISH)]
        )
    )
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        vector = collections.embed_query(OWNER, island.id, making.ENGLISH[number % 3])
        ((id, _),) = collections.search_dense(OWNER, island.id, vector, limit=1)
        found[number] = collections.some_chunks(OWNER, island.id, [id])[id].text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert found == {number: making.ENGLISH[number % 3] for number in range(30)}


def test_another_owners_collection_is_not_there(collections: Collections, island: Collection) -> None:
    done(collections.add(OWNER, island.id, [making.incoming("a.txt", b"Some text.")]))
    (document,) = collections.documents(OWNER, island.id)
    vector = np.zeros(384, dtype=np.float32)
    for call in (
        lambda: collections.get("ben", island.id),
        lambda: collections.chunks("ben", island.id),
        lambda: collections.vectors("ben", island.id),
        lambda: collections.search_dense("ben", island.id, vector, limit=1),
        lambda: collections.embed_query("ben", island.id, "?"),
        lambda: collections.version("ben", island.id),
        lambda: collections.original("ben", island.id, document.id),
        lambda: collections.extracted("ben", island.id, document.id),
        lambda: collections.add("ben", island.id, [making.incoming("b.txt", b"b")]),
        lambda: collections.remove("ben", island.id, [document.id]),
        lambda: collections.delete("ben", island.id),
        lambda: collections.resume("ben", island.id),
        lambda: collections.retry("ben", island.id, document.id),
    ):
        with pytest.raises(NotThere):
            call()
    assert collections.list("ben") == []
    assert texts(collections, island) == ["Some text."]


def test_the_file_is_kept_as_it_came_and_goes_with_its_document(collections: Collections, island: Collection) -> None:
    done(collections.add(OWNER, island.id, [making.incoming("../../etc/a.txt", b"Some text.")]))
    (document,) = collections.documents(OWNER, island.id)
    path = collections.original(OWNER, island.id, document.id)
    assert (document.name, path.read_bytes(), path.name) == ("etc/a.txt", b"Some text.", document.hash)
    collections.remove(OWNER, island.id, [document.id])
    assert not path.exists()


def test_half_a_gigabyte_is_a_row_that_says_so_and_is_not_kept(
    collections: Collections, island: Collection, tmp_path: Path
) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(500_000_000)
    files = [Incoming("large.csv", path=large), making.incoming("small.txt", b"A small one.")]
    assert done(collections.add(OWNER, island.id, files)).ready == 1
    failed, ready = collections.documents(OWNER, island.id)
    assert ((failed.error or {})["error"], failed.size, ready.status) == ("DocumentTooLarge", 500_000_000, "ready")
    with pytest.raises(NotThere):
        collections.original(OWNER, island.id, failed.id)


def test_a_folder_is_its_files_by_their_names_from_there(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("outside")
    folder = tmp_path / "folder"
    (folder / "sub" / "été").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("a.txt", "sub/été/b.txt", ".hidden", ".git/config"):
        (folder / name).write_text("x")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert [one.name for one in found(folder)] == ["a.txt", "sub/été/b.txt"]
    with pytest.raises(DocumentUnreadable):
        found(tmp_path / "nothing")


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.rag.files.MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text("x")
    with pytest.raises(TooManyFiles):
        found(tmp_path)


def test_an_empty_collection_answers_with_nothing(collections: Collections, island: Collection) -> None:
    assert collections.search_dense(OWNER, island.id, np.zeros(384, dtype=np.float32), limit=5) == []
    assert (collections.chunks(OWNER, island.id), collections.vectors(OWNER, island.id)[0]) == ([], [])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\Users\\ana\\notes.txt", "C:/Users/ana/notes.txt"),
        ("a\0b\n.txt", "ab.txt"),
        ("\u202etxt.exe", "txt.exe"),
        ("👩‍🔬 été.pdf", "👩‍🔬 été.pdf"),
        ("...", "..."),
        ("", "?"),
        ("..", "?"),
    ],
)
def test_names_are_shown_without_harm(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_name_of_300_characters_keeps_its_end() -> None:
    assert shown_name("é" * 300 + ".pdf").endswith("é….pdf")
    assert len(shown_name("é" * 300 + ".pdf")) == LONGEST_NAME
