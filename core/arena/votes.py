"""A vote between two answers: frozen, and whole in itself: it outlives the models, and can be merged elsewhere."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.events import Energy, Finished
from core.messages import Message

Choice = Literal["a", "b", "tie", "both_bad"]
"""Which answer is better; as the arenas count it, `both_bad` is a tie that says something."""

Source = Literal["duel", "classroom", "judge", "import"]
"""Who voted: a person in a blind duel, somebody of a class, a judging model, or it came with a file."""

Pairing = Literal["random", "chosen", "small_small", "small_big", "quantizations"]
"""How the two were chosen: by chance, by the person, alike in size, unlike in size, one model in two quantizations."""

GOOD_REASONS = ("useful", "complete", "creative", "clear")
BAD_REASONS = ("wrong", "superficial", "off_instruction")


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two answers, and who gave it.

    `label`: what is ranked: the model's name, and what else tells it from the others (a quantization, a prompt, a
    temperature). `conversation`: what was said up to the vote, the answer last. `reasons`: of GOOD_REASONS and
    BAD_REASONS. `parameters`, `size_bytes`: of the model, None where unknown.
    """

    label: str
    model_id: str = ""
    model_name: str = ""
    provider: str = ""
    local: bool | None = None
    quantization: str | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    system_prompt: str = ""
    temperature: float | None = None
    conversation: tuple[Message, ...] = ()
    finished: Finished | None = None
    energy: Energy | None = None
    reasons: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The words that were voted on; '' where there are none."""
        return self.conversation[-1].content if self.conversation else ""


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One vote. `a` stood on the left, or first. None and '' where it is not known.

    `at`: seconds since 1970, UTC. `voter`: whose it is, a name that says nothing of the person. `duel_id`: the
    comparison or batch it was cast in; `turn`: after which of its questions, from 1. `category`: of the question
    ("reasoning", "code" …); `language`: ISO 639-1. `even_pace`: whether both were shown at one speed. `origin`: where
    an imported one came from.
    """

    id: str
    at: float
    choice: Choice
    a: Side
    b: Side
    source: Source = "duel"
    voter: str = ""
    duel_id: str = ""
    turn: int = 1
    pairing: Pairing | None = None
    category: str | None = None
    language: str | None = None
    even_pace: bool = False
    comment: str = ""
    origin: str = ""
