"""GGUF files made for tests: a sound tiny model by the `gguf` package, and any bytes at all by `Raw`."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

VOCABULARY = 300
WIDTH = 32


def tiny(
    path: Path,
    *,
    layers: int = 1,
    split: tuple[int, int] | None = None,
    tensors: bool = True,
    width: int = WIDTH,
    seed: int | None = None,
    half: bool = False,
) -> Path:
    """A llama model that llama.cpp loads: 32 wide, 300 tokens, all weights zero. `split`: (number, count) of a part.

    seed: random weights, as a model's are spread. half: they are f16, but for the norms.
    """
    writer = GGUFWriter(path, "llama")
    if split:
        writer.add_uint16("split.no", split[0])
        writer.add_uint16("split.count", split[1])
        writer.add_int32("split.tensors.count", 2 + 9 * layers)
    if not split or split[0] == 0:
        _metadata(writer, layers, width, half)
    if tensors:
        _tensors(writer, layers, split, width, seed, half)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _metadata(writer: GGUFWriter, layers: int, width: int, half: bool) -> None:
    writer.add_name("Tiny")
    writer.add_license("apache-2.0")
    writer.add_block_count(layers)
    writer.add_context_length(128)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // 4)
    writer.add_file_type(int(half))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list([f"token{i}" for i in range(VOCABULARY)])
    writer.add_token_types([TokenType.NORMAL] * VOCABULARY)
    writer.add_token_merges(["a b", "b c"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{% for m in messages %}{{ m.content }}{% endfor %}")


def _tensors(
    writer: GGUFWriter, layers: int, split: tuple[int, int] | None, width: int, seed: int | None, half: bool
) -> None:
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (VOCABULARY, width), "output_norm.weight": (width,)}
    for layer in range(layers):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (width,),
            f"blk.{layer}.attn_q.weight": (width, width),
            f"blk.{layer}.attn_k.weight": (width // 2, width),
            f"blk.{layer}.attn_v.weight": (width // 2, width),
            f"blk.{layer}.attn_output.weight": (width, width),
            f"blk.{layer}.ffn_norm.weight": (width,),
            f"blk.{layer}.ffn_gate.weight": (2 * width, width),
            f"blk.{layer}.ffn_up.weight": (2 * width, width),
            f"blk.{layer}.ffn_down.weight": (width, 2 * width),
        }
    names = list(shapes)
    if split:
        names = names[split[0] :: split[1]]
    random = np.random.default_rng(seed)
    for name in names:
        shape = shapes[name]
        values = np.zeros(shape) if seed is None else random.normal(0, 0.05, shape)
        writer.add_tensor(name, values.astype(np.float16 if half and len(shape) > 1 else np.float32))


def text(value: str | bytes) -> bytes:
    """A string as GGUF has it."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    """A metadata value, its bytes given."""
    return text(key) + struct.pack("<I", kind) + value


def u32(key: str, value: int) -> bytes:
    return pair(key, 4, struct.pack("<I", value))


def string(key: str, value: str | bytes) -> bytes:
    return pair(key, 8, text(value))


def array(key: str, kind: int, count: int, data: bytes) -> bytes:
    """An array, its element type, count and bytes given."""
    return pair(key, 9, struct.pack("<IQ", kind, count) + data)


def strings(key: str, values: list[str]) -> bytes:
    return array(key, 8, len(values), b"".join(text(v) for v in values))


def i32s(key: str, values: list[int]) -> bytes:
    return array(key, 5, len(values), struct.pack(f"<{len(values)}i", *values))


def tensor(name: str | bytes, shape: tuple[int, ...] = (8,), *, kind: int = 0, offset: int = 0) -> bytes:
    """A tensor's entry in the header."""
    head = text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
    return head + struct.pack("<IQ", kind, offset)


@dataclass
class Raw:
    """A file written as told, sound or not. The counts are the real ones unless they are given."""

    pairs: list[bytes] = field(default_factory=lambda: [string("general.architecture", "llama")])
    tensors: list[bytes] = field(default_factory=list)
    data: bytes = b""
    magic: bytes = b"GGUF"
    version: bytes = struct.pack("<I", 3)
    key_count: int | None = None
    tensor_count: int | None = None

    def write(self, path: Path, *, alignment: int = 32) -> Path:
        keys = len(self.pairs) if self.key_count is None else self.key_count
        tensors = len(self.tensors) if self.tensor_count is None else self.tensor_count
        head = self.magic + self.version + struct.pack("<QQ", tensors, keys) + b"".join(self.pairs + self.tensors)
        path.write_bytes(head + b"\0" * (-len(head) % alignment) + self.data)
        return path
