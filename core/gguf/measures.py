"""What measuring asks of its child processes and what they say: a line of JSON each, see core/child.py.

A quality pass goes over a text in chunks of `context` tokens and scores the second half of each, as llama.cpp's
tools/perplexity does. Natural logarithms throughout; a probability is 0 to 1.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.gguf.memory import KvType

Flash = Literal["auto", "on", "off"]


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is loaded to be measured. The defaults are those of llama.cpp's tools; `threads` None: one a core.

    flash_attention: "auto" is llama.cpp's own choice. batch: tokens computed at once (n_ubatch).
    """

    threads: int | None = None
    kv_type: KvType = "f16"
    flash_attention: Flash = "auto"
    batch: int = 512
    gpu_layers: int = -1


class _Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="op", tag=True):
    pass


class QualityTask(_Frame, frozen=True, kw_only=True):
    """A pass over a text. `skip`: chunks that were scored before. `reference`: a file of log-probabilities to compare
    with; `keep`: where to write this model's own, in the format of `llama-perplexity --kl-divergence-base`."""

    path: str
    name: str
    text: str
    context: int = 512
    chunks: int | None = None
    skip: int = 0
    reference: str | None = None
    keep: str | None = None
    setup: Setup = Setup()


class SpeedTask(_Frame, frozen=True, kw_only=True):
    """Reading `prompt` tokens and writing `generate`, `repeat` times each after a warm-up, as llama-bench does.
    `parallel`: sequences that are written at once; more than 1 is no test of llama-bench's."""

    path: str
    name: str
    prompt: int = 512
    generate: int = 128
    repeat: int = 3
    parallel: int = 1
    setup: Setup = Setup()


class BesideTask(_Frame, frozen=True, kw_only=True):
    """Several variants over one text: each one's distribution at every position; the first is the reference.

    own_way: each goes on from the text by itself, greedily, for so many tokens. 0: all read the same text.
    """

    paths: tuple[str, ...]
    names: tuple[str, ...]
    text: str
    own_way: int = 0
    alternatives: int = 5
    setup: Setup = Setup()


class Opened(_Frame, frozen=True, kw_only=True):
    """The model is in memory. `vocabulary`: a fingerprint of it; `tokens`: of the text; `chunks`: that will be scored.
    `load_s`: from the file to a context that can be computed with."""

    threads: int
    load_s: float
    vocabulary: str = ""
    tokens: int = 0
    chunks: int = 0


class Chunk(_Frame, frozen=True, kw_only=True):
    """One chunk's scored positions, in order. `nll`: −ln p of the token that came; with a reference also the
    reference's (`base_nll`), the KL divergence of the two distributions, the difference in p, and whether both hold the
    same token most probable. `pieces`: the tokens' text."""

    number: int
    seconds: float
    pieces: tuple[str, ...]
    nll: tuple[float, ...]
    base_nll: tuple[float, ...] = ()
    kl: tuple[float, ...] = ()
    delta_p: tuple[float, ...] = ()
    same_top: tuple[bool, ...] = ()


class Round(_Frame, frozen=True, kw_only=True):
    """One repeat of a test of speed; `number` 0 is the warm-up, which has no rate."""

    test: Literal["read", "write"]
    number: int
    rate: float


class Likely(msgspec.Struct, frozen=True):
    """A token a model holds probable: its id, text and probability."""

    id: int
    text: str
    p: float


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What one model expects after the tokens before this place. `came`: the token that stands there, and its
    probability; `kl`: from the reference's distribution, None for the reference itself."""

    came: Likely
    top: tuple[Likely, ...]
    kl: float | None = None


class Variant(_Frame, frozen=True, kw_only=True):
    """One model's reading. `comparable`: its vocabulary is the reference's, so that places are the same places."""

    number: int
    comparable: bool
    positions: tuple[Position, ...]


class Failed(_Frame, frozen=True, kw_only=True):
    """It could not be done: a `WorkbenchError.to_dict()`."""

    error: dict[str, Any]


class Finished(_Frame, frozen=True, kw_only=True):
    """All done. `peak_bytes`: the most memory that the process had at once, weights that were read included; None where
    the system does not say. `others`: share of this machine's cores that other programs took meanwhile, 0 to 1."""

    peak_bytes: int | None
    others: float | None


Task = QualityTask | SpeedTask | BesideTask
Frame = Opened | Chunk | Round | Variant | Failed | Finished


def reference_bytes(*, vocabulary: int, context: int, chunks: int, scored: int | None = None) -> int:
    """Bytes of a file of log-probabilities of so many chunks, of which `scored` (None: all) are in it: see
    core/llamacpp/stored_probabilities.py."""
    head = 8 + 3 * 4 + 4 * context * chunks
    row = 2 * (2 * ((vocabulary + 1) // 2) + 4)
    return head + (chunks if scored is None else scored) * (context - 1 - context // 2) * row


encode = msgspec.json.encode
decode_task = msgspec.json.Decoder(Task).decode
decode_frame = msgspec.json.Decoder(Frame).decode
