"""A loaded model's vocabulary: text to tokens and back."""

from __future__ import annotations

import ctypes
import re
from functools import cached_property

import llama_cpp.llama_cpp as llama

_CONTROL = llama.LLAMA_TOKEN_ATTR_CONTROL | llama.LLAMA_TOKEN_ATTR_UNKNOWN


class Vocabulary:
    """Tokenizer of one model. Reading it is thread-safe."""

    def __init__(self, model: llama.llama_model_p) -> None:
        vocab = llama.llama_model_get_vocab(model)
        assert vocab is not None
        self.handle = vocab
        self.size = llama.llama_vocab_n_tokens(vocab)
        self.adds_bos = llama.llama_vocab_get_add_bos(vocab)
        self._pieces: dict[int, bytes] = {}
        self._raw_pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}

    def is_end(self, token: int) -> bool:
        """Whether the token ends an answer (end of text, end of turn …)."""
        known = self._ends.get(token)
        if known is None:
            known = self._ends[token] = bool(llama.llama_vocab_is_eog(self.handle, token))
        return known

    def piece(self, token: int) -> bytes:
        """Bytes of a token as it stands in a text; control tokens are empty."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._render(token, special=False)
        return known

    def raw_piece(self, token: int) -> bytes:
        """Bytes of a token as it stands in a prompt, control tokens spelled out."""
        known = self._raw_pieces.get(token)
        if known is None:
            known = self._raw_pieces[token] = self._render(token, special=True)
        return known

    def text(self, token: int) -> str:
        """A token for people: its text, half characters as U+FFFD, control tokens spelled out."""
        return self.raw_piece(token).decode("utf-8", errors="replace")

    def special(self, token: int) -> str:
        """Text of a special token by id, empty for the id −1 (the model has none)."""
        return self.text(token) if token >= 0 else ""

    @cached_property
    def bos(self) -> str:
        """Text of the token that begins a text, empty when there is none."""
        return self.special(llama.llama_vocab_bos(self.handle))

    @cached_property
    def eos(self) -> str:
        """Text of the token that ends a text, empty when there is none."""
        return self.special(llama.llama_vocab_eos(self.handle))

    @cached_property
    def control_texts(self) -> re.Pattern[str] | None:
        """Finds the spelling of any control token in a text; None when the vocabulary has none."""
        attributes = llama.llama_vocab_get_attr
        found = [self.text(t) for t in range(self.size) if attributes(self.handle, t) & _CONTROL]
        spelled = sorted(filter(None, found), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, spelled))) if spelled else None

    def tokenize(self, text: str, *, special: bool, begin: bool = False) -> list[int]:
        """Tokens of a text. `special`: control tokens spelled in it are recognised; `begin`: the model's own first
        token is put before it where the model wants one."""
        data = text.encode("utf-8", errors="replace")
        room = len(data) + 16
        buffer = (llama.llama_token * room)()
        count = llama.llama_tokenize(self.handle, data, len(data), buffer, room, begin, special)
        if count < 0:
            buffer = (llama.llama_token * -count)()
            count = llama.llama_tokenize(self.handle, data, len(data), buffer, -count, begin, special)
        return list(buffer[:count])

    def detokenize(self, tokens: list[int]) -> str:
        """The text of tokens, control tokens spelled out."""
        return b"".join(map(self.raw_piece, tokens)).decode("utf-8", errors="replace")

    def _render(self, token: int, *, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(64)
        size = llama.llama_token_to_piece(self.handle, token, buffer, len(buffer), 0, special)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama.llama_token_to_piece(self.handle, token, buffer, len(buffer), 0, special)
        return buffer.raw[:size]
