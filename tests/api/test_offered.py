"""What a model is told of the requests that are on their way to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core import settings
from core.api.offered import Offered
from core.models.catalog import EMBEDDED_ID, Catalog
from core.models.local.shelf import LocalModel, Shelf


class Noting(Shelf):
    """A shelf that keeps how its model may learn whether more is coming."""

    def model(self, *args: Any, more: Callable[[], bool] = lambda: False, **fields: Any) -> LocalModel:
        self.more = more
        return super().model(*args, more=more, **fields)


@dataclass
class Here:
    catalog: Catalog = field(default_factory=lambda: Catalog(settings.from_environment()))
    shelf: Noting = field(default_factory=Noting)


def test_more_is_announced_for_as_long_as_another_request_is_on_its_way() -> None:
    here = Here()
    offered = Offered(lambda: here)
    with offered.arriving():
        offered.get(EMBEDDED_ID)
        assert here.shelf.more()
        with offered.arriving():
            assert here.shelf.more()
        assert here.shelf.more()
    assert not here.shelf.more()
