"""The models of an endpoint, for a command that is given --base-url. The key comes from OPENAI_API_KEY: a command line
is seen by everybody on the machine, and kept in the shell's history.

An address that is typed in a command is asked: what was decided on the Providers page is for what is chosen there.
"""

from __future__ import annotations

import os

from core.models.base import ModelInfo
from core.models.remote import listing
from core.models.remote.client import RemoteModel
from core.models.remote.connections import LISTING, described, provider_of
from core.models.remote.endpoint import checked_url, endpoint

KEY = "OPENAI_API_KEY"


def model(base_url: str, name: str) -> RemoteModel:
    """The endpoint's model of this name. Raises `AddressInvalid`, `KeyUnusable` or `ModelNotFound`."""
    url = checked_url(base_url)
    return RemoteModel(described(url, name), url, os.environ.get(KEY))


def models(base_url: str) -> list[ModelInfo]:
    """The models that the endpoint lists. Raises a `ProviderError`."""
    url = checked_url(base_url)
    there = endpoint(url, os.environ.get(KEY), provider=provider_of(url), timeouts=LISTING)
    return [one.info for one in listing.models(there)]
