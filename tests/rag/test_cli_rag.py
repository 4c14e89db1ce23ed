"""`python -m core rag search|evaluate`, over a real collection and a folder in the form of BEIR."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.__main__ import main
from core.cli.local import opened_workbench
from tests.rag.corpora import ENGLISH, FRENCH
from tests.rag.shelves import filled
from tests.rag.test_question_sets import write_beir

QUERIES = {
    "q1": "Where do bees find flowers?",
    "q2": "What becomes of lava that cools quickly?",
    "q3": "How is a violin tuned?",
    "q4": "Who kneads the dough, and what gives bread its taste?",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder))
        with opened_workbench() as workbench:
            filled(workbench, "person")
        yield folder


@pytest.mark.usefixtures("home")
def test_search_gives_hits(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["rag", "search", "Encyclopaedia", QUERIES["q1"], "--json", "--limit", "2"]) == 0
    hits = json.loads(capfd.readouterr().out)["hits"]
    assert len(hits) == 2
    first = hits[0]
    assert {"document", "page", "text", "score", "ranks"} <= set(first)
    assert (first["document"], first["page"], first["text"]) == ("doc1.txt", None, ENGLISH[1])
    assert first["ranks"] == {"dense": 1, "bm25": 1, "hybrid": 1}


@pytest.mark.usefixtures("home")
def test_search_by_words_alone_and_in_one_document(capfd: pytest.CaptureFixture[str]) -> None:
    asked = ["rag", "search", "Encyclopaedia", "étoiles", "--method", "bm25", "--document", "doc10.txt", "--json"]
    assert main(asked) == 0
    hits = json.loads(capfd.readouterr().out)["hits"]
    assert [hit["text"] for hit in hits] == [FRENCH[4]]
    assert main(["rag", "search", "Encyclopaedia", "bees", "--method", "bm25"]) == 0
    assert "doc1.txt" in capfd.readouterr().out


@pytest.mark.usefixtures("home")
def test_a_collection_that_there_is_not_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["rag", "search", "Atlantis", "bees", "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["error"] == "NotThere"


@pytest.mark.usefixtures("home")
def test_a_beir_folder_is_evaluated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    corpus = {f"d{n}": text for n, text in enumerate(ENGLISH + FRENCH)}
    qrels = [("q1", "d1", 1), ("q2", "d3", 1), ("q3", "d4", 1), ("q4", "d11", 1)]
    folder = write_beir(tmp_path / "beir", corpus, QUERIES, qrels)
    assert main(["rag", "evaluate", str(folder), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["queries"] == 4
    assert {"dense", "bm25", "hybrid"} <= set(told["retrievers"])
    for measures in told["retrievers"].values():
        assert set(measures) == {"ndcg@10", "recall@5", "recall@10", "mrr"}
        assert all(0 <= value <= 1 for value in measures.values())
    assert told["retrievers"]["dense"]["ndcg@10"] > 0.7
    assert told["retrievers"]["hybrid"]["ndcg@10"] >= told["retrievers"]["bm25"]["ndcg@10"]


@pytest.mark.usefixtures("home")
def test_a_file_of_questions_is_asked_of_a_collection(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "questions.csv"
    file.write_text(f"question,document\n{QUERIES['q1']},doc1.txt\n{QUERIES['q2']},doc3.txt\n", "utf-8")
    assert main(["rag", "evaluate", str(file), "--collection", "Encyclopaedia"]) == 0
    out = capfd.readouterr().out
    assert out.splitlines()[0].split() == ["retriever", "ndcg@10", "recall@5", "recall@10", "mrr"]
    assert "hybrid" in out
    assert main(["rag", "evaluate", str(file), "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["error"] == "QuestionSetUnreadable"


@pytest.mark.model
@pytest.mark.usefixtures("home")
def test_an_answer_comes_with_what_it_was_given(capfd: pytest.CaptureFixture[str]) -> None:
    asked = ["rag", "ask", "Encyclopaedia", QUERIES["q1"], "--method", "bm25", "--limit", "2", "--temperature", "0"]
    assert main([*asked, "--max-tokens", "8", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["text"] and told["usage"]["generated_tokens"] <= 8 and told["timings"]["decode_rate"]
    first = told["passages"][0]
    assert (first["number"], first["document"], first["text"]) == (1, "doc1.txt", ENGLISH[1])
    assert told["usage"]["prompt_tokens"] > len(ENGLISH[1].split())
    assert {sentence["verdict"] for sentence in told["sentences"]} <= {"supported", "weak", "uncited", "unjudged"}
