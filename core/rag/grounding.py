"""What an answer was given of documents, as frozen values: asked how, which passages, and what was left out and why."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.rag.retrieve import Options
from core.rag.values import Chunk, Hit, Stage

Mode = Literal["none", "passages", "whole"]
"""`none`: the model is asked without documents; `passages`: with those that were found; `whole`: with everything."""

Reason = Literal["rank", "context"]
"""Why a passage was left out: `rank` others were better; `context` it did not fit."""


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How documents are asked.

    rewrite: the model first makes one question of the conversation, if there is one. wordings: that many other wordings
    of it are searched too. reranker: the folder of a cross-encoder; empty for none.
    """

    mode: Mode = "passages"
    options: Options = Options()
    rewrite: bool = False
    wordings: int = 0
    reranker: str = ""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage as the model was given it, under its number (from 1)."""

    number: int
    chunk: Chunk
    scores: dict[Stage, float] = {}
    ranks: dict[Stage, int] = {}


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that was found and not given. `place`: from 1, where it stood among all that were found."""

    chunk: Chunk
    reason: Reason
    place: int
    scores: dict[Stage, float] = {}
    ranks: dict[Stage, int] = {}


class Grounding(msgspec.Struct, frozen=True, kw_only=True):
    """Of one answer. `asked`: what was searched for, `also` its other wordings. `weight`: of the vectors, where both
    were searched. `tokens`: about how many the passages have, `limit`: how many there was room for (None: unknown).

    `search_s`, `rewrite_s`: seconds. `mark`: the name of the marks around each passage in the prompt.
    """

    collection_id: str
    how: How
    asked: str = ""
    also: tuple[str, ...] = ()
    weight: float | None = None
    passages: tuple[Passage, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    tokens: int = 0
    limit: int | None = None
    search_s: float = 0.0
    rewrite_s: float = 0.0
    mark: str = ""
    french: bool = False

    def passage(self, number: int) -> Passage | None:
        """By its number."""
        return self.passages[number - 1] if 0 < number <= len(self.passages) else None


def passages(hits: list[Hit]) -> tuple[Passage, ...]:
    """Hits, numbered in their order."""
    return tuple(
        Passage(number=number, chunk=hit.chunk, scores=hit.scores, ranks=hit.ranks)
        for number, hit in enumerate(hits, start=1)
    )
