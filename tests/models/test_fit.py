"""Whether a model fits the memory, before it is loaded: the same sums that the shelf refuses by."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.errors import ModelFileInvalid, ModelNotFound, ModelTooLarge
from core.gguf import reader
from core.models.base import ModelInfo
from core.models.local.fit import fit
from core.models.local.model_settings import ModelSettings, memory_needed
from core.models.local.shelf import Shelf
from tests.gguf.making import tiny

PLENTY = 10**12


def info(path: Path) -> ModelInfo:
    return ModelInfo(id=str(path), name="it", provider="local", local=True)


@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(),
        ModelSettings(context_length=512, kv_type="q4_0"),
        ModelSettings(batch_size=512, flash_attention="on", parallel=1),
    ],
)
def test_what_is_needed_and_the_longest_context_that_has_it(smollm: Path, settings: ModelSettings) -> None:
    found = fit(smollm, settings, budget=PLENTY)
    assert found.needed == memory_needed(reader.read(smollm), settings)
    assert (found.trained_context, found.default_context, found.longest_context) == (8192, 4096, 8192)
    assert found.layers == 30 and found.fits
    shorter = fit(smollm, msgspec.structs.replace(settings, context_length=3072), budget=PLENTY)
    tight = fit(smollm, settings, budget=shorter.needed.total)
    assert tight.longest_context == 3072
    assert not fit(smollm, msgspec.structs.replace(settings, context_length=8192), budget=tight.budget).fits


def test_where_nothing_fits_the_shelf_refuses_too(smollm: Path) -> None:
    found = fit(smollm, ModelSettings(), budget=50_000_000)
    assert not found.fits and found.longest_context == 0
    with pytest.raises(ModelTooLarge):
        Shelf(budget_bytes=50_000_000).model(info(smollm), smollm).engine()


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tiny(tmp_path / "model.gguf")
    assert fit(path, ModelSettings(), budget=PLENTY).trained_context == 128
    path.write_bytes(b"GGUF, no more")
    with pytest.raises(ModelFileInvalid):
        fit(path, ModelSettings(), budget=PLENTY)
    path.unlink()
    with pytest.raises(ModelNotFound):
        fit(path, ModelSettings(), budget=PLENTY)
