"""A real `python -m core serve`, shared by the tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from core.models.catalog import EMBEDDED_ID
from tests.api.serving import Served, serve
from tests.gguf.making import tiny

MODEL = EMBEDDED_ID


@pytest.fixture(scope="session")
def tiny_id(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a model that is computed in no time, and finds every token as probable as any other."""
    return str(tiny(tmp_path_factory.mktemp("models") / "tiny.gguf"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_id: str) -> Iterator[Served]:
    """With the embedded model and the tiny one."""
    folder = {"WORKBENCH_MODELS": str(Path(tiny_id).parent)}
    with serve(tmp_path_factory.mktemp("api"), environ=folder) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Served) -> Iterator[OpenAI]:
    """The official Python client; what fails is not tried again."""
    with OpenAI(base_url=server.base_url, api_key="none", max_retries=0) as one:
        yield one
