"""Every model within reach, as `ModelInfo`: the embedded one, and the GGUF files of this machine.

Headers are read once and again only when a file's size or date changes; nothing is loaded. Thread-safe.
"""

from __future__ import annotations

import threading
from pathlib import Path

from core.errors import ModelNotFound, WorkbenchError
from core.gguf import reader
from core.gguf.reader import GGUF
from core.models.base import ModelInfo
from core.models.local import files
from core.settings import Settings

EMBEDDED_ID = "smollm2-135m"
EMBEDDED_NAME = "SmolLM2-135M-Instruct"
LOCAL_PROVIDER = "local"

_Key = tuple[int, int]
_Entry = tuple[ModelInfo, bool] | WorkbenchError
"""A model and whether it writes text, or what is wrong with its file."""


class Catalog:
    """What can be asked here. A model's id is its file's absolute path; the embedded one's is `EMBEDDED_ID`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[_Key, _Entry]] = {}

    def models(self) -> list[ModelInfo]:
        """The models that write text, the embedded one first."""
        entries = (self._entry(path) for path in self._paths())
        return [entry[0] for entry in entries if isinstance(entry, tuple) and entry[1]]

    def damaged(self) -> list[tuple[Path, WorkbenchError]]:
        """The files that look like models and cannot be used, each with the reason."""
        entries = [(path, self._entry(path)) for path in self._paths()]
        return [(path, entry) for path, entry in entries if isinstance(entry, WorkbenchError)]

    def get(self, model_id: str | None) -> ModelInfo:
        """The model of this id, or the GGUF file at this path, wherever it is; None is the embedded one.

        Raises `ModelNotFound` or `ModelFileInvalid`.
        """
        entry = self._entry(self._located(model_id))
        if isinstance(entry, ModelNotFound):
            raise ModelNotFound(model=(model_id or EMBEDDED_ID).encode("utf-8", errors="replace").decode("utf-8"))
        if isinstance(entry, WorkbenchError):
            raise _bare(entry)
        return entry[0]

    def path(self, info: ModelInfo) -> Path:
        """The file of a local model. Raises `ModelNotFound`."""
        return self._located(info.id)

    def _paths(self) -> list[Path]:
        own = files.embedded()
        found = [path for path in files.find(self._settings) if not files.is_embedded(path)]
        return [own, *found] if own else found

    def _located(self, model_id: str | None) -> Path:
        if model_id is not None and model_id != EMBEDDED_ID:
            return files.located(model_id)
        own = files.embedded()
        if own is None:
            raise ModelNotFound(model=EMBEDDED_ID)
        return own

    def _entry(self, path: Path) -> _Entry:
        try:
            status = path.stat()
        except (OSError, ValueError):
            return _read(path)
        key = (status.st_size, status.st_mtime_ns)
        with self._lock:
            kept = self._read.get(path)
            if kept and kept[0] == key:
                return kept[1]
            entry = _read(path)
            self._read[path] = (key, entry)
            return entry


def _read(path: Path) -> _Entry:
    try:
        gguf = reader.read(path)
    except WorkbenchError as error:
        return _bare(error)
    return _info(gguf), gguf.generates


def _bare(error: WorkbenchError) -> WorkbenchError:
    """The same error without traceback and cause, which would keep what was read alive as long as the error is kept."""
    return type(error)(**error.values)


def _info(gguf: GGUF) -> ModelInfo:
    own = files.is_embedded(gguf.path)
    return ModelInfo(
        id=EMBEDDED_ID if own else str(gguf.path),
        name=EMBEDDED_NAME if own else _line(gguf.name) or gguf.path.stem,
        provider=LOCAL_PROVIDER,
        local=True,
        context_length=gguf.context_length,
        size_bytes=gguf.total_size,
        quantization=gguf.quantization,
        parameters=gguf.parameters,
        licence=_line(gguf.licence),
    )


def _line(text: str | None) -> str | None:
    """A text from a file as one printable line of at most 120 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return line[:120] or None
