"""The figures are what core/metrics.py says they are, at the edges too."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.events import Usage
from core.metrics import context_fill, gaps, percentile, timings

GAPS = st.lists(st.floats(min_value=1e-6, max_value=10.0), min_size=1, max_size=60)
TOKENS = st.integers(min_value=0, max_value=100_000)


def test_definitions_on_an_answer_worked_out_by_hand() -> None:
    found = timings([0.5, 0.75, 1.0, 2.0], load_s=3.0, queue_s=0.1, prefill_s=0.25, processed_tokens=50)
    assert found.ttft_s == 0.5
    assert found.decode_s == 1.5
    assert found.end_to_end_s == 2.0
    assert found.decode_rate == 2.0  # 3 gaps in 1.5 s
    assert found.prompt_rate == 200.0
    assert found.inter_token_latency_median_s == 0.25
    assert found.inter_token_latency_p95_s == pytest.approx(0.925)
    assert (found.load_s, found.queue_s, found.prefill_s) == (3.0, 0.1, 0.25)
    assert found.at == (0.5, 0.75, 1.0, 2.0)


def test_without_a_token_nothing_is_known_of_the_answer() -> None:
    found = timings([], load_s=1.0, queue_s=0.0, prefill_s=0.5, processed_tokens=10)
    assert found.ttft_s is found.decode_s is found.end_to_end_s is found.decode_rate is None
    assert found.inter_token_latency_median_s is found.inter_token_latency_p95_s is None
    assert found.prompt_rate == 20.0
    assert found.queue_s == 0.0


def test_one_token_has_a_first_token_time_and_no_rate() -> None:
    found = timings([0.3])
    assert (found.ttft_s, found.end_to_end_s, found.decode_s) == (0.3, 0.3, 0.0)
    assert found.decode_rate is found.inter_token_latency_median_s is found.inter_token_latency_p95_s is None


def test_tokens_that_came_together_have_gaps_and_no_rate() -> None:
    found = timings([0.3, 0.3, 0.3])
    assert found.decode_rate is None
    assert found.inter_token_latency_median_s == found.inter_token_latency_p95_s == 0.0


@pytest.mark.parametrize(("prefill_s", "processed"), [(None, 10), (0.0, 10), (0.5, None), (0.5, 0)])
def test_prompt_rate_is_unknown_without_time_or_tokens(prefill_s: float | None, processed: int | None) -> None:
    assert timings([1.0], prefill_s=prefill_s, processed_tokens=processed).prompt_rate is None


@given(first=st.floats(0, 100), between=GAPS)
def test_time_adds_up_and_the_rate_is_the_gaps_over_their_time(first: float, between: list[float]) -> None:
    at = list(accumulate(between, initial=first))
    found = timings(at)
    assert found.ttft_s is not None and found.decode_s is not None and found.end_to_end_s is not None
    assert found.ttft_s + found.decode_s == pytest.approx(found.end_to_end_s)
    assert found.decode_rate == pytest.approx(len(between) / sum(gaps(at)))
    assert found.inter_token_latency_median_s is not None and found.inter_token_latency_p95_s is not None
    assert found.inter_token_latency_median_s <= found.inter_token_latency_p95_s + 1e-12
    assert min(gaps(at)) <= found.inter_token_latency_median_s


@given(first=st.floats(0, 100), between=GAPS, later=st.floats(0, 100))
def test_a_longer_wait_for_the_first_token_does_not_touch_the_decode_rate(
    first: float, between: list[float], later: float
) -> None:
    assume(min(between) > 1e-3)
    early, late = (timings(list(accumulate(between, initial=start))) for start in (first, first + later))
    assert early.decode_rate == pytest.approx(late.decode_rate)


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=50), share=st.floats(0, 1))
def test_percentile_is_numpys(values: list[float], share: float) -> None:
    assert percentile(sorted(values), share) == pytest.approx(np.quantile(values, share), rel=1e-9, abs=1e-9)


def test_gaps_are_one_fewer_than_tokens() -> None:
    assert gaps([]) == gaps([1.0]) == []
    assert gaps([1.0, 1.5, 1.5]) == [0.5, 0.0]


def test_context_fill_splits_prompt_answer_and_what_is_free() -> None:
    usage = Usage(
        prompt_tokens=100,
        generated_tokens=28,
        by_origin={"system": 20, "history": 50, "question": 30},
        context_length=512,
    )
    fill = context_fill(usage)
    assert fill.by_origin == {"system": 20, "history": 50, "question": 30, "answer": 28}
    assert (fill.free, fill.share, fill.split) == (384, 0.25, True)


def test_context_fill_adds_the_answer_to_what_was_already_written_of_it() -> None:
    usage = Usage(prompt_tokens=40, generated_tokens=5, by_origin={"question": 30, "answer": 10}, context_length=100)
    assert context_fill(usage).by_origin == {"question": 30, "answer": 15}
    assert usage.by_origin == {"question": 30, "answer": 10}


@pytest.mark.parametrize("length", [None, 0])
def test_without_a_context_length_neither_share_nor_free_is_known(length: int | None) -> None:
    fill = context_fill(Usage(prompt_tokens=10, generated_tokens=5, context_length=length))
    assert fill.free is fill.share is None


def test_a_prompt_of_unknown_origins_says_so() -> None:
    fill = context_fill(Usage(prompt_tokens=10, generated_tokens=5, context_length=100))
    assert fill.by_origin == {"question": 10, "answer": 5}
    assert not fill.split


@given(parts=st.tuples(TOKENS, TOKENS, TOKENS), generated=TOKENS, length=st.integers(1, 200_000))
def test_context_fill_never_overflows_and_adds_up(parts: tuple[int, int, int], generated: int, length: int) -> None:
    system, history, question = parts
    usage = Usage(
        prompt_tokens=sum(parts),
        generated_tokens=generated,
        by_origin={"system": system, "history": history, "question": question},
        context_length=length,
    )
    fill = context_fill(usage)
    used = sum(fill.by_origin.values())
    assert used == usage.prompt_tokens + generated
    assert fill.free is not None and fill.share is not None
    assert 0.0 <= fill.share <= 1.0
    assert fill.free == max(length - used, 0)
    assert (fill.share == 1.0) == (used >= length)
