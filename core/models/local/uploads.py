"""A GGUF file that comes through the browser: checked, then kept in the model folder under a name that does no harm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from core.errors import ModelFileInvalid, TargetUnwritable
from core.gguf import landing, reader

CHUNK = 1 << 20


def receive(folder: Path, name: str, file: BinaryIO) -> Path:
    """Where it is kept now. Raises `ModelFileInvalid`, `TargetExists` or `TargetUnwritable`."""
    target = folder / safe_name(name)
    with landing.landing(target) as part:
        try:
            with part.open("wb") as out:
                while data := file.read(CHUNK):
                    out.write(data)
        except OSError as error:
            raise TargetUnwritable(folder=str(folder), detail=error.strerror or "it cannot be used") from error
        try:
            reader.check_tokens(reader.read_one(part))
        except ModelFileInvalid as error:
            raise ModelFileInvalid(model=target.name, detail=error.values["detail"]) from error
        landing.keep(part, target)
    return target


def safe_name(name: str) -> str:
    """The last part of a name, of letters, digits and . _ - only, ending in .gguf."""
    bare = re.sub(r"[^\w.-]+", "-", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(".-")
    return f"{(bare.removesuffix('.gguf') or 'model')[:120]}.gguf"
