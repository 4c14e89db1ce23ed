"""Models of other programs are found where those keep them, and nothing that they say leads out of their folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.gguf import reader
from core.models.local import elsewhere
from tests.gguf.making import tiny

DIGEST = "ab" * 32


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return tiny(path)


def manifest(folder: Path, name: str, digest: str = f"sha256:{DIGEST}", kind: str = "model") -> None:
    path = folder / "manifests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    layers = [
        {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:" + "0" * 64},
        {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": 3},
    ]
    path.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))


def found(home: Path, **environ: str) -> list[tuple[str, str]]:
    return [(one.program, one.name) for one in elsewhere.find({"HOME": str(home)} | environ, system="linux")]


def test_each_program_is_found_where_it_keeps_its_models(tmp_path: Path) -> None:
    put(tmp_path / ".lmstudio" / "models" / "google" / "gemma" / "gemma.gguf")
    put(tmp_path / ".lmstudio" / "models" / "google" / "gemma" / "mmproj-gemma.gguf")
    put(tmp_path / ".local" / "share" / "nomic.ai" / "GPT4All" / "orca.gguf")
    put(tmp_path / ".config" / "Jan" / "data" / "llamacpp" / "models" / "qwen" / "model.gguf")
    put(tmp_path / ".cache" / "llama.cpp" / "phi.gguf")
    put(tmp_path / ".ollama" / "models" / "blobs" / f"sha256-{DIGEST}")
    manifest(tmp_path / ".ollama" / "models", "registry.ollama.ai/library/qwen3/8b")
    hub = tmp_path / ".cache" / "huggingface" / "hub" / "models--unsloth--phi-4-GGUF"
    blob = put(hub / "blobs" / "1234")
    for revision in ("aaaa", "bbbb"):
        link = hub / "snapshots" / revision / "phi-4-Q4_K_M.gguf"
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
    assert found(tmp_path) == [
        ("LM Studio", "gemma.gguf"),
        ("Ollama", "qwen3:8b"),
        ("Jan", "model.gguf"),
        ("GPT4All", "orca.gguf"),
        ("llama.cpp", "phi.gguf"),
        ("Hugging Face", "phi-4-Q4_K_M.gguf"),
    ]


def test_folders_are_moved_by_the_programs_own_variables(tmp_path: Path) -> None:
    put(tmp_path / "hub" / "a.gguf")
    put(tmp_path / "other" / "hub" / "b.gguf")
    put(tmp_path / "studio" / "c.gguf")
    put(tmp_path / ".lmstudio" / "models" / "hidden.gguf")
    assert found(
        tmp_path, HF_HUB_CACHE=str(tmp_path / "hub"), WORKBENCH_LM_STUDIO=str(tmp_path / "studio"), HF_HOME="ignored"
    ) == [("LM Studio", "c.gguf"), ("Hugging Face", "a.gguf")]
    assert ("Hugging Face", "b.gguf") in found(tmp_path, HF_HOME=str(tmp_path / "other"))


def test_an_ollama_model_is_read_through_its_manifest(tmp_path: Path) -> None:
    put(tmp_path / "blobs" / f"sha256-{DIGEST}")
    manifest(tmp_path, "hf.co/unsloth/phi-4/Q4_K_M")
    manifest(tmp_path, "registry.ollama.ai/library/phi4/latest")  # the same file by another name
    (one,) = elsewhere.find({"OLLAMA_MODELS": str(tmp_path), "HOME": str(tmp_path / "none")})
    assert one.name == "unsloth/phi-4:Q4_K_M"
    assert reader.read(one.path).name == "Tiny"


@pytest.mark.parametrize("digest", ["sha256:../../secret", "sha256:" + "g" * 64, "md5:1", "sha256:" + "cd" * 32, ""])
def test_a_manifest_leads_to_nothing_but_a_blob(tmp_path: Path, digest: str) -> None:
    put(tmp_path / "blobs" / f"sha256-{DIGEST}")
    put(tmp_path / "secret")
    manifest(tmp_path, "registry.ollama.ai/library/phi4/latest", digest)
    assert elsewhere.find({"OLLAMA_MODELS": str(tmp_path), "HOME": str(tmp_path / "none")}) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"layers": 3}', b'{"layers": [{"digest": 1}]}', b"\xff" * 99])
def test_a_damaged_manifest_is_passed_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "manifests" / "r" / "library" / "m" / "t"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert elsewhere.find({"OLLAMA_MODELS": str(tmp_path), "HOME": str(tmp_path / "none")}) == []


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("darwin", "Library/Application Support/nomic.ai/GPT4All"),
        ("win32", "AppData/Local/nomic.ai/GPT4All"),
        ("linux", ".local/share/nomic.ai/GPT4All"),
    ],
)
def test_folders_of_each_system(tmp_path: Path, system: str, folder: str) -> None:
    put(tmp_path / folder / "orca.gguf")
    assert [one.name for one in elsewhere.find({"HOME": str(tmp_path)}, system=system)] == ["orca.gguf"]


def test_what_cannot_be_entered_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".lmstudio").mkdir()
    (tmp_path / ".lmstudio" / "models").symlink_to(tmp_path / ".lmstudio")
    (tmp_path / ".ollama").write_bytes(b"")
    os.mkfifo(tmp_path / ".lmstudio" / "pipe.gguf")
    assert found(tmp_path) == []
