"""The routes of a workbench as models: what is kept, what was measured and which endpoints are set aside, together.

Everything that takes an owner raises `NotThere` for another owner's route.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from core import choosing
from core.errors import N_
from core.models.base import ChatModel, ModelInfo
from core.models.breaker import Breaker
from core.models.choices import Speed
from core.models.remote.endpoint import whereabouts
from core.models.router import Describe, Router, info_of
from core.models.routes import ByTask, Cheapest, Fastest, LocalFirst, RemoteFirst, Row, Rule
from core.models.tasks import GENERAL
from core.store.routes import Routes
from core.store.tally import Tally

OFFERED_MOST = 6
"""Models of a ready-made route that chooses among all."""


class Routing:
    """Gives the routes of each owner as models. `breaker` is one for all."""

    def __init__(self, routes: Routes, tally: Tally, breaker: Breaker) -> None:
        self._routes = routes
        self._tally = tally
        self._breaker = breaker

    def model(self, owner: str, model_id: str, resolve: Callable[[str], ChatModel], describe: Describe) -> Router:
        """The route of this id or name. resolve and describe: see `Router`. Raises `NotThere`."""
        route, speeds = self._routes.get(owner, model_id), partial(self.speeds, owner)
        return Router(route, resolve, describe=describe, breaker=self._breaker, speeds=speeds)

    def info(self, owner: str, model_id: str, describe: Describe) -> ModelInfo:
        """What is known of the route of this id or name. Raises `NotThere`."""
        return info_of(self._routes.get(owner, model_id), describe)

    def infos(self, owner: str, describe: Describe) -> list[ModelInfo]:
        """What can be picked: every route of the owner."""
        return [info_of(route, describe) for route in self._routes.list(owner)]

    def speeds(self, owner: str) -> dict[str, Speed]:
        """By model, of those whose newest answers here were measured."""
        measured = choosing.measured(self._tally.speeds(owner), {})
        return {
            id: Speed(one.ttft_s, one.decode_rate, one.answers)
            for id, one in measured.items()
            if one.ttft_s is not None and one.decode_rate
        }


def offered(models: Sequence[ModelInfo]) -> list[tuple[str, Rule]]:
    """Ready-made routes over these models, each with a name (an English msgid): those that make sense here.

    The first model on this machine and the first elsewhere stand for theirs; a person changes them as they like.
    """
    local = [info.id for info in models if _is_local(info)]
    remote = [info.id for info in models if not _is_local(info)]
    some = tuple(dict.fromkeys([*local[:2], *remote, *local]))[:OFFERED_MOST]
    found: list[tuple[str, Rule]] = []
    if local and remote:
        found += [
            (N_("Local first"), LocalFirst(local[0], remote[0])),
            (N_("Remote first"), RemoteFirst(remote[0], local[0])),
        ]
    if len(some) > 1:
        others = remote or local[1:]
        found += [
            (N_("By task"), ByTask((Row("code", others[0]), Row(GENERAL, local[0] if local else remote[-1])))),
            (N_("Cheapest"), Cheapest(some)),
            (N_("Fastest"), Fastest(some)),
        ]
    return found


def _is_local(info: ModelInfo) -> bool:
    return info.local or whereabouts(info.id) == "machine"
