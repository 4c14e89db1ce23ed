"""Asks the Hub: which repositories have GGUF files, what one has, what stands in a file's header. Downloads nothing.

Through huggingface_hub's own client, at the one configured address. What leaves this machine is what was typed into the
search, and the name of what is opened; with *local only* nothing is asked. What was answered is kept a while, as a page
asks with every click. Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import N_, HubFailed, HubOffline, HubUnreachable, NameInvalid
from core.gguf import reader
from core.gguf.header import GGUF
from core.hub import naming, session
from core.hub.ranged import Ranged
from core.hub.values import Found, HubFile, Repository, Search, Variant
from core.models.remote.address import whereabouts
from core.models.remote.permit import ANYTHING, Permit
from core.settings import HUB, Settings

if TYPE_CHECKING:
    import httpx2

NAME = "Hugging Face Hub"
KEPT_S = 300.0
KEPT = 64
"""Answers that are kept for so many seconds, the newest."""

MAX_FOUND = 100
_EXPANDED = ("author", "downloads", "likes", "lastModified", "gated", "gguf", "tags", "cardData")

T = TypeVar("T")


class Hub:
    """The configured Hub. A permit is asked before each request."""

    def __init__(self, settings: Settings) -> None:
        self.endpoint = settings.hub
        self._offline = settings.hub_offline
        self._token: bool | None = None if settings.machine_keys else False
        self._kept: dict[tuple[object, ...], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    @property
    def away(self) -> bool:
        """Whether what is asked leaves this machine."""
        return whereabouts(self.endpoint) != "machine"

    @property
    def offline(self) -> bool:
        """Whether the environment forbids every request."""
        return self._offline

    def allowed(self, permit: Permit = ANYTHING) -> None:
        """Raises `LocalOnly`, `HubOffline` or, where this machine is on no network, `HubUnreachable`. Asks nothing."""
        permit.reach(NAME, away=self.away)
        if self._offline:
            raise HubOffline
        if self.away and not _on_a_network():
            raise HubUnreachable(address=self.endpoint, detail=N_("this machine is on no network"))

    def search(self, wanted: Search, permit: Permit = ANYTHING) -> list[Found]:
        """Repositories with GGUF files, in the order asked for. Raises a `HubError`, or `LocalOnly`."""
        self.allowed(permit)
        return self._once(("search", wanted), lambda: self._search(wanted))

    def repository(self, id: str, permit: Permit = ANYTHING) -> Repository:
        """One repository with its quantizations. Raises `HubNotFound`, another `HubError`, or `LocalOnly`."""
        named = self.named(id)
        if named is None:
            raise NameInvalid(name=repr(id.strip()[:100]))
        self.allowed(permit)
        return self._once(("repository", named), lambda: self._repository(named))

    def named(self, text: str) -> str | None:
        """The repository that somebody typed: OWNER/NAME, or the address of a page of it; None where it is none."""
        text = text.strip()
        for address in (self.endpoint, HUB):
            if text.startswith(f"{address}/"):
                text = "/".join(text.removeprefix(f"{address}/").split("/")[:2])
        return text if naming.is_repository(text) else None

    def header(self, repository: Repository, file: HubFile, permit: Permit = ANYTHING) -> GGUF:
        """The checked header of a file, of which only that much is fetched. Raises `ModelFileInvalid` or as above."""
        self.allowed(permit)
        key = ("header", repository.id, repository.commit, file.name)
        return self._once(key, lambda: self._header(repository, file, permit))

    def whole_header(self, repository: Repository, variant: Variant, permit: Permit = ANYTHING) -> GGUF:
        """The checked headers of all files of a variant as one model. Raises as `header`."""
        first, *others = (self.header(repository, file, permit) for file in variant.files)
        return reader.joined(first, others) if others else first

    @contextmanager
    def stream(
        self,
        repository: str,
        commit: str,
        name: str,
        *,
        start: int,
        end: int | None = None,
        permit: Permit = ANYTHING,
    ) -> Iterator[Any]:
        """The response with a file's bytes from `start` on, up to `end` (not included) where given; 200 or 206.

        Raises a `HubError` or `LocalOnly`; what breaks while it is read raises `httpx2.TransportError`.
        """
        self.allowed(permit)
        from huggingface_hub import get_session, hf_hub_url

        session.use(self.endpoint)
        with session.errors(self.endpoint, name=f"{repository}/{name}"):
            url = hf_hub_url(repository, name, revision=commit, endpoint=self.endpoint)
            headers = self._headers() | {"Accept-Encoding": "identity"}
            if start or end is not None:
                headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
            request = get_session().build_request("GET", url, headers=headers)
            response: httpx2.Response = get_session().send(request, stream=True)
        try:
            if response.status_code not in (200, 206):
                raise session.of_response(response, self.endpoint, name=f"{repository}/{name}")
            yield response
        finally:
            response.close()

    def _headers(self) -> dict[str, str]:
        from huggingface_hub.utils._headers import build_hf_headers

        return build_hf_headers(token=self._token, library_name=session.AGENT, library_version="0")

    def _api(self) -> Any:
        from huggingface_hub import HfApi

        session.use(self.endpoint)
        return HfApi(endpoint=self.endpoint, token=self._token, library_name=session.AGENT, library_version="0")

    def _search(self, wanted: Search) -> list[Found]:
        with session.errors(self.endpoint, name="models"):
            listed = self._api().list_models(
                filter=["gguf", *_tags(wanted)],
                author=wanted.author.strip()[:100] or None,
                search=wanted.text.strip()[:200] or None,
                num_parameters=_range(wanted),
                sort=wanted.sort,
                limit=min(wanted.limit, MAX_FOUND),
                expand=list(_EXPANDED),
            )
            return [_found(one) for one in listed if naming.is_repository(one.id)]

    def _repository(self, id: str) -> Repository:
        with session.errors(self.endpoint, name=id):
            told = self._api().model_info(id, files_metadata=True, timeout=session.SILENCE_S)
            files = [_file(one) for one in told.siblings or ()]
            if not naming.is_repository(told.id) or not isinstance(told.sha, str):
                raise HubFailed(detail=N_("what it says cannot be read"))
            return Repository(found=_found(told), commit=told.sha, variants=naming.variants(filter(None, files)))

    def _header(self, repository: Repository, file: HubFile, permit: Permit) -> GGUF:
        place = Path(f"{self.endpoint}/{repository.id}/{file.name}")

        def fetch(start: int, end: int) -> AbstractContextManager[Any]:
            return self.stream(repository.id, repository.commit, file.name, start=start, end=end, permit=permit)

        ranged = Ranged(fetch, size=file.size, address=self.endpoint)
        with session.errors(self.endpoint, name=f"{repository.id}/{file.name}"):
            return reader.read_from(ranged, size=file.size, name=place)

    def _once(self, key: tuple[object, ...], ask: Callable[[], T]) -> T:
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now - kept[0] < KEPT_S:
            answer: T = kept[1]
            return answer
        answer = ask()
        with self._lock:
            self._kept[key] = (now, answer)
            while len(self._kept) > KEPT:
                del self._kept[min(self._kept, key=lambda one: self._kept[one][0])]
        return answer


def _on_a_network() -> bool:
    """Whether any network but the machine's own is up. Nothing is sent to find out."""
    import psutil

    there = psutil.net_if_stats().values()
    return any(one.isup and "loopback" not in one.flags.split(",") for one in there)


def _tags(wanted: Search) -> list[str]:
    language, licence = wanted.language.strip().lower(), wanted.licence.strip().lower()
    return [*([language] if language else []), *([f"license:{licence}"] if licence else [])]


def _range(wanted: Search) -> str | None:
    """As the Hub writes it: "min:500M,max:7B"."""
    ends = [(name, value) for name, value in (("min", wanted.least), ("max", wanted.most)) if value is not None]
    told = [f"{name}:{value / 1e9:g}B" if value >= 1e9 else f"{name}:{value / 1e6:g}M" for name, value in ends]
    return ",".join(told) or None


def _found(told: Any) -> Found:
    """What the Hub says of a repository; whatever of it is not as it should be is unknown."""
    tags = [tag for tag in told.tags or () if isinstance(tag, str)]
    gguf = told.gguf if isinstance(told.gguf, dict) else {}
    card = told.card_data.to_dict() if told.card_data is not None else {}
    return Found(
        id=told.id,
        author=told.author if isinstance(told.author, str) else None,
        downloads=_number(told.downloads),
        likes=_number(told.likes),
        updated=told.last_modified.timestamp() if told.last_modified else None,
        parameters=_number(gguf.get("total")),
        architecture=_text(gguf.get("architecture")),
        context_length=_number(gguf.get("context_length")),
        licence=_text(card.get("license")) or next((tag[8:] for tag in tags if tag.startswith("license:")), None),
        languages=_texts(card.get("language")),
        gated=told.gated in ("auto", "manual", True),
        base=tuple(dict.fromkeys([*_texts(card.get("base_model")), *_bases(tags)])),
    )


def _bases(tags: list[str]) -> list[str]:
    """From tags like base_model:OWNER/NAME and base_model:quantized:OWNER/NAME."""
    named = [tag.rsplit(":", 1)[-1] for tag in tags if tag.startswith("base_model:")]
    return [name for name in named if naming.is_repository(name)]


def _file(told: Any) -> HubFile | None:
    size = told.lfs.size if told.lfs is not None else told.size
    if not isinstance(told.rfilename, str) or not isinstance(size, int) or isinstance(size, bool):
        return None
    sha256 = told.lfs.sha256 if told.lfs is not None else None
    sound = isinstance(sha256, str) and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")
    return HubFile(name=told.rfilename, size=size, sha256=sha256 if sound else None)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 60 else None


def _text(value: object) -> str | None:
    return value[:100] if isinstance(value, str) and value.strip() else None


def _texts(value: object) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [value]
    return tuple(one[:100] for one in several if isinstance(one, str) and one)[:50]
