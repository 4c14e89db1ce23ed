"""A file's tokenizer at work and its chat template rendered, by a process that loads no weights and ends when done.

A few tenths of a second, whatever the model's size. Raises `TemplateInvalid`, `ModelLoadFailed`, and what reading a
file raises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from core import child
from core.child import ChildDied
from core.errors import ModelLoadFailed, TemplateInvalid, WorkbenchError
from core.gguf import reader
from core.gguf.look_wire import Failed, Frame, Look, Rendered, Tokens, decode_frame, encode

_MODULE = "core.llamacpp.look"
LIMIT_S = 30.0

EXAMPLE: tuple[tuple[str, str], ...] = (
    ("system", "You are a patient teacher."),
    ("user", "What is a token?"),
    ("assistant", "A piece of text that the model reads at once."),
    ("user", "And a chat template?"),
)
"""A short conversation: (role, text). English, as what is shown is what the model was trained to read."""

PASSAGES: dict[str, str] = {
    "en": (
        "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience "
        "and should act towards one another in a spirit of brotherhood. Everyone has the right to life, liberty and "
        "security of person. No one shall be held in slavery or servitude; slavery and the slave trade shall be "
        "prohibited in all their forms. No one shall be subjected to torture or to cruel, inhuman or degrading "
        "treatment or punishment. Everyone has the right to recognition everywhere as a person before the law."
    ),
    "fr": (
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de "
        "conscience et doivent agir les uns envers les autres dans un esprit de fraternité. Tout individu a droit à la "
        "vie, à la liberté et à la sûreté de sa personne. Nul ne sera tenu en esclavage ni en servitude ; l'esclavage "
        "et la traite des esclaves sont interdits sous toutes leurs formes. Nul ne sera soumis à la torture, ni à des "
        "peines ou traitements cruels, inhumains ou dégradants. Chacun a le droit à la reconnaissance en tous lieux de "
        "sa personnalité juridique."
    ),
}
"""The same text in two languages: articles 1, 3, 4, 5 and 6 of the Universal Declaration of Human Rights (1948)."""

_WORD = re.compile(r"\w+")


class Piece(msgspec.Struct, frozen=True):
    """One token: its number in the vocabulary, and the bytes it stands for (a character may need several tokens)."""

    id: int
    data: bytes

    @property
    def text(self) -> str:
        """Half characters as U+FFFD."""
        return self.data.decode("utf-8", errors="replace")


class PerWord(msgspec.Struct, frozen=True):
    """Tokens a word, on `PASSAGES`."""

    english: float
    french: float

    @property
    def ratio(self) -> float | None:
        """How many times as many tokens the French text takes, by what both say (not by their words); None for a
        vocabulary that has no tokens for either."""
        if not self.english:
            return None
        return self.french * words(PASSAGES["fr"]) / (self.english * words(PASSAGES["en"]))


def words(text: str) -> int:
    """Words of a text: runs of letters and digits."""
    return len(_WORD.findall(text))


def tokenize(path: Path, text: str, *, special: bool = False) -> list[Piece]:
    """The tokens of a text."""
    (frame,) = _asked(Look(str(path), [text], special), path)
    assert isinstance(frame, Tokens)
    return [Piece(id, data) for id, data in zip(frame.ids, frame.pieces, strict=True)]


def per_word(path: Path) -> PerWord:
    """How many tokens a word takes, in English and in French."""
    frames = _asked(Look(str(path), list(PASSAGES.values())), path)
    counts = [
        len(frame.ids) / words(text)
        for frame, text in zip(frames, PASSAGES.values(), strict=True)
        if isinstance(frame, Tokens)
    ]
    return PerWord(*counts)


def rendered(path: Path, messages: Sequence[tuple[str, str]] = EXAMPLE) -> Rendered:
    """The messages as the file's chat template writes them; without the system message where it takes none."""
    try:
        return _rendered(path, messages)
    except TemplateInvalid:
        without = [message for message in messages if message[0] != "system"]
        if len(without) == len(messages):
            raise
        return _rendered(path, without)


def _rendered(path: Path, messages: Sequence[tuple[str, str]]) -> Rendered:
    plain = [{"role": role, "content": content} for role, content in messages]
    (frame,) = _asked(Look(str(path), [], render=plain), path)
    assert isinstance(frame, Rendered)
    return frame


def _asked(look: Look, path: Path) -> list[Frame]:
    reader.check_tokens(reader.read(path))
    try:
        with closing(child.frames(_MODULE, encode(look), decode_frame, limit_s=LIMIT_S)) as said:
            frames = list(said)
    except ChildDied as error:
        raise ModelLoadFailed(model=path.name, detail=str(error)) from error
    for frame in frames:
        if isinstance(frame, Failed):
            raise WorkbenchError.from_dict(frame.error)
    return frames
