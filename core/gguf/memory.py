"""The memory a model takes once loaded, estimated from its file before llama.cpp sees it. Bytes throughout.

weights   the tensors as they are in the file. With mmap they are read as needed and shared between processes.
kv_cache  for each layer: cells × KV heads × (key length + value length) × bytes a value (`llama_kv_cache`, src/
          llama-kv-cache.cpp; heads and lengths from `load_hparams`, src/llama-model.cpp). Cells are the context length
          rounded up to 256 and shared by all sequences (a unified cache). Grouped-query attention is in the KV heads.
          A recurrent layer has instead a 32-bit state for each sequence, whatever the context (`n_embd_r`, `n_embd_s`
          in src/llama-hparams.cpp). A layer with a sliding window is counted whole, as `swa_full` contexts have it.
compute   the scratch buffer for one batch and the logits. llama.cpp plans it from the graph; this is the largest stage
          of a transformer layer with what is alive at the time, fitted to llama.cpp's own figures: within 1 % for
          dense llama models with an f16 cache, within 20 % for other dense ones, up to twice as much with experts.

Not counted: the process itself and its vocabulary, 30 to 100 MB.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.gguf.blocks import BY_NAME
from core.gguf.header import GGUF

KvType = Literal["f16", "q8_0", "q4_0"]

CELLS = 256
"""llama.cpp rounds a context up to a multiple of this (`llama_context`, src/llama-context.cpp)."""

_LONGEST = 1 << 20
"""Tokens; where a file does not say what its model was trained for."""

_SHARED_KV_FROM = {"gemma3n": 20}
"""Layers from this one on reuse the cache of earlier ones (src/models/gemma3n.cpp)."""

_FULL_ATTENTION_EVERY = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
"""Every so many layers have a KV cache, the others a state (src/models/qwen3next.cpp)."""


_WINDOWS_UNUSED = ("llama", "mistral3", "phi3", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "starcoder2")
"""Architectures whose files may name a sliding window that llama.cpp does not use (src/models)."""


class MemoryEstimate(msgspec.Struct, frozen=True):
    """Bytes; what each is stands at the head of this module."""

    weights: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.compute


def estimate(
    gguf: GGUF,
    *,
    context_length: int,
    kv_type: KvType = "f16",
    parallel: int = 1,
    batch: int = 512,
    flash_attention: bool = True,
) -> MemoryEstimate:
    """What loading the model takes.

    context_length: tokens shared by all sequences; parallel: sequences, each with logits of its own; batch: tokens
    computed at once (n_ubatch). Without flash attention the attention scores of a whole batch are kept as well.
    """
    cells = -(-context_length // CELLS) * CELLS
    return MemoryEstimate(
        weights=sum(tensor.n_bytes for tensor in gguf.all_tensors),
        kv_cache=max(0, _kv_cache(gguf, cells, kv_type) + _states(gguf, parallel)),
        compute=max(0, _compute(gguf, cells, min(batch, cells), parallel, flash_attention)),
    )


def context_that_fits(
    gguf: GGUF,
    budget: int,
    *,
    kv_type: KvType = "f16",
    parallel: int = 1,
    batch: int = 512,
    flash_attention: bool = True,
) -> int:
    """The longest context, a multiple of 256 and at most what the model was trained for, that fits into `budget` bytes.

    0 where not even the shortest does.
    """

    def total(steps: int) -> int:
        return estimate(
            gguf,
            context_length=steps * CELLS,
            kv_type=kv_type,
            parallel=parallel,
            batch=batch,
            flash_attention=flash_attention,
        ).total

    fits, too_long = 0, max(1, (gguf.context_length or _LONGEST) // CELLS) + 1
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if total(middle) <= budget:
            fits = middle
        else:
            too_long = middle
    return fits * CELLS


def _kv_cache(gguf: GGUF, cells: int, kv_type: KvType) -> int:
    type = BY_NAME[kv_type.upper()]
    values = 0
    for layer, heads in enumerate(_kv_heads(gguf)):
        key, value = _lengths(gguf, layer)
        values += heads * (key + value)
    return cells * values * type.block_bytes // type.block_size


def _kv_heads(gguf: GGUF) -> list[int]:
    """KV heads of each layer; 0 where it has no KV cache."""
    heads = list(gguf.per_layer("attention.head_count_kv", default=gguf.number("attention.head_count")))
    layers = len(heads) - (gguf.number("nextn_predict_layers") or 0)
    shared = layers - (gguf.number("attention.shared_kv_layers") or 0)
    layers = min(shared, _SHARED_KV_FROM.get(gguf.architecture or "", layers))
    return [
        0 if gguf.recurrent or layer >= layers or _is_recurrent(gguf, layer) else number
        for layer, number in enumerate(heads)
    ]


def _is_recurrent(gguf: GGUF, layer: int) -> bool:
    every = gguf.number("full_attention_interval") or _FULL_ATTENTION_EVERY.get(gguf.architecture or "")
    return bool(every and (layer + 1) % every)


def _lengths(gguf: GGUF, layer: int) -> tuple[int, int]:
    """Values of a key and of a value of one head of a layer."""
    heads = max(gguf.per_layer("attention.head_count"), default=0)
    usual = (gguf.embedding_length or 0) // heads if heads > 0 else 0
    key, value = gguf.number("attention.key_length") or usual, gguf.number("attention.value_length") or usual
    windows = gguf.metadata.get(f"{gguf.architecture}.attention.sliding_window_pattern")
    if isinstance(windows, tuple) and layer < len(windows) and windows[layer]:
        key = gguf.number("attention.key_length_swa") or key
        value = gguf.number("attention.value_length_swa") or value
    if gguf.number("attention.key_length_mla"):
        value = 0  # multi-head latent attention keeps one compressed vector for both
    return key, value


def _states(gguf: GGUF, parallel: int) -> int:
    """The states of recurrent layers, of models whose file says how large they are."""
    number = gguf.number
    embedding = gguf.embedding_length or 0
    inner, state = number("ssm.inner_size") or 0, number("ssm.state_size") or 0
    convolved = max((number("ssm.conv_kernel") or 0) - 1, 0) * (inner + 2 * (number("ssm.group_count") or 0) * state)
    values = convolved + inner * state
    if head := number("wkv.head_size"):
        values = embedding * ((number("token_shift_count") or 2) + head)
    elif kept := number("shortconv.l_cache"):
        values = embedding * (kept - 1)
    layers = sum(1 for heads in _kv_heads(gguf) if not heads) if values else 0
    if gguf.architecture == "falcon-h1":
        layers = gguf.block_count or 0
    return values * 4 * layers * max(1, parallel)


def _compute(gguf: GGUF, cells: int, batch: int, parallel: int, flash_attention: bool) -> int:
    embedding = gguf.embedding_length or 0
    heads = max(gguf.per_layer("attention.head_count"), default=0)
    kv_heads = max(_kv_heads(gguf), default=0)
    key, value = _lengths(gguf, 0)
    attention = 3 * embedding + 2 * heads * max(key, value) + kv_heads * (key + value)
    stage = 4 * max(attention, _feed_forward(gguf) + 4 * embedding)
    mask = 2 * cells
    if not flash_attention:
        stage = max(stage, 4 * attention + 4 * heads * cells)
        mask = 4 * cells
    if _windows(gguf):
        mask *= 2  # one for the layers with a sliding window, one for the others
    logits = 4 * (gguf.vocabulary_size or 0) * max(1, parallel)
    return max(batch * (stage + mask), logits) + logits


def _windows(gguf: GGUF) -> bool:
    """Whether llama.cpp gives some layers a sliding window: where a file names one, and its architecture has it."""
    return bool(gguf.number("attention.sliding_window")) and gguf.architecture not in _WINDOWS_UNUSED


def _feed_forward(gguf: GGUF) -> int:
    """Values a token has in a feed-forward stage at once: gate, up and their product; or those of its experts."""
    dense = 3 * max(gguf.per_layer("feed_forward_length"), default=0)
    used = max(gguf.per_layer("expert_used_count"), default=0)
    if not used:
        return dense
    wide = max(gguf.per_layer("expert_feed_forward_length"), default=0) or dense // 3
    return max(dense, used * max(3 * wide, wide + 2 * (gguf.embedding_length or 0)))
