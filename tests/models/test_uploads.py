"""A file from the browser is checked, then kept under a harmless name; nothing else is written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.errors import ModelFileInvalid, TargetExists, TargetUnwritable
from core.gguf import reader
from core.models.local import uploads
from tests.gguf.making import tiny


def test_a_sound_file_is_kept(tmp_path: Path) -> None:
    data = tiny(tmp_path / "made.gguf").read_bytes()
    path = uploads.receive(tmp_path / "models", "C:\\models\\My model.gguf", io.BytesIO(data))
    assert path == tmp_path / "models" / "My-model.gguf" and path.read_bytes() == data
    assert reader.read(path).name == "Tiny"
    with pytest.raises(TargetExists):
        uploads.receive(tmp_path / "models", "My model.gguf", io.BytesIO(data))


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<!doctype html>", b"GGUF\3\0\0\0" + b"\xff" * 40])
def test_another_file_is_not(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelFileInvalid, match=r"model\.gguf"):
        uploads.receive(tmp_path / "models", "model.gguf", io.BytesIO(content))
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.gguf"),
        ("/abs/olute.gguf", "olute.gguf"),
        ("...gguf", "gguf.gguf"),
        (".gguf", "gguf.gguf"),
        ("", "model.gguf"),
        ("a b\n\0c.gguf", "a-b-c.gguf"),
        ("é" * 500, "é" * 120 + ".gguf"),
    ],
)
def test_names_lead_nowhere_else(name: str, kept: str) -> None:
    assert uploads.safe_name(name) == kept


def test_a_folder_that_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetUnwritable):
        uploads.receive(tmp_path / "file", "a.gguf", io.BytesIO(b""))
