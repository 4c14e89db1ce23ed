"""What a study says, in plain sentences computed from its figures; and when it is not to be trusted.

A sentence is an English msgid with values for its placeholders, each of a kind that says how it is written: `said` puts
it into a language. A winner is named only where the difference to the next one is larger than twice its standard error
and nothing else speaks against it; otherwise the reasons are given. Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from core import figures, words
from core.errors import N_
from core.gguf import estimates
from core.gguf.estimates import Estimate
from core.gguf.study import Row, Spec

ENOUGH_CHUNKS = 8
"""Some 2,000 scored positions at a context of 512: with fewer, errors are themselves uncertain."""

ENOUGH_REPEATS = 3
BUSY = 0.1
"""Share of the cores that others take from which on a speed is no longer the model's."""

KEPT = 0.8
"""Share of the places at which a variant that is to be recommended holds the reference's token most probable."""

SURE = 2.0
"""Standard errors that a difference has to have: some 95 % for values that scatter like chance."""

Kind = Literal["text", "percent", "size", "number", "count", "seconds", "rate"]
Value = tuple[Kind, float | str | None]


class Sentence(msgspec.Struct, frozen=True):
    """A msgid, and the values of its placeholders by name, each with its kind."""

    text: str
    values: Mapping[str, Value] = {}


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Who is ahead in one respect, by its name; None: it cannot be said, and `doubts` say why."""

    winner: str | None
    sentence: Sentence
    doubts: tuple[Sentence, ...] = ()


def said(sentence: Sentence, language: str) -> str:
    """The sentence in a language."""
    return words.translator(language)(sentence.text).format_map(
        {name: _shown(kind, value, language) for name, (kind, value) in sentence.values.items()}
    )


def of_row(row: Row, reference: Row | None, *, fits: int | None = None) -> Sentence | None:
    """One variant against the reference: size, perplexity, same next token, and the longest context that fits here
    (tokens; 0: none; None: not known). None where it has not been measured."""
    if row.quality is None or row.bytes is None or reference is None or not reference.bytes:
        return None
    found = row.quality.figures
    if found.ratio is None or found.same_top is None:
        return None
    values: dict[str, Value] = {
        "name": ("text", row.name),
        "size": ("percent", row.bytes / reference.bytes),
        "ratio": ("number", round(found.ratio.value, 2)),
        "same": ("percent", found.same_top.value),
        "context": ("count", fits),
    }
    if fits is None:
        return Sentence(N_("{name}: {size} of the size, {ratio} × the perplexity, {same} same next token."), values)
    if not fits:
        return Sentence(
            N_("{name}: {size} of the size, {ratio} × the perplexity, {same} same next token; does not fit here."),
            values,
        )
    return Sentence(
        N_(
            "{name}: {size} of the size, {ratio} × the perplexity, {same} same next token; fits with a context of "
            "{context} tokens."
        ),
        values,
    )


def doubts(spec: Spec, rows: Sequence[Row]) -> tuple[Sentence, ...]:
    """What speaks against trusting the figures of quality."""
    measured = [row for row in rows if row.quality is not None]
    found: list[Sentence] = []
    fewest = min((row.quality.figures.chunks for row in measured if row.quality is not None), default=0)
    if measured and fewest < ENOUGH_CHUNKS:
        found.append(
            Sentence(
                N_("Chunks of text that were scored: {chunks}; from {enough} on the errors can be believed."),
                {"chunks": ("count", fewest), "enough": ("count", ENOUGH_CHUNKS)},
            )
        )
    if any(row.error is not None for row in rows):
        found.append(Sentence(N_("Some could not be measured.")))
    elif len(measured) < len(spec.all):
        found.append(Sentence(N_("Not all have been measured yet.")))
    return tuple(found)


def speed_doubts(spec: Spec, rows: Sequence[Row]) -> tuple[Sentence, ...]:
    """What speaks against trusting the speeds."""
    found: list[Sentence] = []
    timed = [row for row in rows if row.speed is not None]
    if timed and spec.repeat < ENOUGH_REPEATS:
        found.append(
            Sentence(
                N_("Repeats of each timing: {repeats}; from {enough} on their scatter can be seen."),
                {"repeats": ("count", spec.repeat), "enough": ("count", ENOUGH_REPEATS)},
            )
        )
    busiest = max((row.speed.others or 0.0 for row in timed if row.speed is not None), default=0.0)
    if busiest > BUSY:
        found.append(
            Sentence(
                N_("Other programs took {share} of the processor meanwhile: the speeds are lower than they could be."),
                {"share": ("percent", busiest)},
            )
        )
    return tuple(found)


def closest(spec: Spec, rows: Sequence[Row]) -> Judgement:
    """Which variant is closest to the reference: the least mean KL divergence, compared position by position."""
    measured = {row.name: row.quality for row in rows if row.quality is not None and row.quality.figures.kl is not None}
    order = sorted(measured, key=lambda name: _mean_kl(measured[name].figures.kl))
    against = list(doubts(spec, rows))
    if len(order) < 2:
        return Judgement(winner=None, sentence=Sentence(N_("There is nothing to compare yet.")), doubts=tuple(against))
    first, second = order[:2]
    ours, theirs = ([value for chunk in measured[name].chunks for value in chunk.kl] for name in (second, first))
    if len(ours) == len(theirs):
        against += _too_close(estimates.paired(ours, theirs), first, second)
    else:
        against.append(Sentence(N_("They have not read the same places of the text.")))
    if against:
        return Judgement(
            winner=None,
            sentence=Sentence(N_("Which one is closest to the reference cannot be said.")),
            doubts=tuple(against),
        )
    return Judgement(
        winner=first,
        sentence=Sentence(
            N_("{name} is closest to the reference: a mean KL divergence of {kl}."),
            {"name": ("text", first), "kl": ("number", _mean_kl(measured[first].figures.kl))},
        ),
    )


def smallest(spec: Spec, rows: Sequence[Row]) -> Judgement | None:
    """The smallest file that surely keeps the reference's next token for `KEPT` of the places; None where nothing has
    been compared."""
    shares = {
        row.name: (row.bytes, row.quality.figures.same_top)
        for row in rows
        if row.bytes and row.quality is not None and row.quality.figures.same_top is not None
    }
    if not shares:
        return None
    against = doubts(spec, rows)
    share: dict[str, Value] = {"share": ("percent", KEPT)}
    if against:
        sentence = Sentence(
            N_("Which is the smallest that keeps the next token {share} of the time cannot be said."), share
        )
        return Judgement(winner=None, sentence=sentence, doubts=against)
    enough = [name for name, (_, same) in shares.items() if same.value - SURE * same.error >= KEPT]
    if not enough:
        return Judgement(
            winner=None,
            sentence=Sentence(N_("None surely keeps the reference's next token {share} of the time."), share),
        )
    name = min(enough, key=lambda one: shares[one][0])
    return Judgement(
        winner=name,
        sentence=Sentence(
            N_("{name} is the smallest that surely keeps the reference's next token {share} of the time."),
            {"name": ("text", name), **share},
        ),
    )


def fastest(spec: Spec, rows: Sequence[Row]) -> Judgement | None:
    """Which writes fastest; None where nothing was timed."""
    rates = {row.name: row.speed.write.estimate for row in rows if row.speed is not None and row.speed.write}
    if len(rates) < 2:
        return None
    first, second = sorted(rates, key=lambda name: -rates[name].value)[:2]
    against = [*speed_doubts(spec, rows), *_too_close(rates[first] - rates[second], first, second)]
    if against:
        return Judgement(
            winner=None, sentence=Sentence(N_("Which one writes fastest cannot be said.")), doubts=tuple(against)
        )
    return Judgement(
        winner=first,
        sentence=Sentence(
            N_("{name} writes fastest: {rate}."), {"name": ("text", first), "rate": ("rate", rates[first].value)}
        ),
    )


def _too_close(difference: Estimate, first: str, second: str) -> list[Sentence]:
    if difference.value > SURE * difference.error:
        return []
    return [
        Sentence(
            N_("{first} and {second} differ by less than their error."),
            {"first": ("text", first), "second": ("text", second)},
        )
    ]


def _mean_kl(kl: estimates.Divergence | None) -> float:
    return kl.mean.value if kl is not None else 0.0


def _shown(kind: Kind, value: float | str | None, language: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return figures.unknown(language)
    if kind == "count":
        return figures.count(int(value), language)
    write = {
        "percent": figures.percent,
        "size": figures.size,
        "seconds": figures.seconds,
        "rate": figures.rate,
    }.get(kind)
    return write(value, language) if write is not None else words.number(value, language, digits=3)
