"""What a GGUF file says of itself, as frozen values; the numbers in it have been checked by core/gguf/reader.py.

Keys and their meaning: docs/gguf.md of the ggml project, and the names llama.cpp gives them (src/llama-arch.cpp).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from core.gguf.blocks import FILE_TYPES, TensorType

_GUESSED = 1024
"""A flag llama.cpp adds to a file type that it guessed from the tensors."""

_RECURRENT = ("mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's place: `shape` is llama.cpp's (row length first), `offset` in bytes from the start of the data."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def n_bytes(self) -> int:
        return self.type.n_bytes(self.shape)


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array left in the file, as long ones and all of the tokenizer's are: `count` values from byte `position` on.

    `reader.array` reads it.
    """

    count: int
    position: int


Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...] | LongArray


@dataclass(frozen=True, slots=True)
class GGUF:
    """A checked file. `types` names each metadata value's type ("u32", "str", "arr[f32]" …); `size` in bytes.

    `parts`: the other files of a model that is split over several, in order; empty otherwise.
    """

    path: Path
    version: int
    metadata: Mapping[str, Value]
    types: Mapping[str, str]
    tensors: tuple[Tensor, ...]
    alignment: int
    data_offset: int
    size: int
    parts: tuple[GGUF, ...] = field(default=())

    @property
    def all_tensors(self) -> Iterator[Tensor]:
        """The tensors of this file and of its parts."""
        yield from self.tensors
        for part in self.parts:
            yield from part.tensors

    @property
    def total_size(self) -> int:
        """Bytes of this file and of its parts."""
        return self.size + sum(part.size for part in self.parts)

    @property
    def parameters(self) -> int:
        """Values in all tensors."""
        return sum(tensor.elements for tensor in self.all_tensors)

    @property
    def bits_per_weight(self) -> float:
        """Bits that a weight takes on average, scales included, header and padding left out. 0 without weights."""
        return 8 * sum(tensor.n_bytes for tensor in self.all_tensors) / (self.parameters or 1)

    @property
    def architecture(self) -> str | None:
        """llama.cpp's name of the kind of model: "llama", "qwen3" …"""
        return self.text("general.architecture")

    @property
    def name(self) -> str | None:
        return self.text("general.name")

    @property
    def licence(self) -> str | None:
        return self.text("general.license")

    @property
    def chat_template(self) -> str | None:
        """Jinja source."""
        return self.text("tokenizer.chat_template")

    @property
    def context_length(self) -> int | None:
        """Tokens the model was trained on at once."""
        return self.number("context_length")

    @property
    def block_count(self) -> int | None:
        """Layers."""
        return self.number("block_count")

    @property
    def embedding_length(self) -> int | None:
        return self.number("embedding_length")

    @property
    def vocabulary_size(self) -> int | None:
        """Tokens in the vocabulary."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        return tokens.count if isinstance(tokens, LongArray) else None

    @property
    def quantization(self) -> str | None:
        """The recipe the file names, else the type that most of its values have."""
        named = self.metadata.get("general.file_type")
        if isinstance(named, int) and named & ~_GUESSED in FILE_TYPES:
            return FILE_TYPES[named & ~_GUESSED]
        values: Counter[str] = Counter()
        for tensor in self.all_tensors:
            values[tensor.type.name] += tensor.elements
        return values.most_common(1)[0][0] if values else None

    @property
    def recurrent(self) -> bool:
        """Keeps a state of fixed size instead of a KV cache."""
        return self.architecture in _RECURRENT

    @property
    def generates(self) -> bool:
        """Whether it writes text: no part of a model (a projector, an adapter, calibration data), and no embedder."""
        if not self.architecture or self.text("general.type") not in (None, "model"):
            return False
        if self.metadata.get(f"{self.architecture}.attention.causal") is False or not self.block_count:
            return False
        return not self.number("pooling_type")

    def text(self, key: str) -> str | None:
        """A string of the metadata, None where there is none or an empty one."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) and value else None

    def number(self, key: str) -> int | None:
        """An integer kept under the architecture's name; None where there is none."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def per_layer(self, key: str, *, default: int | None = None) -> tuple[int, ...]:
        """A count for each layer: from the array the file has, or its one number repeated; 0 where there is none."""
        layers = self.block_count or 0
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        given = value if isinstance(value, tuple) else (value,) * layers
        counts = [max(count, 0) if isinstance(count, int) else 0 for count in given]
        return tuple((counts + [0] * layers)[:layers])
