"""GGUF files on this machine: found, left out, checked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ModelFileInvalid, ModelNotFound
from core.models.local import files
from core.settings import Settings
from tests.gguf.making import Raw, string, strings, tiny


def found(home: Path, *folders: Path) -> list[str]:
    """Names of what is found, folders of the data folder left out."""
    return [path.name for path in files.find(Settings(home=home, model_folders=folders))]


def test_embedded_model_is_found_without_importing_its_package() -> None:
    program = """
import sys
from core.models.local import files
assert files.embedded().name == files.EMBEDDED_FILE
print([name for name in sys.modules if name.startswith(("llm", "llama_cpp", "streamlit"))])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_embedded_model_passes_every_check(smollm: Path) -> None:
    assert files.checked(smollm).quantization == "Q4_1"
    assert files.checked(str(smollm)).path == smollm


def test_embedded_model_with_one_bit_changed_is_refused(
    smollm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "package" / files.EMBEDDED_FILE
    copy.parent.mkdir()
    (copy.parent / "__init__.py").write_text("raise RuntimeError('not to be imported')")
    shutil.copyfile(smollm, copy)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(files, "_EMBEDDED_PACKAGE", "package")
    files.embedded.cache_clear()
    try:
        assert files.embedded() == copy
        assert files.checked(copy).quantization == "Q4_1"
        with copy.open("r+b") as file:
            file.seek(-1000, os.SEEK_END)
            byte = file.read(1)
            file.seek(-1000, os.SEEK_END)
            file.write(bytes([byte[0] ^ 1]))
        os.utime(copy, (1, 1))
        with pytest.raises(ModelFileInvalid, match="checksum"):
            files.checked(copy)
    finally:
        files.embedded.cache_clear()


def test_typed_paths_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny(tmp_path / "tiny.gguf")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.gguf").symlink_to("tiny.gguf")
    for typed in ("~/tiny.gguf", "tiny.gguf", "./x/../tiny.gguf", str(tmp_path / "tiny.gguf")):
        assert files.checked(typed).path == tmp_path / "tiny.gguf"
    assert files.checked("link.gguf").path == tmp_path / "link.gguf"
    for typed in ("", "  ", "no.gguf", "~nobody-of-this-name/x.gguf", "a\0b"):
        with pytest.raises(ModelNotFound):
            files.checked(typed)
    with pytest.raises(ModelFileInvalid, match="folder"):
        files.checked(tmp_path)


def test_parts_of_a_split_model_are_found_beside_the_link(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    for number in (0, 1):
        blob = tiny(tmp_path / "blobs" / f"{number}", split=(number, 2))
        (tmp_path / "snapshot" / f"m-0000{number + 1}-of-00002.gguf").symlink_to(blob)
    assert len(files.checked(tmp_path / "snapshot" / "m-00001-of-00002.gguf").parts) == 1


def test_vocabulary_with_a_token_twice_is_refused(tmp_path: Path) -> None:
    pairs = [string("tokenizer.ggml.model", "gpt2"), strings("tokenizer.ggml.tokens", ["a", "a"])]
    with pytest.raises(ModelFileInvalid, match="same token twice"):
        files.checked(Raw(pairs=pairs).write(tmp_path / "twice.gguf"))


def test_models_are_found_in_all_folders_in_order(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    for path in (home / "models/b.gguf", home / "models/a/z.gguf", other / "A.GGUF", other / "deep/er/c.gguf"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"GGUF")
    assert found(home, other) == ["b.gguf", "z.gguf", "A.GGUF", "c.gguf"]


def test_what_is_no_model_is_left_out(tmp_path: Path) -> None:
    for name in (
        "model.gguf.part",
        "notes.txt",
        "gguf",
        "mmproj-model-f16.gguf",
        "big-00002-of-00003.gguf",
        "big-00001-of-00003.gguf",
        "year-00002-of-all.gguf",
    ):
        (tmp_path / name).write_bytes(b"GGUF")
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "gone.gguf").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.gguf")
    assert found(tmp_path / "home", tmp_path) == ["big-00001-of-00003.gguf", "year-00002-of-all.gguf"]


def test_links_lead_nowhere_twice(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    (tmp_path / "same.gguf").symlink_to("m.gguf")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "sub" / "self").symlink_to("self")
    assert found(tmp_path / "home", tmp_path, tmp_path / "sub" / "up", tmp_path / "missing") == ["m.gguf"]


def test_folders_are_followed_six_deep(tmp_path: Path) -> None:
    folder = tmp_path
    for depth in range(9):
        (folder / f"{depth}.gguf").write_bytes(b"GGUF")
        folder = folder / "below"
        folder.mkdir()
    assert found(tmp_path / "home", tmp_path) == [f"{depth}.gguf" for depth in range(files.MAX_DEPTH + 1)]


def test_no_more_than_two_thousand_are_listed(tmp_path: Path) -> None:
    for number in range(files.MAX_FILES + 50):
        (tmp_path / f"{number}.gguf").touch()
    assert len(found(tmp_path / "home", tmp_path)) == files.MAX_FILES
