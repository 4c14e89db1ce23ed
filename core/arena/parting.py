"""Where two greedy answers part: the first token at which they differ, with what each model held probable there.

Both models are asked to go on from the last words that their answers have in common, greedily and with their
log-probabilities, until they differ. Tokens are compared by their text: two tokenizers cut it differently, and the two
places are then not one (`aligned`). An end token is a token. Knows no store and no page.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import cast

import msgspec

from core.arena.diff import common
from core.events import Event, Text, Token
from core.messages import ChatRequest, Message, Sampling
from core.models.base import ChatModel, ModelInfo

ALTERNATIVES = 10
FURTHER = 24
"""Tokens that each is asked for: more than one word of any tokenizer."""


class Said(msgspec.Struct, frozen=True):
    """An answer, and what it was the answer to."""

    model: ChatModel
    request: ChatRequest
    text: str


class Parting(msgspec.Struct, frozen=True, kw_only=True):
    """Where two answers part.

    common: what both say up to there. left, right: the token of each at that place, with its alternatives; None where
    the model gave none. aligned: both tokens begin at the same character. again: asked again, the models part there;
    False where they now say the same, as near ties do when a prompt is read in other pieces: the tokens are then those
    at the place where the answers parted.
    """

    common: str
    left: Token | None
    right: Token | None
    aligned: bool = True
    again: bool = True


def comparable(info: ModelInfo, request: ChatRequest) -> bool:
    """Whether an answer to this is one of which it can be asked where it parts: local, greedy, of free form."""
    free = request.grammar is None and request.json_schema is None
    return info.local and free and greedy(request.sampling)


def greedy(sampling: Sampling) -> bool:
    """Whether always the most probable token is taken, and none is made less probable by what stands before it."""
    plain = msgspec.structs.replace(Sampling(temperature=0.0), seed=sampling.seed)
    shaping = ("repeat_penalty", "presence_penalty", "frequency_penalty", "dry_multiplier", "mirostat", "logit_bias")
    return sampling.temperature == 0 and all(getattr(sampling, one) == getattr(plain, one) for one in shaping)


def parting(left: Said, right: Said) -> Parting | None:
    """Where they part; None where both answers are the same. Raises what asking a model raises."""
    if left.text == right.text:
        return None
    until = common(left.text, right.text)
    begun = left.text[: _word_border(left.text, until)]
    ours, theirs = _continued(left, begun), _continued(right, begun)
    our_text, their_text = _text(ours), _text(theirs)
    place = common(our_text, their_text)
    again = place < max(len(our_text), len(their_text))
    if not again:
        place = until - len(begun)
    (our_start, our_token), (their_start, their_token) = _token_at(ours, place), _token_at(theirs, place)
    return Parting(
        common=begun + our_text[: min(our_start, their_start)],
        left=our_token,
        right=their_token,
        aligned=our_start == their_start,
        again=again,
    )


def _word_border(text: str, until: int) -> int:
    """Where the last word before `until` ends, so that the text is cut into tokens as it was when it was written."""
    at = until
    while at and not text[at - 1].isspace():
        at -= 1
    return len(text[:at].rstrip())


def _continued(said: Said, begun: str) -> list[Token]:
    """The tokens with which the model goes on from there. Its end token is one of them, and not the last."""
    messages = said.request.messages
    if said.request.continue_last:
        messages = messages[:-1]
    request = msgspec.structs.replace(
        said.request,
        messages=(*messages, Message("assistant", begun)) if begun else messages,
        continue_last=bool(begun),
        logprobs=ALTERNATIVES,
        max_tokens=FURTHER,
        stop=(),
        ignore_end=True,
    )
    with closing(cast("Generator[Event]", said.model.stream(request))) as events:
        return [token for event in events if isinstance(event, Text) for token in event.tokens]


def _text(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def _token_at(tokens: list[Token], place: int) -> tuple[int, Token | None]:
    """The token in which that character stands, and where it begins."""
    start = 0
    for token in tokens:
        if start + len(token.text) > place:
            return start, token
        start += len(token.text)
    return start, None
