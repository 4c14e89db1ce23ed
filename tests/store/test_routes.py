"""Routes kept: whose they are, which can be, and that every rule comes back as it was given."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.errors import NotThere, RouteInvalid
from core.models.routes import ByTask, Cheapest, Fastest, LocalFirst, RemoteFirst, Route, Row, Rule, is_route, models_of
from core.store.database import Database
from core.store.routes import Routes

ANA, BEN = "ana", "ben"
LOCAL, LAN, AWAY = "smollm2-135m", "http://10.0.0.7:8080/v1#qwen", "https://api.example.com/v1#big"
GENERAL = Row("general", LOCAL)
RULES: list[Rule] = [
    LocalFirst(LOCAL, AWAY),
    RemoteFirst(AWAY, LAN),
    ByTask((Row("code", AWAY), Row("my pupils", LAN, r"\bclasse de [0-9]e\b"), GENERAL)),
    Cheapest((LOCAL, AWAY)),
    Fastest((AWAY, LAN, LOCAL)),
]


@pytest.fixture
def routes(db: Database) -> Routes:
    return Routes(db)


def test_every_rule_comes_back_in_the_order_they_were_made(routes: Routes, db: Database) -> None:
    made = [routes.add(ANA, f" Route é{number} ", rule) for number, rule in enumerate(RULES)]
    assert [route.name for route in made] == [f"Route é{number}" for number in range(5)]
    assert Routes(db).list(ANA) == made
    assert [route.rule for route in made] == RULES
    assert all(is_route(route.model_id) and route.id.isalnum() for route in made)
    assert models_of(RULES[2]) == (AWAY, LAN, LOCAL)


def test_found_by_id_and_by_name(routes: Routes) -> None:
    first = routes.add(ANA, "At school", RULES[0])
    sly = routes.add(ANA, first.id, RULES[1])
    for name in ("At school", "at SCHOOL", "route:At school", " route: at school ", first.id, first.model_id):
        assert routes.get(ANA, name) == first, name
    assert routes.get(ANA, sly.id) == sly


@pytest.mark.parametrize("name", ["", "route:", "nowhere", "route:nowhere"])
def test_what_is_not_there(routes: Routes, name: str) -> None:
    with pytest.raises(NotThere):
        routes.get(ANA, name)


def test_changed_and_removed(routes: Routes) -> None:
    route = routes.add(ANA, "One", RULES[0])
    other = routes.add(ANA, "Two", RULES[1])
    changed = msgspec.structs.replace(route, name="Uno ", rule=RULES[3])
    routes.update(ANA, changed)
    assert routes.list(ANA) == [Route(route.id, "Uno", RULES[3]), other]
    routes.update(ANA, msgspec.structs.replace(changed, name="UNO"))
    routes.remove(ANA, route.id)
    assert routes.list(ANA) == [other]
    for gone in (lambda: routes.remove(ANA, route.id), lambda: routes.update(ANA, changed)):
        with pytest.raises(NotThere):
            gone()


def test_another_s_route_is_not_there(routes: Routes) -> None:
    route = routes.add(ANA, "One", RULES[0])
    for try_it in (
        lambda: routes.get(BEN, route.id),
        lambda: routes.get(BEN, "One"),
        lambda: routes.update(BEN, msgspec.structs.replace(route, name="Mine")),
        lambda: routes.remove(BEN, route.id),
    ):
        with pytest.raises(NotThere):
            try_it()
    assert routes.list(BEN) == [] and routes.list(ANA) == [route]
    routes.add(BEN, "One", RULES[0])


def test_two_routes_have_two_names(routes: Routes) -> None:
    routes.add(ANA, "Éclair", RULES[0])
    two = routes.add(ANA, "Two", RULES[0])
    with pytest.raises(RouteInvalid):
        routes.add(ANA, " éclair", RULES[1])
    with pytest.raises(RouteInvalid):
        routes.update(ANA, msgspec.structs.replace(two, name="ÉCLAIR"))
    assert [route.name for route in routes.list(ANA)] == ["Éclair", "Two"]


@pytest.mark.parametrize(
    "rule",
    [
        LocalFirst(LOCAL, LOCAL),
        LocalFirst(AWAY, LOCAL),
        RemoteFirst(AWAY, "https://elsewhere.example/v1#m"),
        RemoteFirst("route:abc", LOCAL),
        LocalFirst(LOCAL, ""),
        Cheapest(()),
        Cheapest((LOCAL,)),
        Fastest((LOCAL, "route:abc")),
        Fastest(tuple(f"m{number}" for number in range(21))),
        ByTask(()),
        ByTask((Row("code", AWAY),)),
        ByTask((GENERAL, GENERAL)),
        ByTask((Row("code", " route:x"), GENERAL)),
        ByTask((Row("cooking", AWAY), GENERAL)),
        ByTask((Row("cooking", AWAY, "(unclosed"), GENERAL)),
        ByTask((Row("cooking", AWAY, ""), GENERAL)),
        ByTask((Row("cooking", AWAY, "x" * 301), GENERAL)),
        ByTask((Row("cooking", AWAY, "(" * 150 + ")" * 150 + "{99999999999999999999}"), GENERAL)),
        ByTask((Row("", AWAY, "soup"), GENERAL)),
        ByTask((Row("general", AWAY, "soup"),)),
        ByTask((*(Row("code", AWAY) for _ in range(20)), GENERAL)),
    ],
)
def test_a_rule_that_cannot_be(routes: Routes, rule: Rule) -> None:
    with pytest.raises(RouteInvalid) as refused:
        routes.add(ANA, "r", rule)
    assert refused.value.values["detail"]
    assert routes.list(ANA) == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81])
def test_a_name_that_cannot_be(routes: Routes, name: str) -> None:
    with pytest.raises(RouteInvalid):
        routes.add(ANA, name, RULES[0])


def test_a_route_of_another_version_is_left_where_it_is(routes: Routes, db: Database, tmp_path: Path) -> None:
    route = routes.add(ANA, "One", RULES[0])
    with db.transaction() as connection:
        for number, spec in enumerate(('{"name": "Later", "rule": {"rule": "ByMood"}}', "no JSON", "{}")):
            connection.execute("INSERT INTO routes (id, owner, spec) VALUES (?, ?, ?)", (f"x{number}", ANA, spec))
    assert routes.list(ANA) == [route]
    with db.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM routes").fetchone()[0] == 4
