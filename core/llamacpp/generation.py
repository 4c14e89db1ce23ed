"""One answer while it is being generated: its tokens, its sampler, its text, its clock."""

from __future__ import annotations

import time
from typing import cast

import llama_cpp.llama_cpp as llama

from core import metrics
from core.events import Alternative, Event, Finished, FinishReason, Prefill, Text, Token, ToolCall, Trimmed, Usage
from core.llamacpp import grammar, sampling, tool_calls
from core.llamacpp.prompt import Prompt
from core.llamacpp.sampling import Sampler
from core.llamacpp.sequences import Kept
from core.llamacpp.text_stream import TextStream
from core.llamacpp.tool_calls import Reader
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
        self._calling = tool_calls.of(request, prompt.form)
        self._reader = Reader(self._calling) if self._calling else None
        self._held: list[int] = []
        self._sampler = Sampler(
            request.sampling,
            vocabulary=vocabulary,
            grammar=self._grammar(grammar.of(request)),
            trained_context=trained_context,
        )
        self._sampler.remember(self.tokens)
        self._text = TextStream(request.stop)
        self._written = TextStream()
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

    def processed(self, *, shared: bool) -> None:
        """A token of it was computed, or `shared`: with another prompt, whose it is too, so that it came as if it had
        been in the cache. Those before the first answer token are the prompt's."""
        if not self.started:
            self._processed += not shared
            self.cached = min(self.cached + shared, self.prompt_tokens)

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
        text = self._text.push(self._vocabulary.piece(token)) if self._reader is None else self._words(token)
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
        """The last events: text that was held back, tool calls, and `Finished`."""
        calls, rest = self._rest()
        if calls and reason == "stop":
            reason = "tool_calls"
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
        return [*([Text(rest)] if rest else []), *calls, finished]

    def close(self) -> None:
        """Frees the sampler."""
        self._sampler.close()

    def _grammar(self, answer: str | None) -> str | None:
        """What the first token must follow; a grammar for later is only checked."""
        if self._calling is None:
            return answer
        from_start = self._calling.grammar_from_start(answer)
        if from_start is None:
            sampling.check_grammar(self._vocabulary, self._calling.grammar())
        return from_start

    def _words(self, token: int) -> str:
        """What is new of the words that are no tool call; the call that begins is held to the grammar of its tools."""
        assert self._reader is not None
        had_begun = self._reader.opened
        words = self._reader.push(self._written.push(self._call_piece(token)))
        if not had_begun:
            self._held.append(token)
            if self._reader.opened:
                self._follow_calls()
            elif not self._reader.held and not self._written.holding:
                self._held.clear()
        return self._text.push(words.encode())

    def _rest(self) -> tuple[list[ToolCall], str]:
        """At the end: the calls, and the text that was held back. A stop string ends words, and is none in a call."""
        if self._reader is None:
            return [], self._text.flush()
        words = self._reader.push(self._written.flush())
        calls, held = self._reader.rest()
        if not self._reader.opened:
            words, held = words + held, ""
        return calls, self._text.push(words.encode()) + self._text.flush() + held

    def _follow_calls(self) -> None:
        """Has the sampler follow the grammar, from the first of the tokens that may be a call. Where they are none in
        its eyes it goes on without, and what is read at the end is a call or is not."""
        assert self._reader is not None and self._calling is not None
        written = b"".join(map(self._call_piece, self._held)).decode("utf-8", errors="replace")
        if not self._sampler.has_grammar and written.endswith(self._reader.held):
            begun = written[: len(written) - len(self._reader.held)]
            self._sampler.follow(self._calling.grammar(begun), self._held)

    def _call_piece(self, token: int) -> bytes:
        """Bytes of a token, and of the control tokens that the calls are written with."""
        assert self._calling is not None
        hidden = self._vocabulary.text(token) in self._calling.form.hidden
        return self._vocabulary.raw_piece(token) if hidden else self._vocabulary.piece(token)

    def _now(self) -> float:
        return time.perf_counter() - self._handed_over
