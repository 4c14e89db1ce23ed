"""JSON schemas that come from files: nothing is fetched for them, and a value is looked at only for so long.

The validator is jsonschema's. References are what can make a short schema take for ever, so that the deadline is looked
at with each; its patterns are matched as core/arena/safe_patterns.py does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, cast

from core.arena import safe_patterns
from core.errors import N_, CheckInvalid

LIMIT_S = 0.5
LONGEST = 50_000
MOST_UNIQUE = 1000
"""Items that are compared with each other for `uniqueItems`."""

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def sound(schema: str) -> str:
    """The schema, as JSON, when it can be used. Raises `CheckInvalid`."""
    _validator(schema)
    return schema


def first_fault(schema: str, value: Any) -> tuple[str, str] | None:
    """Where the value does not keep to it (a JSON path), and how; None where it does.

    Raises `TimeoutError` after about `LIMIT_S`, and `CheckInvalid`.
    """
    from referencing.exceptions import Unresolvable

    try:
        fault = next(_validator(schema)(time.monotonic() + LIMIT_S).iter_errors(value), None)
    except Unresolvable as exc:
        raise _invalid(N_("it refers to a part that is not there")) from exc
    return None if fault is None else (str(fault.json_path), str(fault.message)[:300].rstrip("."))


@lru_cache(maxsize=64)
def _validator(schema: str) -> Callable[[float], Any]:
    """What makes a validator that gives up at a moment of `time.monotonic`."""
    if len(schema) > LONGEST:
        raise _invalid(N_("it is too long"))
    try:
        parsed = json.loads(schema)
        _refuse(parsed)
        return _guarded(parsed)
    except (ValueError, RecursionError) as exc:
        raise _invalid(str(exc).rstrip(".") or type(exc).__name__) from exc


def _refuse(schema: Any) -> None:
    """Raises `CheckInvalid` for what would be fetched, and for patterns that jsonschema matches without a limit."""
    if isinstance(schema, list):
        for one in schema:
            _refuse(one)
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        if name in REFERENCES and isinstance(value, str) and not value.startswith("#"):
            raise _invalid(N_("it refers to an address outside it"))
        if name == "patternProperties":
            raise _invalid(N_("patternProperties is not taken"))
        if name == "pattern" and isinstance(value, str):
            safe_patterns.sound(value)
        _refuse(value)


def _guarded(schema: Any) -> Callable[[float], Any]:
    from jsonschema import Draft202012Validator, SchemaError, validators
    from referencing import Registry

    kind: Any = validators.validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as exc:
        raise _invalid(str(exc.message)[:300].rstrip(".")) from exc
    limited = {"pattern": _pattern, "uniqueItems": _unique(kind.VALIDATORS["uniqueItems"])}

    def until(deadline: float) -> Any:
        timed = {name: _timed(kind.VALIDATORS[name], deadline) for name in REFERENCES if name in kind.VALIDATORS}
        # With an empty registry nothing outside the schema is looked up.
        return validators.extend(kind, cast(Any, {**limited, **timed}))(schema, registry=Registry())

    return until


Keyword = Callable[[Any, Any, Any, Any], Iterator[Any]]
"""How jsonschema has a keyword: validator, the keyword's value, what is validated, the schema."""


def _pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and not safe_patterns.found(pattern, instance):
        yield ValidationError(f"{instance[:100]!r} does not match {pattern!r}")


def _unique(keyword: Keyword) -> Keyword:
    def unique(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, list) and len(instance) > MOST_UNIQUE:
            raise TimeoutError
        yield from keyword(validator, wanted, instance, schema) or ()

    return unique


def _timed(keyword: Keyword, deadline: float) -> Keyword:
    def timed(validator: Any, target: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if time.monotonic() > deadline:
            raise TimeoutError
        yield from keyword(validator, target, instance, schema) or ()

    return timed


def _invalid(detail: str) -> CheckInvalid:
    return CheckInvalid(kind="json_schema", detail=detail)
