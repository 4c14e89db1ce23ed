"""A child process: several variants over one text, each one's distribution at every place. See core/gguf/measures.py.

All read the same text, so that every place is the same question to each of them; or each goes on from it by itself,
greedily, and places are the same up to the first at which two take different tokens. One model is in memory at a time;
of the reference only its log-probabilities are kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import llama_cpp.llama_cpp as llama
import numpy as np

from core.errors import LogitsInvalid, TextTooShort
from core.gguf.measures import BesideTask, Frame, Likely, Position, Variant
from core.llamacpp import measuring
from core.llamacpp.measuring import Context, Logits, Machine, Measured

LONGEST = 512
"""Tokens of a text that are read; what is longer is cut: this is for looking at, not for measuring."""


def frames(task: BesideTask) -> Iterator[Frame]:
    """A `Variant` for each path. Raises what loading raises, `TextTooShort`, `LogitsInvalid`."""
    machine = Machine()
    reference: list[Logits] = []
    vocabulary = ""
    for number, (path, name) in enumerate(zip(task.paths, task.names, strict=True)):
        model = Measured(path, name, task.setup)
        comparable = number == 0 or model.fingerprint() == vocabulary
        if number == 0:
            vocabulary = model.fingerprint()
        reading = _Reading(model, task, reference if comparable else None, first=number == 0)
        yield Variant(number=number, comparable=comparable, positions=tuple(reading.positions()))
        model.close()
    yield measuring.finished(machine)


class _Reading:
    """One model's. `reference`: log-probabilities by place, filled by the first and read by the others."""

    def __init__(self, model: Measured, task: BesideTask, reference: list[Logits] | None, *, first: bool) -> None:
        self._model = model
        self._task = task
        self._reference = reference
        self._first = first

    def positions(self) -> Iterator[Position]:
        """The places in order."""
        tokens = self._model.vocabulary.tokenize(self._task.text, special=False, begin=True)[:LONGEST]
        if not self._model.vocabulary.adds_bos and tokens:
            tokens = [llama.llama_vocab_bos(self._model.vocabulary.handle), *tokens] if self._has_bos() else tokens
        if len(tokens) < 2:
            raise TextTooShort(tokens=len(tokens), needed=2)
        context = self._model.context(
            len(tokens) + self._task.own_way + 1, outputs=1 if self._task.own_way else len(tokens)
        )
        yield from self._on_its_own(context, tokens) if self._task.own_way else self._together(context, tokens)
        context.close()

    def _has_bos(self) -> bool:
        return int(llama.llama_vocab_bos(self._model.vocabulary.handle)) >= 0

    def _together(self, context: Context, tokens: list[int]) -> Iterator[Position]:
        for start in range(0, len(tokens) - 1, context.size):
            part = tokens[start : min(start + context.size, len(tokens) - 1)]
            context.batch.clear()
            for offset, token in enumerate(part):
                context.batch.add(0, token, start + offset, True)
            context.decode()
            logits = context.logits(0, len(part))
            for offset in range(len(part)):
                place = start + offset
                yield self._position(logits[offset], place, came=tokens[place + 1])

    def _on_its_own(self, context: Context, tokens: list[int]) -> Iterator[Position]:
        context.read(tokens)
        row = (len(tokens) - 1) % context.size
        for place in range(self._task.own_way):
            logits = context.logits(row)[0]
            token = int(logits.argmax())
            yield self._position(logits, place, came=token)
            if self._model.vocabulary.is_end(token):
                return
            context.read([token], at=len(tokens) + place)
            row = 0

    def _position(self, logits: Logits, place: int, *, came: int) -> Position:
        own = logits - logits.max()
        own -= np.log(np.exp(own).sum())
        if not np.isfinite(own[came]):
            raise LogitsInvalid(model=self._model.name, chunk=1)
        kl: float | None = None
        if self._first and self._reference is not None:
            self._reference.append(own)
        elif self._reference is not None and place < len(self._reference):
            base = self._reference[place]
            kl = max(float((np.exp(base) * (base - own)).sum()), 0.0)
        number = min(self._task.alternatives, len(own))
        best = np.argpartition(own, -number)[-number:]
        top = sorted((int(one) for one in best), key=lambda one: -own[one])
        return Position(came=self._likely(own, came), top=tuple(self._likely(own, one) for one in top), kl=kl)

    def _likely(self, own: Logits, token: int) -> Likely:
        return Likely(token, self._model.vocabulary.text(token), float(np.exp(own[token])))


def main() -> None:
    """The process: one task, then its frames."""
    task = measuring.task()
    assert isinstance(task, BesideTask)
    measuring.say(frames(task))


if __name__ == "__main__":
    main()
