from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import QuestionSetUnreadable
from core.rag.question_sets import Expected, Places, Question, beir, from_file, to_jsonl
from tests.rag.corpora import ENGLISH, chunk, chunks


def write_beir(
    folder: Path, corpus: dict[str, str], queries: dict[str, str], qrels: list[tuple[str, str, int]]
) -> Path:
    """A folder in the form of BEIR."""
    (folder / "qrels").mkdir(parents=True)
    lines = [json.dumps({"_id": id, "title": "", "text": text}, ensure_ascii=False) for id, text in corpus.items()]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    asked = [json.dumps({"_id": id, "text": text}, ensure_ascii=False) for id, text in queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(asked) + "\n", "utf-8")
    rows = ["query-id\tcorpus-id\tscore", *(f"{q}\t{d}\t{grade}" for q, d, grade in qrels)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def test_csv_in_either_language_and_with_either_separator() -> None:
    english = from_file("q.csv", b'question,document,page,answer\nWhere?,a.pdf,3,"Here, there"\n')
    french = from_file("q.csv", "Question;Fichier;Page;Réponse\nOù ?;a.pdf;3;Ici\n".encode("cp1252"))
    place = Expected(document="a.pdf", page=3)
    assert english == (Question(id="1", text="Where?", expected=(place,), answer="Here, there"),)
    assert french == (Question(id="1", text="Où ?", expected=(place,), answer="Ici"),)


def test_jsonl_is_read_as_it_is_written() -> None:
    asked = (
        Question(id="a", text="Où ?", expected=(Expected(document="x.md", passage="le pré"),), answer="Là"),
        Question(id="b", text="When?", expected=(Expected(document="y.md", page=2),)),
    )
    assert from_file("set.jsonl", to_jsonl(asked).encode()) == asked


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"question,document\n", "no question"),
        (b"question,answer\nWhere?,here\n", "names no document"),
        (b"question,document,page\nWhere?,a.pdf,three\n", "page is no number"),
        (b'{"question": "Where?"\n', "no JSON object"),
        (b"", "no question"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(QuestionSetUnreadable, match=reason):
        from_file("q.jsonl", data)


def test_a_beir_folder_is_loaded_as_it_is(tmp_path: Path) -> None:
    corpus = {str(n): text for n, text in enumerate(ENGLISH)}
    queries = {"q1": "bees", "q2": "lava", "q3": "not judged"}
    folder = write_beir(tmp_path / "set", corpus, queries, [("q1", "1", 2), ("q2", "3", 1), ("q2", "0", 0)])
    found = beir(folder)
    assert [one.text for one in found.passages] == list(ENGLISH)
    assert [(one.id, one.text) for one in found.questions] == [("q1", "bees"), ("q2", "lava")]
    assert found.questions[0].expected == (Expected(document="1", grade=2),)
    assert Places(found.passages).grades(found.questions[1]) == {"3": 1, "0": 0}


def test_trecs_own_qrels_have_a_column_more(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "set", {"1": "Bees."}, {"q": "bees"}, [("q", "1", 1)])
    (folder / "qrels" / "test.tsv").write_text("q\t0\t1\t1\n")
    assert beir(folder).questions[0].expected == (Expected(document="1"),)


def test_a_folder_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetUnreadable, match=r"corpus\.jsonl"):
        beir(tmp_path)
    folder = write_beir(tmp_path / "set", {"1": "Bees."}, {"q": "bees"}, [("other", "1", 1)])
    with pytest.raises(QuestionSetUnreadable, match="qrels"):
        beir(folder)
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\t1\tmuch\n")
    with pytest.raises(QuestionSetUnreadable, match="grade"):
        beir(folder)


def test_words_that_are_expected_are_found_in_their_passages() -> None:
    places = Places(chunks())
    said = Question(id="1", text="?", expected=(Expected(document="document-1", passage="where  flowers\nare"),))
    assert places.grades(said) == {"chunk-1": 1}


def test_words_that_were_cut_apart_are_where_their_pieces_are() -> None:
    pieces = [chunk(n, text, document="book") for n, text in enumerate(ENGLISH[:3])]
    said = Question(id="1", text="?", expected=(Expected(document="book", passage=" ".join(ENGLISH[:2])),))
    assert Places(pieces).grades(said) == {"chunk-0": 1, "chunk-1": 1}
    nowhere = Question(id="1", text="?", expected=(Expected(document="gone", page=1),))
    assert Places(pieces).grades(nowhere) == {"gone": 1}
