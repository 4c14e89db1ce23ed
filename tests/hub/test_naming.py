"""What the names of files on the Hub tell, and that none leads out of the models folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.hub import naming
from core.hub.values import HubFile


@pytest.mark.parametrize(
    "name",
    [
        "../up.gguf",
        "/etc/x.gguf",
        "a/../../b.gguf",
        "C:\\x.gguf",
        "a\\b.gguf",
        "x\x00.gguf",
        "a/b/c/d/e.gguf",
        ".gguf ",
    ],
)
def test_a_name_that_leads_out_of_its_folder_is_no_file(name: str) -> None:
    assert not naming.is_safe(name) and naming.variants([HubFile(name=name, size=1)]) == ()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("llama-2-7b.Q8_0.gguf", "Q8_0"),
        ("model-iq3_xxs.gguf", "IQ3_XXS"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("BF16/big-BF16-00001-of-00003.gguf", "BF16"),
        ("tiny-fp16.gguf", "F16"),
        ("tinyllama.gguf", "tinyllama"),
    ],
)
def test_the_quantization_is_read_from_the_name(name: str, label: str) -> None:
    assert naming.label(name) == label


def test_a_set_with_a_missing_part_is_marked() -> None:
    (found,) = naming.variants([HubFile(name="m-Q8_0-00002-of-00002.gguf", size=9)])
    assert not found.complete


@settings(max_examples=300, deadline=None)
@given(name=st.text(alphabet=st.sampled_from("ab./\\:\0 -~$\n\u202e"), max_size=20))
def test_no_name_leads_out_of_the_models_folder(name: str) -> None:
    root = Path("/models/org/x")
    if naming.is_safe(name):
        place = Path(os.path.normpath(root.joinpath(*name.split("/"))))
        assert place.is_relative_to(root) and place != root and "\0" not in name
    naming.variants([HubFile(name=name + ".gguf", size=1)])
    naming.label(name)
