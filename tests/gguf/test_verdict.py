"""What is said of figures: sentences with the numbers in them, and no winner where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from core.errors import MeasureDied
from core.gguf import estimates, verdict
from core.gguf.estimates import Estimate
from core.gguf.measures import Chunk, Finished, Opened
from core.gguf.quality import Pass
from core.gguf.speed import Rate, Speed
from core.gguf.study import Row, Spec, Variant

SPEC = Spec(
    source="/m/a.gguf",
    reference=Variant(name="F16", path="/m/a.gguf"),
    variants=(Variant(name="Q8_0", type="Q8_0"), Variant(name="Q2_K", type="Q2_K")),
    text_name="english",
    text="",
)


def read(kl: float | None, *, chunks: int = 8, scatter: float = 0.5) -> Pass:
    """A pass whose KL divergences lie around a value, one like the other by turns."""
    values = () if kl is None else tuple(kl * (1 + scatter * (-1) ** place) for place in range(100))
    one = [
        Chunk(
            number=number,
            seconds=1.0,
            pieces=("a",) * 100,
            nll=(2.0,) * 100,
            base_nll=(1.9,) * len(values),
            kl=values,
            delta_p=(0.01,) * len(values),
            same_top=(True, False, True, True) * (len(values) // 4),
        )
        for number in range(chunks)
    ]
    return Pass(
        opened=Opened(threads=2, load_s=1.0, chunks=chunks),
        chunks=tuple(one),
        finished=Finished(peak_bytes=1, others=0.0),
        figures=estimates.quality(one),
        at=0.0,
    )


def fast(rate: float, *, deviation: float = 1.0, others: float = 0.0, repeats: int = 3) -> Speed:
    own = Rate(mean=rate, deviation=deviation, repeats=repeats)
    return Speed(read=own, write=own, threads=2, load_s=1.0, peak_bytes=1, others=others, at=0.0)


def row(name: str, size: int | None = 100, quality: Pass | None = None, speed: Speed | None = None) -> Row:
    return Row(
        name=name,
        reference=name == "F16",
        path=Path("/m/a.gguf"),
        bytes=size,
        quality=quality,
        speed=speed,
        error=None,
    )


def rows(one: Row, other: Row) -> Sequence[Row]:
    return [row("F16", 400, read(None), fast(10.0)), one, other]


def test_a_sentence_holds_the_figures() -> None:
    found = verdict.of_row(row("Q4_K_M", 156, read(0.05)), row("F16", 400), fits=8192)
    assert found is not None
    assert verdict.said(found, "en") == (
        "Q4_K_M: 39% of the size, 1.11 × the perplexity, 75% same next token; fits with a context of 8,192 tokens."
    )
    small = verdict.of_row(row("Q4_K_M", 156, read(0.05)), row("F16", 400), fits=0)
    assert small is not None and "does not fit here" in verdict.said(small, "en")
    assert verdict.of_row(row("Q4_K_M"), row("F16")) is None


def test_a_clear_difference_has_a_winner() -> None:
    found = rows(row("Q8_0", quality=read(0.01), speed=fast(20.0)), row("Q2_K", quality=read(0.4), speed=fast(50.0)))
    closest, fastest = verdict.closest(SPEC, found), verdict.fastest(SPEC, found)
    assert closest.winner == "Q8_0" and closest.doubts == ()
    assert verdict.said(closest.sentence, "en") == "Q8_0 is closest to the reference: a mean KL divergence of 0.01."
    assert fastest is not None and fastest.winner == "Q2_K"


def reasons(judged: verdict.Judgement | None) -> str:
    assert judged is not None and judged.winner is None
    return " ".join(verdict.said(one, "en") for one in judged.doubts)


def test_no_winner_where_two_differ_by_less_than_their_error() -> None:
    near = rows(
        row("Q8_0", quality=read(0.100, scatter=0.9), speed=fast(20.0)),
        row("Q2_K", quality=read(0.101, scatter=-0.9), speed=fast(20.5)),
    )
    assert "Q8_0 and Q2_K differ by less than their error" in reasons(verdict.closest(SPEC, near))
    assert "differ by less than their error" in reasons(verdict.fastest(SPEC, near))


def test_no_winner_of_too_few_chunks_or_repeats() -> None:
    few = rows(
        row("Q8_0", quality=read(0.01, chunks=2), speed=fast(20.0)), row("Q2_K", quality=read(0.4), speed=fast(50.0))
    )
    assert "scored: 2; from 8 on" in reasons(verdict.closest(SPEC, few))
    hasty = Spec(**{**{name: getattr(SPEC, name) for name in SPEC.__struct_fields__}, "repeat": 1})
    assert "Repeats of each timing: 1" in reasons(verdict.fastest(hasty, few))


def test_no_winner_on_a_busy_machine() -> None:
    busy = rows(
        row("Q8_0", quality=read(0.01), speed=fast(20.0)),
        row("Q2_K", quality=read(0.4), speed=fast(50.0, others=0.35)),
    )
    assert "Other programs took 35% of the processor" in reasons(verdict.fastest(SPEC, busy))
    assert verdict.closest(SPEC, busy).winner == "Q8_0"  # what others do makes no model worse


def test_the_smallest_that_is_good_enough() -> None:
    near, far = read(0.01), read(0.4)
    found = rows(row("Q8_0", 200, quality=near), row("Q2_K", 100, quality=far))
    none = verdict.smallest(SPEC, found)  # each keeps three of four
    assert none is not None and none.winner is None and none.doubts == ()
    good = msgspec.structs.replace(near, figures=msgspec.structs.replace(near.figures, same_top=Estimate(0.9, 0.02)))
    edge = msgspec.structs.replace(near, figures=msgspec.structs.replace(near.figures, same_top=Estimate(0.82, 0.02)))
    found = rows(row("Q8_0", 200, quality=good), row("Q2_K", 100, quality=edge))
    chosen = verdict.smallest(SPEC, found)
    assert chosen is not None and chosen.winner == "Q8_0"  # the smaller one is not surely above
    assert verdict.said(chosen.sentence, "en") == (
        "Q8_0 is the smallest that surely keeps the reference's next token 80% of the time."
    )
    assert verdict.smallest(SPEC, [row("F16")]) is None


def test_no_winner_before_all_have_been_measured() -> None:
    early = rows(row("Q8_0", quality=read(0.01)), row("Q2_K"))
    assert "nothing to compare" in verdict.said(verdict.closest(SPEC, early).sentence, "en")
    assert verdict.fastest(SPEC, [row("F16")]) is None
    broken = [*rows(row("Q8_0", quality=read(0.01)), row("Q2_K", quality=read(0.4)))]
    failed = Row(
        name="Q3_K_M",
        reference=False,
        path=None,
        bytes=None,
        quality=None,
        speed=None,
        error=MeasureDied(model="x", detail="y"),
    )
    assert "could not be measured" in reasons(verdict.closest(SPEC, [*broken, failed]))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_sentence_is_filled(language: str) -> None:
    near = rows(row("Q8_0", quality=read(0.01, chunks=1), speed=fast(1.0, others=1.0)), row("Q2_K", quality=read(0.4)))
    said = [verdict.closest(SPEC, near), verdict.fastest(SPEC, near)]
    assert all("{" not in verdict.said(one, language) for each in said if each for one in (each.sentence, *each.doubts))
