"""Words for tests of downloads: one is begun, waited for, paused; what lies in the models folder."""

from __future__ import annotations

from core.hub.client import Hub
from core.hub.downloads import Download, Downloads
from core.settings import Settings
from tests.e2e.serving import PATIENCE_S, until
from tests.hub.local_hub import Fault, Repo

ME, OTHER = "person", "somebody else"


def begin(downloads: Downloads, hub: Hub, id: str = "org/tiny-GGUF", label: str | None = None) -> Download:
    repository = hub.repository(id)
    variant = repository.variant(label) if label else repository.variants[0]
    assert variant is not None
    return downloads.start(ME, repository, variant)


def ended(downloads: Downloads, id: str) -> Download:
    """The download when nothing of it runs any more."""
    assert downloads.job(ME, id).wait(PATIENCE_S)
    return next(one for one in downloads.list(ME) if one.id == id)


def files(settings: Settings) -> set[str]:
    """What lies in the models folder, but for the plans."""
    found = (path.relative_to(settings.models) for path in settings.models.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != ".downloads"}


def left_behind(repo: Repo, settings: Settings, count: int) -> None:
    """So many bytes of the file, as an earlier download left them."""
    part = settings.models / repo.id / "tiny-F32.gguf.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(repo.files["tiny-F32.gguf"][:count])


def paused(downloads: Downloads, hub: Hub, repo: Repo) -> Download:
    """A download that was paused when some of it had come."""
    repo.fault = Fault(times=1, pause_s=0.3)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].done > 0)
    downloads.pause(ME, begun.id)
    return ended(downloads, begun.id)
