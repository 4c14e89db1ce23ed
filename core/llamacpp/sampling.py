"""Choosing the next token: one llama.cpp sampler chain a request, in llama.cpp's order, and its grammar beside it.

Order (`common/sampling.cpp`, common_sampler_init): logit bias, penalties, DRY, top-k, typical, top-p, min-p, XTC,
temperature, then the draw; with mirostat v2 only bias, penalties, DRY, temperature and mirostat; at temperature 0 the
most probable token after bias, penalties and DRY. The grammar is asked only about the token chosen, and applied to the
whole vocabulary only when that one does not fit (`common_sampler_sample`): most tokens fit.
"""

from __future__ import annotations

import ctypes
import math
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from core.errors import GrammarInvalid, SettingInvalid
from core.events import Alternative
from core.llamacpp.vocabulary import Vocabulary
from core.messages import Sampling

LOWEST_LOGPROB = -9999.0
"""Stands for a probability of 0, as in OpenAI's API: JSON has no infinity."""

GRAMMAR_LIMIT_S = 5.0
"""For one token. An ambiguous grammar (`("a"?){500}`) can take for ever, inside llama.cpp, where nothing but the end of
the process ends it; the other side starts another with the next question."""

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


def check_logit_bias(sampling: Sampling, *, vocabulary: int) -> None:
    """Raises `SettingInvalid` for a token that the model does not have."""
    for token in sampling.logit_bias:
        if not 0 <= token < vocabulary:
            raise SettingInvalid(setting="logit_bias", value=token, allowed=f"tokens 0 … {vocabulary - 1}")


class Sampler:
    """The sampler of one request. `close` gives its memory back; nothing else may be called after."""

    def __init__(
        self, sampling: Sampling, *, vocabulary: Vocabulary, grammar: str | None, trained_context: int
    ) -> None:
        self._vocabulary = vocabulary
        self.remembers = _penalises(sampling) or sampling.dry_multiplier > 0
        self._grammar = _grammar(vocabulary, grammar) if grammar is not None else None
        self._chain = _chain(sampling, vocabulary, trained_context)
        self._most_probable = sampling.temperature <= 0 and not self.remembers and not sampling.logit_bias

    def remember(self, tokens: list[int]) -> None:
        """Shows the prompt's tokens to the penalties, which count them too."""
        if self.remembers:
            for token in tokens:
                llama.llama_sampler_accept(self._chain, token)

    def sample(self, context: llama.llama_context_p, row: int) -> int:
        """The next token, from the logits of output row `row`. Raises `GrammarInvalid` when the grammar allows none."""
        if self._grammar is None and self._most_probable:  # as the chain would, seven times as fast
            return int(logits(context, row, self._vocabulary.size).argmax())
        if self._grammar is None:
            return int(llama.llama_sampler_sample(self._chain, context, row))
        with _in_time_or_never():
            token = self._choose(context, row, grammar_first=False)
            if not _fits(self._grammar, token):
                token = self._choose(context, row, grammar_first=True)
            llama.llama_sampler_accept(self._grammar, token)
        llama.llama_sampler_accept(self._chain, token)
        return token

    @property
    def has_grammar(self) -> bool:
        """Whether it follows a grammar."""
        return self._grammar is not None

    def follow(self, grammar: str, tokens: Sequence[int]) -> bool:
        """From now on follows a grammar that the newest `tokens` have begun. False, and it does not, where they do not
        fit it. (llama.cpp's own lazy grammars end the process there.)"""
        begun = _grammar(self._vocabulary, grammar)
        with _in_time_or_never():
            for token in tokens:
                if not _fits(begun, token):
                    llama.llama_sampler_free(begun)
                    return False
                llama.llama_sampler_accept(begun, token)
        self._grammar = begun
        return True

    def close(self) -> None:
        """Frees the chain and the grammar."""
        llama.llama_sampler_free(self._chain)
        if self._grammar is not None:
            llama.llama_sampler_free(self._grammar)

    def _choose(self, context: llama.llama_context_p, row: int, *, grammar_first: bool) -> int:
        candidates = np.zeros(self._vocabulary.size, dtype=_CANDIDATE)
        candidates["id"] = np.arange(self._vocabulary.size)
        candidates["logit"] = logits(context, row, self._vocabulary.size)
        array = _as_array(candidates)
        if grammar_first:
            llama.llama_sampler_apply(self._grammar, ctypes.byref(array))
            if not np.isfinite(candidates["logit"]).any():
                raise GrammarInvalid(detail="no token of this model can follow what has come")
        llama.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)


def check_grammar(vocabulary: Vocabulary, grammar: str) -> None:
    """Raises `GrammarInvalid` for one that llama.cpp cannot parse."""
    llama.llama_sampler_free(_grammar(vocabulary, grammar))


def _fits(grammar: Any, token: int) -> bool:
    single = np.zeros(1, dtype=_CANDIDATE)
    single["id"], single["logit"] = token, 1.0
    array = _as_array(single)
    llama.llama_sampler_apply(grammar, ctypes.byref(array))
    return bool(np.isfinite(single["logit"][0]))


@contextmanager
def _in_time_or_never() -> Iterator[None]:
    timer = threading.Timer(GRAMMAR_LIMIT_S, _end_process)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_process() -> None:
    os.write(2, b"a grammar did not end in time\n")
    os._exit(70)


def logits(context: llama.llama_context_p, row: int, size: int) -> NDArray[np.float32]:
    """Logits of an output row, shape (vocabulary,), a view that lives until the next decode."""
    pointer = llama.llama_get_logits_ith(context, row)
    return np.ctypeslib.as_array(pointer, shape=(size,))


def log_probabilities(
    values: NDArray[np.float32], token: int, alternatives: int, vocabulary: Vocabulary
) -> tuple[float, tuple[Alternative, ...]]:
    """Natural-log probability of `token` under the model, before any sampler, and the most probable, best first."""
    shifted = values.astype(np.float64) - values.max()
    logs = shifted - math.log(np.exp(shifted).sum())
    logs = np.maximum(logs, LOWEST_LOGPROB)
    count = min(alternatives, len(logs))
    if count <= 0:
        return float(logs[token]), ()
    best = np.argpartition(-logs, count - 1)[:count]
    best = best[np.argsort(-logs[best], kind="stable")]
    return float(logs[token]), tuple(Alternative(vocabulary.text(int(t)), int(t), float(logs[t])) for t in best)


def _penalises(sampling: Sampling) -> bool:
    neutral = sampling.repeat_penalty == 1.0 and sampling.presence_penalty == 0.0 == sampling.frequency_penalty
    return sampling.repeat_last_n != 0 and not neutral


def _chain(sampling: Sampling, vocabulary: Vocabulary, trained_context: int) -> Any:
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    for sampler in _samplers(sampling, vocabulary, trained_context):
        llama.llama_sampler_chain_add(chain, sampler)
    return chain


def _samplers(s: Sampling, vocabulary: Vocabulary, trained_context: int) -> list[Any]:
    seed = secrets.randbits(32) if s.seed is None else s.seed
    chain: list[Any] = []
    if s.logit_bias:
        pairs = [llama.llama_logit_bias(token, bias) for token, bias in s.logit_bias.items()]
        biases = (llama.llama_logit_bias * len(pairs))(*pairs)
        chain.append(llama.llama_sampler_init_logit_bias(vocabulary.size, len(pairs), biases))
    if _penalises(s):
        last = _window(s.repeat_last_n, trained_context)
        chain.append(
            llama.llama_sampler_init_penalties(
                vocabulary.size, last, s.repeat_penalty, s.frequency_penalty, s.presence_penalty
            )
        )
    if s.dry_multiplier > 0:
        chain.append(_dry(s, vocabulary, trained_context))
    if s.temperature <= 0:
        return [*chain, llama.llama_sampler_init_greedy()]
    if s.mirostat == 2:
        return [
            *chain,
            llama.llama_sampler_init_temp(s.temperature),
            llama.llama_sampler_init_mirostat_v2(seed, s.mirostat_tau, s.mirostat_eta),
        ]
    return [
        *chain,
        llama.llama_sampler_init_top_k(s.top_k),
        llama.llama_sampler_init_typical(s.typical_p, 1),
        llama.llama_sampler_init_top_p(s.top_p, 1),
        llama.llama_sampler_init_min_p(s.min_p, 1),
        llama.llama_sampler_init_xtc(s.xtc_probability, s.xtc_threshold, 1, seed),
        llama.llama_sampler_init_temp(s.temperature),
        llama.llama_sampler_init_dist(seed),
    ]


def _dry(s: Sampling, vocabulary: Vocabulary, trained_context: int) -> Any:
    encoded = [b.encode("utf-8", errors="replace") for b in s.dry_sequence_breakers]
    breakers = (ctypes.c_char_p * len(encoded))(*encoded)
    last = _window(s.dry_penalty_last_n, trained_context)
    return llama.llama_sampler_init_dry(
        vocabulary.handle, s.dry_multiplier, s.dry_base, s.dry_allowed_length, last, breakers, len(encoded)
    )


def _window(tokens: int, trained_context: int) -> int:
    # llama.cpp allocates the whole window at once, so it is held to what a context can contain.
    return trained_context if tokens < 0 else min(tokens, trained_context)


def _grammar(vocabulary: Vocabulary, grammar: str) -> Any:
    sampler = llama.llama_sampler_init_grammar(vocabulary.handle, grammar.encode("utf-8", errors="replace"), b"root")
    if not sampler:
        raise GrammarInvalid(detail="llama.cpp cannot parse it")
    return sampler


def _as_array(candidates: NDArray[Any]) -> llama.llama_token_data_array:
    data = candidates.ctypes.data_as(llama.llama_token_data_p)
    return llama.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)
