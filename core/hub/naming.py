"""What the names of files on the Hub tell: the quantization, parts of a split model, what is no model. Pure.

A name is a stranger's: one that could lead out of the folder it is put into is taken for none at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.hub.values import HubFile, Kind, Variant

MAX_DEPTH = 3
"""Folders of a repository that a file may lie in: with two for the repository itself, models are found there."""

MAX_PARTS = 1024

_REPOSITORY = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)
_LABEL = re.compile(
    r"(?<![A-Za-z0-9])((?:UD-)?(?:I?Q\d+(?:_[A-Z0-9]+)*|TQ\d_\d|MXFP4(?:_MOE)?|NVFP4|BF16|F?P?16|FP?32|F64))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')


def is_repository(id: str) -> bool:
    """Whether this can be the name of a repository: OWNER/NAME."""
    return _REPOSITORY.fullmatch(id) is not None and not id.endswith((".git", ".", "-"))


def is_safe(name: str) -> bool:
    """Whether a file of this name stays inside the folder of its repository, on any system."""
    parts = name.split("/")
    if len(parts) > MAX_DEPTH + 1 or _UNSAFE.search(name) or not name.isprintable():
        return False
    return all(0 < len(part) <= 200 and part.strip(" .") == part for part in parts)


def label(name: str) -> str:
    """The quantization that a file's name tells, in llama.cpp's spelling; the bare name where it tells none."""
    bare = _PART.sub("", name.rsplit("/", 1)[-1])
    bare = re.sub(r"\.gguf$", "", bare, flags=re.IGNORECASE)
    told = _LABEL.findall(bare)
    return re.sub(r"^F?P(?=16|32)", "F", told[-1].upper()) if told else bare


def kind(name: str) -> Kind:
    """What a GGUF file of this name is."""
    bare = name.rsplit("/", 1)[-1].lower()
    if "mmproj" in bare:
        return "projector"
    return "calibration" if "imatrix" in bare else "model"


def variants(files: Iterable[HubFile]) -> tuple[Variant, ...]:
    """The variants among the files of a repository: models first, smallest first; parts of one model are joined."""
    sets: dict[tuple[str, int], dict[int, HubFile]] = {}
    for file in files:
        if not file.name.lower().endswith(".gguf") or not is_safe(file.name) or file.size <= 0:
            continue
        part = _PART.search(file.name)
        count = int(part[2]) if part else 1
        if not 1 <= count <= MAX_PARTS:
            continue
        stem = file.name[: part.start()] if part else file.name
        sets.setdefault((stem, count), {})[int(part[1]) if part else 1] = file
    found = [_variant(parts, count) for (_, count), parts in sets.items()]
    order = {"model": 0, "projector": 1, "calibration": 2}
    return tuple(sorted(found, key=lambda one: (order[one.kind], one.size, one.name)))


def _variant(parts: dict[int, HubFile], count: int) -> Variant:
    files = tuple(parts[number] for number in sorted(parts))
    complete = sorted(parts) == list(range(1, count + 1))
    return Variant(label=label(files[0].name), kind=kind(files[0].name), files=files, complete=complete)
