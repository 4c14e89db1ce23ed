"""Every model within reach: listed, found by id or path, damaged ones told apart."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from core.errors import ModelFileInvalid, ModelNotFound
from core.models.base import ModelInfo
from core.models.catalog import EMBEDDED_ID, Catalog
from core.settings import Settings
from tests.gguf.making import Raw, string, tiny, u32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home")
    settings.models.mkdir(parents=True)
    return settings


def test_embedded_model_is_there_without_any_file(settings: Settings, smollm: Path) -> None:
    catalog = Catalog(settings)
    (info,) = catalog.models()
    assert info == ModelInfo(
        id="smollm2-135m",
        name="SmolLM2-135M-Instruct",
        provider="local",
        local=True,
        context_length=8192,
        size_bytes=smollm.stat().st_size,
        quantization="Q4_1",
        parameters=134_515_008,
        licence="apache-2.0",
    )
    assert catalog.get(None) == catalog.get(EMBEDDED_ID) == catalog.get(str(smollm)) == info
    assert catalog.path(info) == smollm
    assert catalog.damaged() == []


def test_embedded_model_is_listed_once(tmp_path: Path, smollm: Path) -> None:
    (tmp_path / "link.gguf").symlink_to(smollm)
    catalog = Catalog(Settings(home=tmp_path / "home", model_folders=(smollm.parent, tmp_path)))
    assert [info.id for info in catalog.models()] == [EMBEDDED_ID]


def test_files_of_the_folders_follow(settings: Settings) -> None:
    path = tiny(settings.models / "tiny.gguf")
    catalog = Catalog(settings)
    first, second = catalog.models()
    assert first.id == EMBEDDED_ID
    assert (second.id, second.name, second.quantization) == (str(path), "Tiny", "F32")
    assert (second.context_length, second.size_bytes) == (128, path.stat().st_size)
    assert catalog.get(second.id) == second
    assert catalog.path(second) == path


def test_path_outside_the_folders_is_an_id(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny(tmp_path / "elsewhere.gguf")
    catalog = Catalog(settings)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for typed in (str(path), "elsewhere.gguf", "~/elsewhere.gguf"):
        assert catalog.get(typed).id == str(path)
    assert len(catalog.models()) == 1


@pytest.mark.parametrize("typed", ["gpt-5", "", "/no/such/file.gguf", "a\0b", "\ud800"])
def test_unknown_id_is_named_in_the_error(settings: Settings, typed: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        Catalog(settings).get(typed)
    assert caught.value.values["model"] in (typed, "''", "?")
    assert caught.value.advice()


def test_damaged_file_is_told_apart(settings: Settings) -> None:
    tiny(settings.models / "good.gguf")
    bad = tiny(settings.models / "bad.gguf")
    os.truncate(bad, bad.stat().st_size - 2000)
    (settings.models / "empty.gguf").touch()
    catalog = Catalog(settings)
    assert [info.name for info in catalog.models()] == ["SmolLM2-135M-Instruct", "Tiny"]
    damaged = catalog.damaged()
    assert [path.name for path, _ in damaged] == ["bad.gguf", "empty.gguf"]
    assert all(isinstance(error, ModelFileInvalid) for _, error in damaged)
    with pytest.raises(ModelFileInvalid, match=r"bad\.gguf is not a usable GGUF file"):
        catalog.get(str(bad))


def test_what_writes_no_text_is_neither_listed_nor_damaged(settings: Settings) -> None:
    pairs = [string("general.architecture", "clip"), string("general.type", "mmproj")]
    Raw(pairs=pairs).write(settings.models / "vision.gguf")
    catalog = Catalog(settings)
    assert len(catalog.models()) == 1
    assert catalog.damaged() == []


def test_changed_file_is_read_again(settings: Settings) -> None:
    path = settings.models / "changing.gguf"
    path.write_bytes(b"GGUF")
    catalog = Catalog(settings)
    with pytest.raises(ModelFileInvalid):
        catalog.get(str(path))
    tiny(path)
    assert catalog.get(str(path)).name == "Tiny"
    path.unlink()
    assert len(catalog.models()) == 1
    with pytest.raises(ModelNotFound):
        catalog.get(str(path))


def test_names_from_a_file_are_one_short_line(settings: Settings) -> None:
    pairs = [
        string("general.architecture", "llama"),
        u32("llama.block_count", 1),
        string("general.name", "A\nname\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 1000),
    ]
    Raw(pairs=pairs).write(settings.models / "odd.gguf")
    name = Catalog(settings).models()[1].name
    assert name.startswith("A name [31m x") and len(name) == 120


def test_model_without_a_name_is_called_after_its_file(settings: Settings) -> None:
    pairs = [string("general.architecture", "llama"), u32("llama.block_count", 1)]
    Raw(pairs=pairs).write(settings.models / "nameless-Q4_0.gguf")
    assert Catalog(settings).models()[1].name == "nameless-Q4_0"


def test_many_threads_see_the_same(settings: Settings) -> None:
    for number in range(8):
        tiny(settings.models / f"{number}.gguf")
    (settings.models / "bad.gguf").touch()
    catalog = Catalog(settings)
    seen: list[tuple[list[ModelInfo], list[Path]]] = []

    def look() -> None:
        for _ in range(5):
            seen.append((catalog.models(), [path for path, _ in catalog.damaged()]))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 40
    assert all(look == seen[0] for look in seen)
    assert len(seen[0][0]) == 9
