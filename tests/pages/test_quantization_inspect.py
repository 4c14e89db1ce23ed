"""Inspect as a person sees it: any file, what it is, whether it fits, and each of its parts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.gguf import look, reader
from core.models.local import room
from core.models.local.model_settings import ModelSettings
from core.workbench import Workbench
from pages.ui import resources
from tests.e2e.serving import PATIENCE_S
from tests.gguf.making import Raw, tiny
from tests.pages.looking import elsewhere, run, titles, words

__all__ = ["elsewhere"]


def page() -> None:
    from pages.quantization import inspect
    from pages.ui import resources

    inspect.show(resources.workbench(), "person")


def opened(path: Path | None = None, part: str = "memory", **address: str) -> AppTest:
    at = AppTest.from_function(page, default_timeout=PATIENCE_S)
    at.query_params.update(address | ({"file": str(path)} if path else {}))
    at.session_state["inspect-part"] = part
    return run(at)


def facts(at: AppTest) -> dict[str, str]:
    """The figures at the head."""
    protos = [one.proto for one in at.get("bidi_component")]
    (data,) = [json.loads(proto.json)[0] for proto in protos]
    return {figure["label"]: figure["value"] for figure in data["figures"]}


def test_the_embedded_model_is_there_without_a_click(workbench: Workbench, smollm: Path) -> None:
    at = opened()
    gguf = reader.read(smollm)
    assert facts(at)["Bits a weight"] == "5.74 bits a weight"
    assert facts(at)["Quantization"] == gguf.quantization and facts(at)["Context"] == "8,192\u00a0tokens"
    ram = room.machine().ram
    verdict = room.verdict(room.needed(gguf, ModelSettings(), 4096).total, ram)
    assert f"{verdict}" in words(at)
    assert titles(at)[0].startswith("Up to 8,192\u00a0tokens fit")


def test_settings_change_what_it_takes(workbench: Workbench) -> None:
    at = opened()
    before = words(at)
    at.slider(key="inspect-context-8192").set_value(8192)
    assert (after := words(run(at))) != before and "8,192" in after
    at.segmented_control(key="inspect-kv").set_value("q4_0")
    assert words(run(at)) != after


def test_every_part_is_drawn(workbench: Workbench, smollm: Path) -> None:
    gguf = reader.read(smollm)
    at = opened(part="tensors")
    assert titles(at)[0].startswith("69% of the bytes are Q4_1")
    assert len(at.dataframe[0].value) == len(gguf.tensors)
    at.text_input(key="inspect-tensor").set_value("ffn_down q4_1")
    assert len(run(at).dataframe[0].value) == 30

    at = opened(part="metadata")
    assert sum(len(one.value) for one in at.dataframe) == len(gguf.metadata)
    at.text_input(key="inspect-key").set_value("rope")
    assert [key for one in run(at).dataframe for key in one.value["key"]] == [
        "llama.rope.freq_base",
        "llama.rope.dimension_count",
    ]
    at.text_input(key="inspect-key").set_value("no such thing")
    assert "Nothing in the metadata" in words(run(at))

    at = opened(part="template")
    assert look.rendered(smollm).text.strip() in [one.value.strip() for one in at.code]


def test_a_long_list_is_read_when_it_is_opened(workbench: Workbench, smollm: Path) -> None:
    at = opened(part="metadata")
    at.session_state["inspect-lists"] = True
    at.session_state["inspect-list"] = "tokenizer.ggml.merges"
    at.session_state["inspect-list-from-tokenizer.ggml.merges"] = 48899
    shown = run(at).dataframe[-1].value
    merges = reader.array(reader.read(smollm), "tokenizer.ggml.merges")
    assert list(shown["Value"]) == list(merges[48899:])


def test_the_bench_shows_tokens_ids_and_bytes(workbench: Workbench, smollm: Path) -> None:
    at = opened(part="tokenizer")
    at.text_area(key="inspect-text").set_value("œuvre <|im_end|>")
    at.session_state["inspect-ids"] = True
    run(at)
    pieces = look.tokenize(smollm, "œuvre <|im_end|>")
    table = at.dataframe[0].value
    assert list(table["Id"]) == [piece.id for piece in pieces]
    assert list(table["Bytes"]) == [piece.data.hex(" ") for piece in pieces]
    at.toggle(key="inspect-special").set_value(True)
    assert list(run(at).dataframe[0].value["Id"])[-1] == 2
    assert "begins a text (bos)" in list(at.dataframe[1].value["What it does"])
    assert f"{look.per_word(smollm).french:.2f}" in at.table[0].value.to_string()


def test_models_are_compared_by_what_french_takes(workbench: Workbench, tmp_path: Path) -> None:
    other = workbench.settings.models / "other.gguf"
    other.parent.mkdir(parents=True, exist_ok=True)
    tiny(other)
    try:
        at = opened(part="tokenizer")
        at.multiselect(key="inspect-compare").set_value([str(other)])
        assert list(run(at).table[0].value["Model"])[1] == "Tiny"
    finally:
        other.unlink()


def test_files_of_other_programs_and_typed_paths(workbench: Workbench, elsewhere: Path, tmp_path: Path) -> None:
    elsewhere.mkdir()
    tiny(elsewhere / "theirs.gguf")
    at = opened()
    box: Any = at.selectbox(key="gguf-file")
    assert "theirs.gguf · LM Studio" in box.options
    box.set_value(str(elsewhere / "theirs.gguf"))
    assert facts(run(at))["Parameters"].endswith("million parameters")
    assert at.query_params["file"] == str(elsewhere / "theirs.gguf")
    typed = tiny(tmp_path / "typed.gguf")
    assert facts(opened(typed))["Quantization"] == "F32"


def test_what_cannot_be_read_is_said_where_one_looks(workbench: Workbench, tmp_path: Path) -> None:
    assert "There is no model at" in words(opened(tmp_path / "none.gguf"))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\3")
    assert "is not a usable GGUF file" in words(opened(broken))
    bare = Raw(pairs=[]).write(tmp_path / "bare.gguf")
    assert "nothing to estimate" in words(opened(bare))
    for part, said in (("tensors", "no tensors"), ("tokenizer", "no tokenizer"), ("template", "no chat template")):
        assert said in words(opened(bare, part))


def test_an_uploaded_file_is_kept_and_opened(workbench: Workbench, tmp_path: Path) -> None:
    data = tiny(tmp_path / "made.gguf").read_bytes()
    at = opened()
    at.file_uploader(key="gguf-upload").set_value(("my model.gguf", data, "application/octet-stream"))
    kept = workbench.settings.models / "my-model.gguf"
    try:
        assert facts(run(at))["Quantization"] == "F32"
        assert kept.read_bytes() == data and at.query_params["file"] == str(kept)
        at.file_uploader(key="gguf-upload").set_value(("bad.gguf", data[:99], "application/octet-stream"))
        assert "bad.gguf is not a usable GGUF file" in words(run(at))
    finally:
        kept.unlink(missing_ok=True)
    assert list(workbench.settings.models.glob("*")) == []


def test_where_strangers_come_in_only_what_is_offered_is_opened(
    workbench: Workbench, tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.mkdir()
    tiny(elsewhere / "theirs.gguf")
    secret = tiny(tmp_path / "secret.gguf")
    opened_to_all = dataclasses.replace(workbench.settings, owners="browser")
    monkeypatch.setattr(resources, "workbench", lambda: dataclasses.replace(workbench, settings=opened_to_all))
    at = opened(secret)
    assert facts(at)["Quantization"] == "Q4_1"  # the embedded one instead
    assert not any("theirs" in option or "secret" in option for option in at.selectbox(key="gguf-file").options)
    assert at.get("file_uploader") == []


def test_in_french(workbench: Workbench) -> None:
    at = opened(lang="fr")
    assert facts(at)["Bits par poids"] == "5,74 bits par poids"
    assert "tient" in words(at) and any("8\u202f192\u202ftokens" in title for title in titles(at))
