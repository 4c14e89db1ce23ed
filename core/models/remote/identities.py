"""How a model server is told by what it says: rules as rows, read from top to bottom. Knows no network.

Several servers speak the APIs of others (KoboldCpp, Lemonade and LocalAI answer as Ollama does, KoboldCpp also as
llama.cpp's server), so whoever imitates stands above whom it imitates. Sources: KoboldCpp (koboldcpp.py), Lemonade
(docs/server/server_spec.md), LocalAI (features/api-discovery; before that core/http/routes/health.go), Docker Model
Runner (main.go), Ollama (docs/api.md), LM Studio (docs/api/rest-api), Foundry Local (reference/reference-rest), Open
WebUI (backend/open_webui/main.py), AnythingLLM (server/endpoints/system.js), text-generation-webui
(extensions/openai), llama.cpp (tools/server/README.md), llamafile (llamafile/server), vLLM
(vllm/entrypoints/openai), GPT4All (gpt4all-chat/src/server.cpp), Jan (src-tauri/src/core/server).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from core.models.remote import entries

LIST = "/v1/models"
OURS = "inference-workbench"
"""Not the id of a preset: another window of this workbench, or its API."""


@dataclass(frozen=True)
class Said:
    """A server's answer to a GET. `headers` by names in lower case; `text` is its beginning, `whole` says all of it."""

    status: int
    headers: Mapping[str, str]
    text: str
    whole: bool = True

    @cached_property
    def json(self) -> Any:
        """What the text says in JSON; None for a web page, for half of a text, and for a status that is no success."""
        try:
            return json.loads(self.text) if self.status == 200 else None
        except (ValueError, RecursionError):
            return None


class Sign(msgspec.Struct, frozen=True):
    """What is found at a path: in the JSON at `key`, in the header, or else in the text. `says`: a pattern in it."""

    path: str
    says: str = ""
    key: str | None = None
    header: str | None = None

    def found(self, said: Said) -> str | None:
        """The text in which the pattern is; None where it is not."""
        if self.header is not None:
            value: Any = said.headers.get(self.header)
        elif self.key is not None:
            value = entries.at(said.json, self.key)
        else:
            value = said.text if said.status == 200 else None
        text = None if value is None else str(value)
        return text if text is not None and re.search(self.says, text) else None


class Rule(msgspec.Struct, frozen=True):
    """A server that gives all these signs is the one of this preset. `version`: where it says its version."""

    preset: str
    signs: tuple[Sign, ...]
    version: Sign | None = None


RULES: tuple[Rule, ...] = (
    Rule(
        "koboldcpp",
        (Sign("/api/extra/version", "^KoboldCpp$", key="result"),),
        Sign("/api/extra/version", key="version"),
    ),
    Rule(
        "lemonade",
        (Sign("/api/v1/health", key="all_models_loaded"), Sign("/api/v1/health", key="version")),
        Sign("/api/v1/health", key="version"),
    ),
    Rule(
        "localai",
        (Sign("/.well-known/localai.json", key="endpoints"),),
        Sign("/.well-known/localai.json", key="version"),
    ),
    Rule(
        "localai",
        (Sign("/readyz", r"^(OK)?\s*$"), Sign("/version", key="version"), Sign(LIST, key="data")),
        Sign("/version", key="version"),
    ),
    Rule("dockermodelrunner", (Sign("/", "^Docker Model Runner"),)),
    Rule("ollama", (Sign("/", "^Ollama is running"),), Sign("/api/version", key="version")),
    Rule("lmstudio", (Sign("/api/v0/models", key="data.0.max_context_length"),)),
    Rule("llamafile", (Sign(LIST, "^llamafile", header="server"),), Sign(LIST, r"^llamafile/", header="server")),
    Rule("llamacpp", (Sign(LIST, r"^llama\.cpp$", header="server"),), Sign("/props", key="build_info")),
    Rule("llamacpp", (Sign(LIST, "^llamacpp$", key="data.0.owned_by"),), Sign("/props", key="build_info")),
    Rule("vllm", (Sign(LIST, "^vllm$", key="data.0.owned_by"),), Sign("/version", key="version")),
    Rule("gpt4all", (Sign(LIST, "^humanity$", key="data.0.owned_by"),)),
    Rule(OURS, (Sign(LIST, f"^{OURS}", key="data.0.owned_by"),)),
    Rule(OURS, (Sign(LIST, f"^{OURS}", header="server"),)),
    Rule(OURS, (Sign("/_stcore/health", "^ok$"),)),
    Rule("textgenwebui", (Sign("/v1/internal/model/info", key="model_name"),)),
    Rule("foundrylocal", (Sign("/openai/status", key="modelDirPath"),)),
    Rule(
        "openwebui",
        (Sign("/api/config", key="features.auth"), Sign("/api/config", key="name")),
        Sign("/api/config", key="version"),
    ),
    Rule("anythingllm", (Sign("/api/ping", "^True$", key="online"), Sign("/", "AnythingLLM"))),
    Rule("jan", (Sign("/openapi.json", '"title": ?"Jan API'), Sign(LIST, key="data"))),
)
"""Every Streamlit server says `ok` at /_stcore/health, which is enough: none is a model server but ours."""

ANY = Rule("", ())
"""Whatever else has a list of models."""


def refuses(said: Said) -> bool:
    """Whether this is how an OpenAI-compatible API asks for a key."""
    return said.status in (401, 403) and re.match(r'\s*\{\s*"(error|detail|message)"', said.text) is not None


def models(said: Said) -> int | None:
    """How many models a list has; None where it is no list of models, or only its beginning."""
    listed = entries.at(said.json, "data") if isinstance(said.json, dict) else said.json or None
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "id" in one for one in listed):
        return None
    return len(listed)
