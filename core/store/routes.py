"""The routes that people made. Every read and write has an owner: another's route is `NotThere`, as one that is not.

A route that this version cannot read is left out, and stays where it is.
"""

from __future__ import annotations

import sqlite3

import msgspec

from core.errors import N_, NotThere, RouteInvalid
from core.models import routes
from core.models.routes import PREFIX, Route, Rule
from core.store import records, rows
from core.store.database import Database


class _Kept(msgspec.Struct, frozen=True):
    name: str
    rule: Rule


class Routes:
    """The routes of all owners in one database. Every method raises `StoreUnavailable` when the database fails."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self, owner: str) -> list[Route]:
        """In the order in which they were made."""
        with self._db.reading() as connection:
            return _all(connection, owner)

    def get(self, owner: str, id: str) -> Route:
        """The route of this id, or of this name; with or without "route:" before it. Raises `NotThere`."""
        wanted = id.strip().removeprefix(PREFIX).strip()
        kept = self.list(owner)
        found = [route for route in kept if route.id == wanted] or [route for route in kept if _same(route, wanted)]
        if not found:
            raise NotThere(what=N_("route"))
        return found[0]

    def add(self, owner: str, name: str, rule: Rule) -> Route:
        """Keeps a new one. Raises `RouteInvalid`, also for a name that another has."""
        route = Route(rows.new_id(), routes.checked(name, rule), rule)
        with self._db.transaction() as connection:
            _check_name(connection, owner, route)
            fields = {"id": route.id, "owner": owner, "spec": _spec(route)}
            rows.insert(connection, "routes", fields)
        return route

    def update(self, owner: str, route: Route) -> None:
        """Puts another name and rule in place of those of its id. Raises `RouteInvalid` or `NotThere`."""
        route = msgspec.structs.replace(route, name=routes.checked(route.name, route.rule))
        with self._db.transaction() as connection:
            _check_name(connection, owner, route)
            values = (_spec(route), route.id, owner)
            if not connection.execute("UPDATE routes SET spec = ? WHERE id = ? AND owner = ?", values).rowcount:
                raise NotThere(what=N_("route"))

    def remove(self, owner: str, id: str) -> None:
        """Forgets it. Raises `NotThere`."""
        with self._db.transaction() as connection:
            if not connection.execute("DELETE FROM routes WHERE id = ? AND owner = ?", (id, owner)).rowcount:
                raise NotThere(what=N_("route"))


def _all(connection: sqlite3.Connection, owner: str) -> list[Route]:
    found = connection.execute("SELECT id, spec FROM routes WHERE owner = ? ORDER BY number", (owner,)).fetchall()
    kept = [(row["id"], records.from_json(row["spec"], _Kept)) for row in found]
    return [Route(id, spec.name, spec.rule) for id, spec in kept if spec is not None]


def _spec(route: Route) -> str:
    return records.to_json(_Kept(route.name, route.rule))


def _check_name(connection: sqlite3.Connection, owner: str, route: Route) -> None:
    """Names are told apart by people, and typed on the command line."""
    if any(other.id != route.id and _same(other, route.name) for other in _all(connection, owner)):
        raise RouteInvalid(detail=N_("another route has this name"))


def _same(route: Route, name: str) -> bool:
    return route.name.casefold() == name.casefold()
