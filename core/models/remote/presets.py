"""Where models can be reached: the rows of presets.toml, checked when they are read. Sends nothing, holds no key.

A preset says what an endpoint is called, where it is, where its key comes from, and what it does not take. That an
address is a preset's is told by the address alone; what a server on this machine is, by what it says (see probe.py).
"""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from core.errors import N_
from core.models.remote.address import origin, whereabouts

Kind = Literal["machine", "producer", "host"]
"""A server that runs on one's own machine; a provider that makes models; one that hosts the open ones of others."""

Native = Literal["ollama", "lmstudio", "llamacpp"]
"""An API of its own beside OpenAI's, which tells more of its models."""

Free = Literal["limited", "trained", "credit", "trial", "some", "development", "million", "keyless", "public"]

_FREE: dict[Free, str] = {
    "limited": N_("Free within rate limits."),
    "trained": N_("Free within rate limits; what you send may then be used to improve the provider's models."),
    "credit": N_("A small credit each month is free."),
    "trial": N_("Trial keys are free within rate limits, and not for commercial use."),
    "some": N_("Some models are free within rate limits."),
    "development": N_("Free for development, within rate limits."),
    "million": N_("The first million tokens are free."),
    "keyless": N_("Can be asked without a key, within tight rate limits."),
    "public": N_("Free for French public services."),
}

Note = Literal["responses", "token", "deployment"]

_NOTES: dict[Note, str] = {
    "responses": N_("Since September 2026 it answers OpenAI's Responses API only, which is not spoken here."),
    "token": N_("Its key is a token that lasts an hour: gcloud auth print-access-token."),
    "deployment": N_("A model goes by the name of its deployment."),
}

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FILLING = r"[A-Za-z0-9][A-Za-z0-9-]*"

Port = Annotated[int, msgspec.Meta(gt=0, lt=65536)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Id = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]+$")]


class Quirk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters that some models of a provider refuse. `models`: a pattern with * and [], for their names."""

    models: str
    unsupported: frozenset[str]


class Preset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A known provider. None: not known.

    base_url: may have {placeholders}, for what is a person's own. ports: where it listens on this machine, the usual
    one first. country: ISO 3166-1 code of whoever runs it. key_variable: the environment variable its key is in.
    unsupported: parameters that it refuses or ignores, by the names of body.py; takes: those of `body.EXTENSIONS` that
    it does take. lists_models: whether GET /models names what can be asked. usage: whether it counts tokens.
    prices: its id in genai-prices.
    """

    id: Id
    name: str
    kind: Kind
    base_url: str
    docs: str
    key_variable: str | None = None
    key_page: str | None = None
    country: Country | None = None
    free: Free | None = None
    note: Note | None = None
    ports: tuple[Port, ...] = ()
    unsupported: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    quirks: tuple[Quirk, ...] = ()
    lists_models: bool = True
    usage: bool = True
    tools: bool | None = None
    prices: str | None = None
    native: Native | None = None

    @property
    def free_tier(self) -> str | None:
        """What can be had for nothing: an English sentence, to be translated."""
        return _FREE[self.free] if self.free else None

    @property
    def caution(self) -> str | None:
        """What has to be known before it is connected: an English sentence, to be translated."""
        return _NOTES[self.note] if self.note else None

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What a person has to fill in before this is an address, such as `resource`."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.base_url)))

    @property
    def own_host(self) -> bool:
        """Whether the host is the provider's alone: no part of it is filled in, and it is not this machine."""
        return self.kind != "machine" and "{" not in urlsplit(self.base_url).netloc

    def url(self, **filling: str) -> str:
        """The address with its placeholders filled in, by letters, digits and hyphens; any other stays as it is."""

        def filled(found: re.Match[str]) -> str:
            text = filling.get(found[1], "").strip()
            return text if re.fullmatch(_FILLING, text) else found[0]

        return _PLACEHOLDER.sub(filled, self.base_url)

    def left_out(self, model: str) -> frozenset[str]:
        """Parameters that a model there does not take, by the names of body.py."""
        refused = [quirk.unsupported for quirk in self.quirks if fnmatchcase(model, quirk.models)]
        absent = {name for name, there in (("stream_options", self.usage), ("tools", self.tools)) if there is False}
        return self.unsupported.union(absent, *refused)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    preset: tuple[Preset, ...]


@functools.cache
def all() -> tuple[Preset, ...]:
    """Every preset: those of this machine, then the producers, then the hosts."""
    text = files(__package__).joinpath("presets.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File).preset


def get(id: str | None) -> Preset | None:
    """The preset of this id."""
    return next((preset for preset in all() if preset.id == id), None)


def of(base_url: str) -> Preset | None:
    """The preset that this checked address is of; on this machine only where no other preset has port and path."""
    if whereabouts(base_url) != "machine":
        return next((preset for preset in all() if preset.kind != "machine" and _is_at(preset, base_url)), None)
    parts = urlsplit(base_url)
    there = [one for one in all() if parts.port in one.ports and urlsplit(one.base_url).path == parts.path]
    return there[0] if len(there) == 1 else None


def _is_at(preset: Preset, base_url: str) -> bool:
    """Whether both are of one scheme, host and port."""
    pattern = _FILLING.join(re.escape(part) for part in _PLACEHOLDER.split(origin(preset.base_url))[::2])
    return re.fullmatch(pattern, origin(base_url)) is not None
