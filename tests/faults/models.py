"""Models to break, and words to ask them with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import gguf
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

from core.events import Event, Text
from core.models.base import ModelInfo
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf
from tests.asking import request, text

SMALL = ModelSettings(context_length=256, parallel=2, threads=1)
SHORT = request("a b", max_tokens=3, ignore_end=True)
ENDLESS = request("a b", max_tokens=1_000_000, ignore_end=True, overflow="rolling")


def model(shelf: Shelf, path: Path, settings: ModelSettings = SMALL) -> LocalModel:
    """The model of a file that nobody has looked into yet."""
    info = ModelInfo(id=str(path), name=path.name, provider="local", local=True)
    return shelf.model(info, path, settings)


def answers(model: LocalModel) -> bool:
    """Whether a plain question is answered."""
    return bool(text(model.stream(SHORT)))


def begun(events: Iterable[Event]) -> Iterator[Event]:
    """The same stream, once its first text has come."""
    stream = iter(events)
    while not isinstance(next(stream), Text):
        pass
    return stream


def with_template(source: Path, path: Path, template: str) -> Path:
    """A copy of a GGUF file with another chat template."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    key = gguf.Keys.Tokenizer.CHAT_TEMPLATE
    changed = {key: MetadataDetails(gguf.GGUFValueType.STRING, template)}
    copy_with_new_metadata(reader, gguf.GGUFWriter(path, architecture), changed, [])
    return path
