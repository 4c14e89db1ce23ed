"""Timings and context fill: events in, figures out. The definitions, the same everywhere:

time to first token  (`ttft_s`)      request handed over → first generated token, reasoning included; queueing and
                                     prefill included, and shown apart; loading the model excluded
prompt rate          (`prompt_rate`) prompt tokens actually processed ÷ prefill time; cached tokens not counted
decode rate          (`decode_rate`) (generated tokens − 1) ÷ (last token − first token)
inter-token latency                  gaps between tokens, median and 95th percentile
end to end           (`end_to_end_s`) request handed over → last token, loading excluded
context fill                         (prompt + generated) ÷ context length, by origin

Seconds and tokens a second throughout. A figure that cannot be known is None, never 0.

A server that sends text and not tokens leaves the time of each token unknown: `arrival_timings`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from core.events import Origin, Timings, Usage

CHARACTERS_PER_TOKEN = 4
"""For counts that nobody made; they are marked as estimated."""


AT_ONCE_S = 0.01
"""Pieces that came within this time came together: how fast they were written cannot be seen."""


def timings(
    at: Sequence[float],
    *,
    load_s: float | None = None,
    queue_s: float | None = None,
    prefill_s: float | None = None,
    processed_tokens: int | None = None,
) -> Timings:
    """Timings of one answer.

    at: for each generated token, seconds since the request was handed over (loading excluded), ascending.
    processed_tokens: prompt tokens that were really computed, cached ones left out.
    """
    ordered = sorted(gaps(at))
    decode_s = at[-1] - at[0] if at else None
    return Timings(
        load_s=load_s,
        queue_s=queue_s,
        prefill_s=prefill_s,
        ttft_s=at[0] if at else None,
        decode_s=decode_s,
        end_to_end_s=at[-1] if at else None,
        prompt_rate=processed_tokens / prefill_s if processed_tokens and prefill_s else None,
        decode_rate=(len(at) - 1) / decode_s if decode_s else None,
        inter_token_latency_median_s=statistics.median(ordered) if ordered else None,
        inter_token_latency_p95_s=percentile(ordered, 0.95) if ordered else None,
        at=tuple(at),
    )


def arrival_timings(at: Sequence[float], *, tokens: float | None, first_share: float) -> Timings:
    """Timings of an answer that came in pieces of unknown numbers of tokens.

    at: for each piece, seconds since the request was handed over, ascending. tokens: all tokens in them, None unknown.
    first_share: the first piece's share of the text, 0 … 1; its tokens did not take part in the time after it.
    """
    decode_s = at[-1] - at[0] if at else None
    return Timings(
        ttft_s=at[0] if at else None,
        decode_s=decode_s,
        end_to_end_s=at[-1] if at else None,
        decode_rate=tokens * (1 - first_share) / decode_s if tokens and decode_s and decode_s >= AT_ONCE_S else None,
    )


def estimated_tokens(characters: int) -> int:
    """About how many tokens a text of so many characters has."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN)


def gaps(at: Sequence[float]) -> list[float]:
    """Seconds between each token and the one before it: one fewer than there are tokens."""
    return [later - earlier for earlier, later in pairwise(at)]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 … 1) of a non-empty ascending sequence lies (Hyndman–Fan type 7, linear)."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


class ContextFill(msgspec.Struct, frozen=True, kw_only=True):
    """How full the context is, in tokens by origin. `share` from 0 to 1; None where the context length is unknown.

    `split`: whether the prompt's origins are known; where they are not, all of it stands under `question`.
    """

    by_origin: dict[Origin, int]
    free: int | None
    context_length: int | None
    share: float | None
    split: bool = True


def context_fill(usage: Usage) -> ContextFill:
    """The context as it stands after an answer: the prompt by origin, the answer, what is free."""
    by_origin: dict[Origin, int] = dict(usage.by_origin) or {"question": usage.prompt_tokens}
    by_origin["answer"] = by_origin.get("answer", 0) + usage.generated_tokens
    used = sum(by_origin.values())
    length = usage.context_length
    return ContextFill(
        by_origin=by_origin,
        free=max(length - used, 0) if length else None,
        context_length=length,
        share=min(used / length, 1.0) if length else None,
        split=bool(usage.by_origin) or not usage.prompt_tokens,
    )
