"""Environment and paths made one frozen value, once, at the start of a program.

WORKBENCH_HOME        the data folder; default: the system's place for user data
WORKBENCH_MODELS      more folders to look for GGUF files in, separated as in PATH
WORKBENCH_MEMORY_GB   memory that local models may take together; default: half of what the machine has
WORKBENCH_OWNERS      person | browser: whose conversations are whose; default by the address the server listens on
WORKBENCH_KEYS        this machine's keys of providers, from variables, files and the keyring: own | shared (with every
                      browser that opens the server, where each browser is an owner of its own)
WORKBENCH_CHROMA      host:port of a Chroma server that holds the search index; default: a folder of this machine
WORKBENCH_API_KEY     what programs must send to use the API; without it, only programs of this machine may
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from core.errors import SettingInvalid

Owners = Literal["person", "browser"]
"""`person`: everyone on this machine sees the same conversations. `browser`: each browser sees its own."""

APP_NAME = "inference-workbench"

_FOLDERS = (Path(__file__).resolve().parent.parent, Path(os.path.expanduser("~")))  # noqa: PTH111
"""Where Streamlit looks for its `.streamlit` too: the project's and the person's own. (Path's expanduser raises where
there is no home.)"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept and how much may be used."""

    home: Path
    model_folders: tuple[Path, ...] = ()
    memory_bytes: int | None = None
    owners: Owners = "person"
    api_key: str | None = field(default=None, repr=False)
    shared_keys: bool = False
    secrets: tuple[Path, ...] = ()
    chroma: str = ""

    @property
    def machine_keys(self) -> bool:
        """Whether this machine's keys are for whoever asks: everybody is one person, or it was decided so."""
        return self.owners == "person" or self.shared_keys

    @property
    def models(self) -> Path:
        """Folder of the models downloaded or made here."""
        return self.home / "models"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "workbench.db"

    @property
    def documents(self) -> Path:
        """Folder of the files that were added to collections."""
        return self.home / "documents"

    @property
    def index(self) -> Path:
        """Folder of the search index, made from the SQLite file."""
        return self.home / "index"

    @property
    def embeddings(self) -> Path:
        """Folder of the embedding models that were downloaded."""
        return self.home / "embeddings"

    @property
    def exports(self) -> Path:
        """Folder that exports are written to."""
        return self.home / "exports"


def from_environment(environ: Mapping[str, str] | None = None, *, address: str | None = "localhost") -> Settings:
    """The settings of this process. `address`: what the server listens on; None or 0.0.0.0 is every address.

    Raises `SettingInvalid` on a value that means nothing.
    """
    env = os.environ if environ is None else environ
    home = Path(env["WORKBENCH_HOME"]) if env.get("WORKBENCH_HOME") else _default_home()
    return Settings(
        home=home.expanduser().absolute(),
        model_folders=tuple(Path(p).expanduser() for p in env.get("WORKBENCH_MODELS", "").split(os.pathsep) if p),
        memory_bytes=_memory(env.get("WORKBENCH_MEMORY_GB")),
        owners=_owners(env.get("WORKBENCH_OWNERS"), address),
        api_key=env.get("WORKBENCH_API_KEY", "").strip() or None,
        shared_keys=_shared(env.get("WORKBENCH_KEYS")),
        chroma=_server(env.get("WORKBENCH_CHROMA")),
        secrets=tuple(folder / ".streamlit" / "secrets.toml" for folder in _FOLDERS),
    )


def _default_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path(APP_NAME, appauthor=False)


def _memory(value: str | None) -> int | None:
    if not value:
        return None
    try:
        gigabytes = float(value)
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < 1e6:
        raise SettingInvalid(setting="WORKBENCH_MEMORY_GB", value=repr(value), allowed="a number of gigabytes above 0")
    return int(gigabytes * 1e9)


def _owners(value: str | None, address: str | None) -> Owners:
    if not value:
        return "person" if address in ("localhost", "127.0.0.1", "::1") else "browser"
    if value not in ("person", "browser"):
        raise SettingInvalid(setting="WORKBENCH_OWNERS", value=repr(value), allowed="person, browser")
    return cast(Owners, value)


def _server(value: str | None) -> str:
    host, _, port = (value or "").strip().rpartition(":")
    if value and not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise SettingInvalid(setting="WORKBENCH_CHROMA", value=repr(value), allowed="host:port")
    return (value or "").strip()


def _shared(value: str | None) -> bool:
    if value not in (None, "", "own", "shared"):
        raise SettingInvalid(setting="WORKBENCH_KEYS", value=repr(value), allowed="own, shared")
    return value == "shared"
