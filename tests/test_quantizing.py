"""Orders of files: named after their source, one job after the other, in the line of whatever is measured."""

from __future__ import annotations

from pathlib import Path

import llama_cpp.llama_cpp as llama
import pytest

from core import quantizing
from core.errors import SettingInvalid
from core.gguf import reader, recipes
from core.jobs import Jobs
from core.models.in_turn import Turns
from core.quantizing import Options
from tests.gguf.making import tiny


def test_every_type_that_llama_cpp_offers_is_there() -> None:
    theirs = {
        name.removeprefix("LLAMA_FTYPE_").removeprefix("MOSTLY_").removeprefix("ALL_"): number
        for name, number in vars(llama).items()
        if name.startswith("LLAMA_FTYPE_")
    }
    # no recipe of llama.cpp's makes NVFP4; GUESSED is no type
    expected = {name: number for name, number in theirs.items() if name not in ("NVFP4", "GUESSED")}
    assert {name: recipe.id for name, recipe in recipes.RECIPES.items()} == expected
    bits = [recipe.base.bits_per_weight for recipe in recipes.RECIPES.values() if recipe.family == "k"]
    assert bits == sorted(bits, reverse=True)


def test_files_of_other_programs_get_a_name(tmp_path: Path) -> None:
    blob = tmp_path / ("sha256-" + "ab" * 32)
    tiny(blob)
    (order,) = quantizing.orders(reader.read(blob), tmp_path / "out", ["q8_0"], Options())
    assert (order.source, order.target, order.type) == (blob, tmp_path / "out" / "Tiny.Q8_0.gguf", "Q8_0")
    named = tiny(tmp_path / "Mine-F16.gguf")
    made = quantizing.orders(reader.read(named), tmp_path, ["Q4_K", "Q4_K_M", "Q8_0"], Options())
    assert [order.target.name for order in made] == ["Mine.Q4_K_M.gguf", "Mine.Q8_0.gguf"]
    with pytest.raises(SettingInvalid):
        quantizing.orders(reader.read(named), tmp_path, ["Q9"], Options())


def test_jobs_stand_in_line_and_one_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    gguf = reader.read(tiny(tmp_path / "a.gguf", width=256, seed=1))
    jobs, turns = Jobs(), Turns()
    wanted = quantizing.orders(gguf, tmp_path / "out", ["Q8_0", "IQ1_S", "Q4_0"], Options())
    measuring = turns.take()
    begun = quantizing.start(jobs, turns, "me", wanted)
    assert not begun[0].wait(0.3) and not (tmp_path / "out").exists()
    measuring.release()
    assert all(job.wait(30) for job in begun)
    assert [job.state for job in begun] == ["done", "failed", "done"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.Q4_0.gguf", "a.Q8_0.gguf"]
    assert turns.take().position == 0
    jobs.close()
