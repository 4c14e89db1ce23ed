"""Our engine, for as long as a block lasts: a fresh process each time, as llama-bench is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.figure import Plan
from core import bench, settings
from core.events import Finished, Text
from core.messages import ChatRequest
from core.models.catalog import Catalog
from core.models.local import wire
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf


@contextmanager
def model(
    plan: Plan, *, context_length: int | None = None, parallel: int = ModelSettings().parallel
) -> Iterator[tuple[LocalModel, wire.Ready]]:
    """The plan's model, loaded as the workbench loads it, on as many threads as llama.cpp's tools are given."""
    wanted = ModelSettings(threads=plan.threads, context_length=context_length, parallel=parallel)
    shelf = Shelf()
    info = Catalog(settings.from_environment()).get(str(plan.model))
    opened = shelf.model(info, plan.model, wanted)
    try:
        yield opened, bench.load(opened)
    finally:
        shelf.close()


def ask(opened: LocalModel, request: ChatRequest) -> tuple[str, Finished]:
    """The answer to one request: its text and its end."""
    text = ""
    for event in opened.stream(request):
        if isinstance(event, Text):
            text += event.text
        if isinstance(event, Finished):
            return text, event
    raise AssertionError("a stream ends with Finished")
