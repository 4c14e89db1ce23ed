"""What llama.cpp relies on in a GGUF file beyond its layout: counts that index arrays, and what it only asserts.

A failed assertion in llama.cpp ends its process, and an index that it does not check reads foreign memory. Sources:
`load_hparams` (src/llama-model.cpp), `llama_vocab::impl::load` (src/llama-vocab.cpp) and `llama_model_loader`
(src/llama-model-loader.cpp). What llama.cpp refuses by itself with an error is left to it. Raises `Damaged`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.gguf.cursor import Cursor, Damaged
from core.gguf.header import GGUF, LongArray

MAX_LAYERS = 512
MAX_EXPERTS = 1024
MAX_VOCABULARY = 1 << 20
MAX_PARTS = 1024
_ROPE_SCALINGS = (None, "none", "linear", "yarn", "longrope")
_FIRST_PART = re.compile(r"-00001-of-(\d{5})\.gguf")


def metadata(gguf: GGUF) -> None:
    """The numbers of the metadata against each other."""
    if gguf.types.get("general.architecture", "str") != "str":
        raise Damaged("its architecture is no text")
    _layers(gguf)
    _experts(gguf)
    if gguf.text(f"{gguf.architecture}.rope.scaling.type") not in _ROPE_SCALINGS:
        raise Damaged("its kind of RoPE scaling is unknown")
    if gguf.text("tokenizer.ggml.model") not in (None, "none", "no_vocab"):
        _vocabulary(gguf)


def distinct_tokens(gguf: GGUF) -> None:
    """No token stands twice in the vocabulary. Reads the whole vocabulary: for a model that is about to be loaded."""
    tokens = gguf.metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, LongArray):
        return
    with gguf.path.open("rb") as file:
        cursor = Cursor(file, size=gguf.size, position=tokens.position)
        # An empty token gets a name of its own from llama.cpp. Hashes, because the tokens may be hundreds of megabytes.
        seen = {hash(token or b"[EMPTY_%d]" % place) for place, token in enumerate(cursor.strings(tokens.count))}
    if len(seen) != tokens.count:
        raise Damaged("its vocabulary has the same token twice")


def other_parts(gguf: GGUF, count: int) -> list[Path]:
    """The paths of the second and later parts of a model split over `count` files."""
    number = gguf.metadata.get("split.no")
    if gguf.types["split.count"] != "u16" or gguf.types.get("split.no") != "u16" or count > MAX_PARTS:
        raise Damaged(f"it claims to be one of {count} parts")
    if number != 0:
        raise Damaged("it is a later part of a split model: choose the first part")
    name = _FIRST_PART.search(gguf.path.name)
    if name is None or name.end() != len(gguf.path.name) or int(name[1]) != count:
        raise Damaged(f"its name does not end in -00001-of-{count:05}.gguf, as a split model's must")
    stem = gguf.path.name[: name.start()]
    paths = [gguf.path.with_name(f"{stem}-{part:05}-of-{count:05}.gguf") for part in range(2, count + 1)]
    for path in paths:
        if not path.is_file():
            raise Damaged(f"its part {path.name[len(stem) + 1 : len(stem) + 6]} of {count:05} is missing")
    return paths


def parts(gguf: GGUF, others: Sequence[GGUF]) -> None:
    """The parts are those they should be, and have no tensor twice."""
    names = {tensor.name for tensor in gguf.tensors}
    total = len(gguf.tensors)
    for number, part in enumerate(others, start=1):
        if part.types.get("split.no") != "u16" or part.metadata["split.no"] != number:
            raise Damaged(f"its part {number + 1} is another model's")
        names.update(tensor.name for tensor in part.tensors)
        total += len(part.tensors)
    if len(names) != total:
        raise Damaged("a tensor is in two of its parts")
    if gguf.metadata.get("split.tensors.count", total) != total:
        raise Damaged("its parts do not have the tensors it claims")


def _layers(gguf: GGUF) -> None:
    layers = gguf.block_count
    if layers is not None and not 0 < layers <= MAX_LAYERS:
        raise Damaged(f"it claims to have {layers} layers")
    if not 0 <= (gguf.number("nextn_predict_layers") or 0) <= (layers or 0):
        raise Damaged("its extra prediction layers are more than its layers")
    for key in ("context_length", "embedding_length"):
        value = gguf.number(key)
        if value is not None and not 0 < value < 1 << 31:
            raise Damaged(f"its {key.replace('_', ' ')} is {value}")


def _experts(gguf: GGUF) -> None:
    experts = gguf.number("expert_count") or 0
    used = max(gguf.per_layer("expert_used_count"), default=0)
    if not 0 <= experts <= MAX_EXPERTS or used > experts or (experts and gguf.block_count and not used):
        raise Damaged(f"it claims to use {used} of {experts} experts")
    groups, used_groups = gguf.number("expert_group_count") or 0, gguf.number("expert_group_used_count") or 0
    if groups and groups >= experts:
        raise Damaged(f"it claims to have {experts} experts in {groups} groups")
    if groups > 1 and (experts % groups or not 0 < used_groups < groups):
        raise Damaged(f"it claims to use {used_groups} of {groups} groups of experts")


def _vocabulary(gguf: GGUF) -> None:
    size = gguf.vocabulary_size
    if gguf.types.get("tokenizer.ggml.tokens") != "arr[str]" or not size:
        raise Damaged("its vocabulary is missing, empty or no list of texts")
    if size > MAX_VOCABULARY:
        raise Damaged(f"it claims to have {size} tokens")
    for key, kinds in (("scores", ("arr[f32]", "arr[i32]")), ("token_type", ("arr[i32]",))):
        kind, values = gguf.types.get(f"tokenizer.ggml.{key}"), gguf.metadata.get(f"tokenizer.ggml.{key}")
        if kind is None:
            continue
        if kind not in kinds or not isinstance(values, LongArray) or values.count < size:
            raise Damaged(f"its {key.replace('_', ' ')} list does not cover its vocabulary")
    if gguf.types.get("tokenizer.ggml.merges", "arr[str]") != "arr[str]":
        raise Damaged("its merges are no list of texts")
    for key in ("bos_token_id", "eos_token_id"):
        token = gguf.metadata.get(f"tokenizer.ggml.{key}", 0)
        if not isinstance(token, int) or not 0 <= token < size:
            raise Damaged(f"its {key.replace('_', ' ')} is outside its vocabulary")
