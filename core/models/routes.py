"""What a route is: a model's id of its own, `route:<id>`, and the rule by which it chooses who answers. Values only.

A rule names models by their ids, as everywhere; none of them is a route, so that no route leads in a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core.errors import N_, RouteInvalid
from core.models import tasks
from core.models.remote.connections import is_remote
from core.models.remote.endpoint import whereabouts

PREFIX = "route:"
MOST = 20
"""Models, or rows, of one rule."""

LONGEST_NAME = 80
NO_ROUTE = N_("a route cannot lead to another route")


class _Rule(msgspec.Struct, frozen=True, tag_field="rule", tag=True):
    pass


class LocalFirst(_Rule, frozen=True):
    """`local`, and `remote` where the conversation is too long for it or it fails before its first word."""

    local: str
    remote: str


class RemoteFirst(_Rule, frozen=True):
    """`remote`, and `local` where that cannot be reached, refuses, or may not be asked."""

    remote: str
    local: str


class Row(msgspec.Struct, frozen=True):
    """Questions of one task go to one model. `task`: one of `tasks.TASKS`, "general" for all others, or a person's own
    word with the regular expression (see core/models/tasks.py) that such a question holds.
    """

    task: str
    model_id: str
    pattern: str | None = None


class ByTask(_Rule, frozen=True):
    """The model of the first row that fits. One row is the general one: it fits what no other does, and answers where
    the model that was chosen fails."""

    rows: tuple[Row, ...]


class Cheapest(_Rule, frozen=True):
    """The one whose answer should cost least; those whose price is unknown come last."""

    models: tuple[str, ...]


class Fastest(_Rule, frozen=True):
    """The one whose answer should be there first, by what was measured lately; those never measured come last."""

    models: tuple[str, ...]


Rule = LocalFirst | RemoteFirst | ByTask | Cheapest | Fastest


class Route(msgspec.Struct, frozen=True):
    """A route as it is kept. `id` is letters and digits."""

    id: str
    name: str
    rule: Rule

    @property
    def model_id(self) -> str:
        """What names it wherever a model can be picked."""
        return PREFIX + self.id


def is_route(model_id: str | None) -> bool:
    """Whether an id names a route."""
    return (model_id or "").strip().startswith(PREFIX)


def models_of(rule: Rule) -> tuple[str, ...]:
    """The ids of the models that a rule may choose, each once, in its order."""
    match rule:
        case LocalFirst(first, second) | RemoteFirst(first, second):
            ids: tuple[str, ...] = (first, second)
        case ByTask(rows):
            ids = tuple(row.model_id for row in rows)
        case Cheapest(models) | Fastest(models):
            ids = models
    return tuple(dict.fromkeys(ids))


def checked(name: str, rule: Rule) -> str:
    """The name as it is kept: without white space around it. Raises `RouteInvalid` for what can be no route."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise RouteInvalid(detail=N_("a name has from 1 to 80 characters, on one line"))
    ids = models_of(rule)
    for wrong, detail in (
        (any(not id.strip() for id in ids) or not ids, N_("a model is missing")),
        (any(is_route(id) for id in ids), NO_ROUTE),
        (len(ids) > MOST, N_("at most 20 models can be chosen from")),
    ):
        if wrong:
            raise RouteInvalid(detail=detail)
    _CHECKS.get(type(rule), _two_models)(rule)
    return name


def _two_models(rule: Any) -> None:
    if len(models_of(rule)) < 2:
        raise RouteInvalid(detail=N_("with one model there is nothing to choose"))


def _local_is_local(rule: LocalFirst | RemoteFirst) -> None:
    _two_models(rule)
    if is_remote(rule.local) and whereabouts(rule.local) == "away":
        raise RouteInvalid(detail=N_("the local model is not on this machine or this network"))


def _rows(rule: ByTask) -> None:
    if len(rule.rows) > MOST or sum(row.task == tasks.GENERAL for row in rule.rows) != 1:
        raise RouteInvalid(detail=N_("one row, and only one, is for all other questions"))
    for row in rule.rows:
        if row.pattern is None and row.task not in tasks.NAMES:
            raise RouteInvalid(detail=N_("a task of your own needs a regular expression"))
        if row.task == tasks.GENERAL and row.pattern is not None:
            raise RouteInvalid(detail=N_("the row for all other questions has no regular expression"))
        if not row.task.strip() or len(row.task) > LONGEST_NAME or not row.task.isprintable():
            raise RouteInvalid(detail=N_("a name has from 1 to 80 characters, on one line"))
        if row.pattern is not None and (fault := tasks.fault(row.pattern)):
            raise RouteInvalid(detail=fault)


_CHECKS: dict[type, Callable[[Any], None]] = {LocalFirst: _local_is_local, RemoteFirst: _local_is_local, ByTask: _rows}
