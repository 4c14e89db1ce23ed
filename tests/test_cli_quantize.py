"""`python -m core quantize` and what `gguf` says of a file, as a person and a program use them."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from core.gguf import quantize, reader
from tests.gguf.making import tiny
from tests.test_cli import answered, core, running

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("source") / "little.F32.gguf", layers=2, width=256, seed=1)


def test_files_are_made_and_described(source: Path, tmp_path: Path) -> None:
    said = answered("quantize", str(source), "q8_0", "Q4_K", "q4_k_m", "--out", str(tmp_path / "out"))
    assert (said["source"], said["requantized"]) == (str(source), False)
    assert [Path(one["path"]).name for one in said["made"]] == ["little.Q8_0.gguf", "little.Q4_K_M.gguf"]
    for one in said["made"]:
        made = reader.read(one["path"])
        assert (made.quantization, made.size) == (one["type"], one["size_bytes"])
        assert made.bits_per_weight == pytest.approx(one["bits_per_weight"])
        assert one["fallbacks"] == [] and one["seconds"] > 0
    again = answered_error("quantize", str(source), "q8_0", "--out", str(tmp_path / "out"))
    assert again == "TargetExists"


def answered_error(*arguments: str) -> str:
    import json

    done = core(*arguments, "--json")
    assert done.returncode == 1
    said: str = json.loads(done.stdout)["error"]
    return said


def test_a_plan_makes_nothing(smollm: Path, tmp_path: Path) -> None:
    said = answered("quantize", "smollm2-135m", "Q4_K_M", "IQ2_M", "--out", str(tmp_path / "out"), "--plan")
    assert said["requantized"] and not (tmp_path / "out").exists()
    first, second = said["made"]
    plan = quantize.plan(smollm, "Q4_K_M")
    assert (first["size_bytes"], len(first["fallbacks"])) == (plan.size_bytes, len(plan.fallbacks))
    assert first["fallbacks"][0] == {"name": "blk.0.attn_k.weight", "meant": "Q4_K", "type": "Q5_0"}
    assert (first["needs_imatrix"], second["needs_imatrix"]) == (False, True)


def test_a_person_is_warned_and_sees_a_table(tmp_path: Path) -> None:
    done = core("quantize", "smollm2-135m", "Q2_K", "--out", str(tmp_path), "--pure", "--embedding-type", "Q4_0")
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()
    assert head.split()[:2] == ["TYPE", "SIZE"] and row.split()[0] == "Q2_K"
    assert "quantized already" in done.stderr and "OTHER TYPE" in done.stderr
    made = reader.read(tmp_path / "SmolLM2-135M-Instruct.Q2_K.gguf")
    assert next(t for t in made.tensors if t.name == "token_embd.weight").type.name == "Q4_0"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("none.gguf", "Q8_0"), "ModelNotFound"),
        (("smollm2-135m", "Q9"), "SettingInvalid"),
        (("smollm2-135m", "IQ1_S"), "ImatrixNeeded"),
        (("smollm2-135m", "Q8_0", "--imatrix", "none.dat"), "ImatrixInvalid"),
    ],
)
def test_what_cannot_be_is_said(arguments: tuple[str, ...], error: str, tmp_path: Path) -> None:
    assert answered_error("quantize", *arguments, "--out", str(tmp_path / "out")) == error
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_ctrl_c_leaves_nothing_half_made(tmp_path: Path) -> None:
    large = tiny(tmp_path / "large.gguf", layers=60, width=512, seed=1)
    with running("quantize", str(large), "Q2_K", "--out", str(tmp_path / "out")) as process:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("out/.*")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_gguf_says_what_a_file_is_made_of_and_whether_it_fits(source: Path) -> None:
    said = answered("gguf", str(source))
    assert said["bits_per_weight"] == 32 and [one["type"] for one in said["types"]] == ["F32"]
    assert said["memory"]["verdict"] == "fits"
    shown = core("gguf", "smollm2-135m").stdout
    assert "5.74 bits a weight" in shown and "the longest context that fits has 8,192 tokens" in shown
