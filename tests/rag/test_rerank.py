from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import RerankerUnusable
from core.rag.rerank import CrossEncoder
from core.rag.retrieve import Options
from tests.rag.corpora import searcher

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "bees",
    "flowers",
    "where",
    "do",
    "find",
    "dance",
    "lava",
    "basalt",
    "the",
    "are",
    "violin",
    "strings",
]
QUESTION = "where do bees find flowers"
ROOT = Path(__file__).parents[2]
TEXTS = ("bees dance", "lava basalt lava basalt lava", "the violin strings are the")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real cross-encoder of a few thousand weights, made here."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    made = tmp_path_factory.mktemp("cross-encoder")
    (made / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab_file=str(made / "vocab.txt")).save_pretrained(made)
    torch.manual_seed(8)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=1,
        initializer_range=0.3,
        max_position_embeddings=64,
    )
    BertForSequenceClassification(config).save_pretrained(made)
    yield made


@pytest.fixture(scope="module")
def reranker(folder: Path) -> Iterator[CrossEncoder]:
    opened = CrossEncoder(folder)
    yield opened
    opened.close()


def test_scores_are_the_models_own(folder: Path, reranker: CrossEncoder) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    pairs = tokenizer([QUESTION] * len(TEXTS), list(TEXTS), padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**pairs).logits[:, 0]
    ours = reranker.scores(QUESTION, TEXTS)
    assert ours.shape == (3,)
    assert ours.tolist() == pytest.approx(torch.sigmoid(logits).tolist(), abs=1e-4)
    assert max(ours) - min(ours) > 0.001  # it does tell passages apart
    assert reranker.scores(QUESTION, ()).shape == (0,)


def test_a_search_is_ordered_by_it(reranker: CrossEncoder) -> None:
    hits = searcher().search(QUESTION, Options(limit=5), reranker=reranker)
    again = reranker.scores(QUESTION, [hit.chunk.text for hit in hits])
    assert [hit.score for hit in hits] == pytest.approx(sorted(again.tolist(), reverse=True), abs=1e-4)
    assert [hit.ranks["rerank"] for hit in hits] == [1, 2, 3, 4, 5]


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RerankerUnusable):
        CrossEncoder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    empty = CrossEncoder(tmp_path)
    with pytest.raises(RerankerUnusable):
        empty.scores(QUESTION, TEXTS)
    empty.close()


def test_it_runs_in_a_process_of_its_own(folder: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from core.rag.rerank import CrossEncoder\n"
        "print(len(CrossEncoder(pathlib.Path(sys.argv[1])).scores('bees', ['lava', 'dance'])), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "False"]
