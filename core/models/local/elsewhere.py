"""Models that other programs of this machine keep: LM Studio, Ollama, Jan, GPT4All, llama.cpp, the Hugging Face cache.

`PLACES` is the knowledge, a row a program: the variable that names its folder, and where it is otherwise, by system.
Adding a program is adding a row. Only looks; reads no model. A folder that is not there is no error.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from core.models.local import files

MAX_MANIFEST = 1 << 20
MAX_MANIFESTS = 2000
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_MODEL_LAYER = "application/vnd.ollama.image.model"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program keeps its models.

    variables: names of the environment, each with what follows the folder it names; the first that is set counts alone.
    folders: templates, of which all that exist count; {home}, {data} (of the system, for programs), {config}, {cache}.
    """

    program: str
    variables: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]
    layout: Literal["tree", "ollama"] = "tree"


PLACES: tuple[Place, ...] = (
    Place(
        "LM Studio",
        (("WORKBENCH_LM_STUDIO", ""),),
        ("{home}/.lmstudio/models", "{home}/.cache/lm-studio/models"),
    ),
    Place(
        "Ollama",
        (("OLLAMA_MODELS", ""),),
        ("{home}/.ollama/models", "/usr/share/ollama/.ollama/models", "/var/lib/ollama/models"),
        "ollama",
    ),
    Place(
        "Jan",
        (("WORKBENCH_JAN", ""),),
        (
            "{data}/Jan/data/llamacpp/models",
            "{config}/Jan/data/llamacpp/models",
            "{data}/Jan/data/models",
            "{config}/Jan/data/models",
            "{config}/jan/models",
            "{home}/jan/models",
        ),
    ),
    Place("GPT4All", (("WORKBENCH_GPT4ALL", ""),), ("{data}/nomic.ai/GPT4All",)),
    Place("llama.cpp", (("LLAMA_CACHE", ""),), ("{cache}/llama.cpp",)),
    Place(
        "Hugging Face",
        (
            ("HF_HUB_CACHE", ""),
            ("HUGGINGFACE_HUB_CACHE", ""),
            ("HF_HOME", "/hub"),
            ("XDG_CACHE_HOME", "/huggingface/hub"),
        ),
        ("{home}/.cache/huggingface/hub",),
    ),
)


class Found(msgspec.Struct, frozen=True):
    """A file of another program's, and what that program calls it."""

    path: Path
    name: str
    program: str


def find(environ: Mapping[str, str] | None = None, *, system: str = sys.platform) -> list[Found]:
    """The models of all programs, each file once, in the order of `PLACES`, then by name."""
    env = os.environ if environ is None else environ
    found: list[Found] = []
    seen: set[Path] = set()
    for place in PLACES:
        folders = _folders(place, env, system)
        listed = _of_ollama(folders) if place.layout == "ollama" else _of_tree(folders)
        for path, name in listed:
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                found.append(Found(path, name, place.program))
    return found


def _folders(place: Place, env: Mapping[str, str], system: str) -> list[Path]:
    for variable, below in place.variables:
        if value := env.get(variable):
            return [files.located(value + below)]
    roots = _roots(env, system)
    return [Path(folder.format_map(roots)) for folder in place.folders if all(roots.values())]


def _roots(env: Mapping[str, str], system: str) -> dict[str, str]:
    """The folders that programs of this system keep things in."""
    home = env.get("HOME") or env.get("USERPROFILE") or os.path.expanduser("~")  # noqa: PTH111  # Path's may raise
    if system == "win32":
        local, roaming = env.get("LOCALAPPDATA", f"{home}/AppData/Local"), env.get("APPDATA", f"{home}/AppData/Roaming")
        return {"home": home, "data": local, "config": roaming, "cache": local}
    if system == "darwin":
        support = f"{home}/Library/Application Support"
        return {"home": home, "data": support, "config": support, "cache": f"{home}/Library/Caches"}
    return {
        "home": home,
        "data": env.get("XDG_DATA_HOME") or f"{home}/.local/share",
        "config": env.get("XDG_CONFIG_HOME") or f"{home}/.config",
        "cache": env.get("XDG_CACHE_HOME") or f"{home}/.cache",
    }


def _of_tree(folders: list[Path]) -> Iterator[tuple[Path, str]]:
    return ((path, path.name) for path in files.under(folders))


def _of_ollama(folders: list[Path]) -> Iterator[tuple[Path, str]]:
    """Ollama names its files by their checksum; its manifests say which is which."""
    for folder in folders:
        for manifest in _manifests(folder / "manifests"):
            digest = _model_digest(manifest)
            blob = folder / "blobs" / f"sha256-{digest}"
            if digest is not None and blob.is_file():
                yield blob, _ollama_name(manifest.relative_to(folder / "manifests"))


def _manifests(folder: Path) -> list[Path]:
    """REGISTRY/NAMESPACE/MODEL/TAG, no deeper."""
    try:
        return sorted(path for path in folder.glob("*/*/*/*") if path.is_file())[:MAX_MANIFESTS]
    except OSError:
        return []


def _model_digest(manifest: Path) -> str | None:
    try:
        with manifest.open("rb") as file:
            value = msgspec.json.decode(file.read(MAX_MANIFEST), type=_Manifest)
    except (OSError, msgspec.DecodeError):
        return None
    for layer in value.layers:
        if layer.media_type == _MODEL_LAYER and (digest := _DIGEST.fullmatch(layer.digest)):
            return digest[1]
    return None


class _Layer(msgspec.Struct, rename={"media_type": "mediaType"}):
    media_type: str = ""
    digest: str = ""


class _Manifest(msgspec.Struct):
    layers: list[_Layer] = msgspec.field(default_factory=list)


def _ollama_name(manifest: Path) -> str:
    _registry, namespace, model, tag = manifest.parts
    return f"{model}:{tag}" if namespace == "library" else f"{namespace}/{model}:{tag}"
