"""What is known of repositories and files on the Hub, as frozen values. None: unknown. Sizes in bytes."""

from __future__ import annotations

from typing import Literal

import msgspec

Sort = Literal["trending_score", "downloads", "likes", "last_modified"]
Kind = Literal["model", "projector", "calibration"]
"""model: writes text. projector: the part of a model that sees or hears (mmproj). calibration: an importance matrix."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for among the repositories that have GGUF files.

    text: part of the name. author: the account. language: ISO 639-1. licence: the Hub's word for it ("apache-2.0").
    least, most: parameters.
    """

    text: str = ""
    author: str = ""
    language: str = ""
    licence: str = ""
    least: int | None = None
    most: int | None = None
    sort: Sort = "downloads"
    limit: int = 20


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A repository in a list. updated: seconds since 1970. gated: its author lets in only who agreed to terms.

    base: the repositories of the models that it was made from.
    """

    id: str
    author: str | None = None
    downloads: int | None = None
    likes: int | None = None
    updated: float | None = None
    parameters: int | None = None
    architecture: str | None = None
    context_length: int | None = None
    licence: str | None = None
    languages: tuple[str, ...] = ()
    gated: bool = False
    base: tuple[str, ...] = ()


class HubFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a repository; sha256: of its content, in hexadecimal, where the Hub tells it."""

    name: str
    size: int
    sha256: str | None = None


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One quantization of a model: a file, or the parts of a split one in order. label: "Q4_K_M" …

    complete: False where a part is missing in the repository, so that it cannot be had.
    """

    label: str
    kind: Kind
    files: tuple[HubFile, ...]
    complete: bool = True

    @property
    def name(self) -> str:
        """Its first file, which stands for all of it."""
        return self.files[0].name

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def bits_per_weight(self, parameters: int | None) -> float | None:
        """Bits of the files for each value of the model."""
        return self.size * 8 / parameters if parameters else None


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that was opened, as of `commit`. variants: smallest first, what is no model behind them."""

    found: Found
    commit: str
    variants: tuple[Variant, ...]

    @property
    def id(self) -> str:
        return self.found.id

    def variant(self, name: str) -> Variant | None:
        """The variant with this label, or that has this file."""
        wanted = name.casefold()
        for one in self.variants:
            if wanted in (one.label.casefold(), *(file.name.casefold() for file in one.files)):
                return one
        return None
