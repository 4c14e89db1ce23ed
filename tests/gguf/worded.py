"""Models made for the tests of measuring, whose logits are known without llama.cpp.

All weights of their one layer are zero, so that what comes out depends on the token before alone: the embedding,
brought to a root mean square of 1, times all embeddings. The vocabulary is made of two letters after a space.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from numpy.typing import NDArray

WORDS = ["".join(pair) for pair in itertools.product("abcdefghijklmnop", repeat=2)]
BOS, SPECIAL = 0, 2
WIDTH = 32
EPSILON = 1e-5


def worded(path: Path, *, seed: int = 1, noise: float = 0.0, words: Sequence[str] = WORDS, bos: bool = True) -> Path:
    """A model of these words. noise: by how much its embeddings differ from those of the same seed without."""
    writer = GGUFWriter(path, "llama")
    writer.add_name("Worded")
    writer.add_block_count(1)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_dimension_count(8)
    writer.add_file_type(0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(["<s>", "</s>", *(f"Ġ{word}" for word in words)])
    writer.add_token_types([TokenType.CONTROL] * SPECIAL + [TokenType.NORMAL] * len(words))
    writer.add_token_merges(["Ġ a"])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(bos)
    shapes = {
        "attn_norm": (WIDTH,),
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (WIDTH // 2, WIDTH),
        "attn_v": (WIDTH // 2, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_norm": (WIDTH,),
        "ffn_gate": (WIDTH, WIDTH),
        "ffn_up": (WIDTH, WIDTH),
        "ffn_down": (WIDTH, WIDTH),
    }
    writer.add_tensor("token_embd.weight", embeddings(seed=seed, noise=noise, words=words))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for name, shape in shapes.items():
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def embeddings(*, seed: int = 1, noise: float = 0.0, words: Sequence[str] = WORDS) -> NDArray[np.float32]:
    """The only weights there are."""
    shape = (len(words) + SPECIAL, WIDTH)
    own = np.random.default_rng(seed).normal(0, 0.25, shape)
    return (own + noise * np.random.default_rng(seed + 1).normal(0, 1, shape)).astype(np.float32)


def logits(weights: NDArray[np.float32], token: int) -> NDArray[np.float64]:
    """What the model computes after a token, in double precision."""
    own = weights.astype(np.float64)
    row = own[token]
    result: NDArray[np.float64] = own @ (row / np.sqrt((row**2).mean() + EPSILON))
    return result


def text(count: int, *, seed: int = 7, words: Sequence[str] = WORDS) -> str:
    """So many words, each a token."""
    draw = random.Random(seed)
    return "".join(f" {draw.choice(words)}" for _ in range(count))


def tokens(words: str) -> list[int]:
    """The tokens of such a text, without what begins it."""
    return [WORDS.index(word) + SPECIAL for word in words.split()]
