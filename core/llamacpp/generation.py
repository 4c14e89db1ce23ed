"""One answer while it is being generated: its tokens, its sampler, its text, its clock."""

from __future__ import annotations

import time
from typing import cast

import llama_cpp.llama_cpp as llama

from core import metrics
from core.events import Alternative, Event, Finished, FinishReason, Prefill, Text, Token, Trimmed, Usage
from core.llamacpp import grammar, sampling
from core.llamacpp.prompt import Prompt
from core.llamacpp.sampling import Sampler
from core.llamacpp.sequences import Kept
from core.llamacpp.text_stream import TextStream
from core.llamacpp.vocabulary import Vocabulary
from core.messages import ChatRequest


class Generation:
    """A request on its way. `tokens`: prompt and answer so far, which is what its sequence must come to hold.

    Making one checks everything that can be checked before decoding, and raises what core.errors has for it.
    """

    def __init__(
        self,
        request_id: int,
        request: ChatRequest,
        prompt: Prompt,
        *,
        handed_over: float,
        vocabulary: Vocabulary,
        context_length: int,
        trained_context: int,
    ) -> None:
        sampling.check_logit_bias(request.sampling, vocabulary=vocabulary.size)
        self.id = request_id
        self.tokens = list(prompt.tokens)
        self.prompt_tokens = len(prompt.tokens)
        self.cached = 0
        self.keep = prompt.keep
        self._prompt = prompt
        self._request = request
        self._vocabulary = vocabulary
        self._context_length = context_length
        self._sampler = Sampler(
            request.sampling,
            vocabulary=vocabulary,
            grammar=grammar.of(request),
            trained_context=trained_context,
        )
        self._sampler.remember(self.tokens)
        self._text = TextStream(request.stop)
        self._handed_over = handed_over
        self._queue_s: float | None = None
        self._prefill_began: float | None = None
        self._at: list[float] = []
        self._processed = 0

    @property
    def started(self) -> bool:
        """Whether the first token has come."""
        return bool(self._at)

    def decoding(self, kept: Kept) -> bool:
        """Whether only the newest token is missing in the cache, and it is one of the answer."""
        return self.started and len(kept.tokens) == len(self.tokens) - 1

    def admitted(self, *, cached: int) -> None:
        """It has a place; `cached` tokens of its prompt were found in the cache."""
        if self._queue_s is None:
            self._queue_s = self._now()
            self.cached = cached

    def prefill(self, done: int) -> Prefill:
        """How far its prompt has been read."""
        return Prefill(done, self.prompt_tokens, self.cached, self._prompt.by_origin, self._context_length)

    def prefilling(self) -> None:
        """A slice of the prompt is about to be computed."""
        if self._prefill_began is None:
            self._prefill_began = self._now()

    def processed(self, tokens: int) -> None:
        """So many tokens of it were computed; those before the first answer token are the prompt's."""
        if not self.started:
            self._processed += tokens

    def next(self, context: llama.llama_context_p, row: int) -> tuple[Event | None, FinishReason | None]:
        """Draws the next token from an output row. Returns what is new and, when the answer is over, why.

        Raises `GrammarInvalid` when the grammar allows no token of this model.
        """
        token = self._sampler.sample(context, row)
        if self._vocabulary.is_end(token) and not self._request.ignore_end:
            return None, "stop"
        logprob: float | None = None
        top: tuple[Alternative, ...] = ()
        if self._request.logprobs is not None:
            values = sampling.logits(context, row, self._vocabulary.size)
            logprob, top = sampling.log_probabilities(values, token, self._request.logprobs, self._vocabulary)
        self._at.append(self._now())
        self.tokens.append(token)
        text = self._text.push(self._vocabulary.piece(token))
        value = Token(id=token, text=self._vocabulary.text(token), at=self._at[-1], logprob=logprob, top=top)
        reason: FinishReason | None = None
        if self._text.stopped:
            reason = "stop"
        elif self._request.max_tokens is not None and len(self._at) >= self._request.max_tokens:
            reason = "length"
        return Text(text, (value,)), reason

    def roll(self) -> Trimmed | None:
        """The context is full: leaves out what the policy says, so that the answer can go on; None when it says stop.

        Half of what may go is dropped at once, so that this happens rarely: what stays is computed again.
        """
        policy = self._request.overflow
        if policy == "stop":
            return None
        self.keep = self.keep if policy == "rolling" else max(self.keep, len(self.tokens) // 4)
        loose = len(self.tokens) - self.keep
        if loose < 64:
            return None
        dropped = loose // 2
        del self.tokens[self.keep : self.keep + dropped]
        return Trimmed(policy, 0, dropped)

    def finish(self, reason: str) -> list[Event]:
        """The last events: text that was held back, and `Finished`."""
        rest = self._text.flush()
        usage = Usage(
            prompt_tokens=self.prompt_tokens,
            generated_tokens=len(self._at),
            cached_tokens=self.cached,
            by_origin=self._prompt.by_origin,
            context_length=self._context_length,
        )
        began = self._prefill_began
        timings = metrics.timings(
            self._at,
            queue_s=self._queue_s,
            prefill_s=self._at[0] - began if self._at and began is not None else None,
            processed_tokens=self._processed,
        )
        finished = Finished(cast(FinishReason, reason), usage, timings)
        return [Text(rest), finished] if rest else [finished]

    def close(self) -> None:
        """Frees the sampler."""
        self._sampler.close()

    def _now(self) -> float:
        return time.perf_counter() - self._handed_over
