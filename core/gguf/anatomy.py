"""What a GGUF file consists of: bytes by type, tensors by layer, metadata in groups, special tokens.

Values only, from a checked header; reads the file again only for the texts of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from core.gguf import reader
from core.gguf.header import GGUF, LongArray, Tensor, Value

_LAYER = re.compile(r"(?:.*\.)?blk\.(\d+)\.(.+)")
_CONTROL, _USER_DEFINED = 3, 4
"""Of `enum llama_token_type`."""

_ROLES = {
    "bos_token_id": "bos",
    "eos_token_id": "eos",
    "eot_token_id": "eot",
    "eom_token_id": "eom",
    "unknown_token_id": "unk",
    "seperator_token_id": "sep",  # as llama.cpp spells it
    "padding_token_id": "pad",
    "cls_token_id": "cls",
    "mask_token_id": "mask",
    "fim_pre_token_id": "fim_prefix",
    "fim_suf_token_id": "fim_suffix",
    "fim_mid_token_id": "fim_middle",
}
MOST_SPECIAL = 2000


class Share(msgspec.Struct, frozen=True):
    """What one tensor type takes of a file. `share`: of all bytes of tensors, 0 … 1."""

    type: str
    bits_per_weight: float
    tensors: int
    parameters: int
    n_bytes: int
    share: float


def shares(gguf: GGUF) -> list[Share]:
    """By type, the largest first."""
    by_type: dict[str, list[Tensor]] = {}
    for tensor in gguf.all_tensors:
        by_type.setdefault(tensor.type.name, []).append(tensor)
    total = sum(tensor.n_bytes for tensor in gguf.all_tensors) or 1
    found = [
        Share(
            name,
            tensors[0].type.bits_per_weight,
            len(tensors),
            sum(tensor.elements for tensor in tensors),
            n_bytes := sum(tensor.n_bytes for tensor in tensors),
            n_bytes / total,
        )
        for name, tensors in by_type.items()
    ]
    return sorted(found, key=lambda share: (-share.n_bytes, share.type))


class Cell(msgspec.Struct, frozen=True):
    """A tensor's place on the map: `layer` None outside of the layers; `kind` is its name without the layer."""

    layer: int | None
    kind: str
    tensor: Tensor


def layer_map(gguf: GGUF) -> list[Cell]:
    """Every tensor, those outside of the layers first, then layer by layer."""
    cells = [Cell(*_place(tensor.name), tensor) for tensor in gguf.all_tensors]
    return sorted(cells, key=lambda cell: (-1 if cell.layer is None else cell.layer, cell.kind))


def _place(name: str) -> tuple[int | None, str]:
    found = _LAYER.fullmatch(name)
    return (int(found[1]), found[2]) if found and len(found[1]) < 6 else (None, name)


class Entry(msgspec.Struct, frozen=True):
    """One value of the metadata. `count`: how many, where it is a list."""

    key: str
    type: str
    value: Value
    count: int | None


def metadata(gguf: GGUF, *, containing: str = "") -> dict[str, list[Entry]]:
    """The metadata in groups: "general", the architecture's, "tokenizer", and what else the keys begin with.

    containing: only those whose key or short value has this in it, in capitals or not.
    """
    groups: dict[str, list[Entry]] = {}
    sought = containing.strip().lower()
    for key, value in gguf.metadata.items():
        if sought and sought not in key.lower() and sought not in _shown(value).lower():
            continue
        count = value.count if isinstance(value, LongArray) else len(value) if isinstance(value, tuple) else None
        groups.setdefault(key.split(".")[0], []).append(Entry(key, gguf.types[key], value, count))
    first = ["general", gguf.architecture or "", "tokenizer"]
    return dict(sorted(groups.items(), key=lambda item: first.index(item[0]) if item[0] in first else len(first)))


def _shown(value: Value) -> str:
    return "" if isinstance(value, LongArray) else str(value)


class SpecialToken(msgspec.Struct, frozen=True):
    """A token that stands for something else than text. `roles`: "bos", "eos" …; empty where the file names none."""

    id: int
    text: str
    roles: tuple[str, ...]


def special_tokens(gguf: GGUF) -> list[SpecialToken]:
    """Those that the file gives a role to, and its other control tokens, by id; the first 2000."""
    tokens = reader.array(gguf, "tokenizer.ggml.tokens")
    kinds = reader.array(gguf, "tokenizer.ggml.token_type")
    roles: dict[int, list[str]] = {}
    for key, role in _ROLES.items():
        id = gguf.metadata.get(f"tokenizer.ggml.{key}")
        if isinstance(id, int) and 0 <= id < len(tokens):
            roles.setdefault(id, []).append(role)
    ids = set(roles) | {id for id, kind in enumerate(kinds[: len(tokens)]) if kind in (_CONTROL, _USER_DEFINED)}
    return [SpecialToken(id, str(tokens[id]), tuple(roles.get(id, ()))) for id in sorted(ids)[:MOST_SPECIAL]]


def layers(gguf: GGUF) -> Sequence[int]:
    """The numbers of its layers, as its tensors have them."""
    return sorted({cell.layer for cell in layer_map(gguf) if cell.layer is not None})
