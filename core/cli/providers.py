"""`python -m core providers`: the providers that are known, whether each has a key, and which servers run here.

JSON: {"presets": [{"id", "name", "kind", "base_url", "country", "key_variable", "key_page", "docs", "key": {"source",
"where"} or null} …], "detected": [{"base_url", "preset_id", "name", "version", "models", "seconds", "needs_key"} …],
"test": {"base_url", "model", "steps": [{"name", "state", "seconds", "detail", "error": {"error", "message", "hint"} or
null} …]}}. `detected` is null without --probe, `test` without --test. A key itself is never written. The exit code of
--test is 1 when a step failed. Keys are looked for where the pages look; for --test also in OPENAI_API_KEY.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core import settings
from core.cli import terminal
from core.cli.remote import KEY
from core.models.remote import checking, presets, probe
from core.models.remote.checking import Step
from core.models.remote.connections import LISTING, provider_of
from core.models.remote.endpoint import Endpoint, checked_url, endpoint
from core.models.remote.keys import Found, Keys
from core.models.remote.permit import Accounts
from core.models.remote.presets import Preset
from core.models.remote.probe import Detected
from core.models.remote.system_keyring import SystemKeyring
from core.store.database import Database
from core.store.providers import Providers
from core.store.runs import Runs

OWNER = "person"
"""Whoever is at this machine, as the pages call them (pages/ui/owner.py)."""


@dataclass(frozen=True)
class _Decided:
    """What the person at this machine gave and decided."""

    keys: Keys
    accounts: Accounts

    def key(self, preset: Preset) -> Found | None:
        return None if preset.placeholders else self.keys.find(OWNER, preset.base_url)

    def endpoint(self, base_url: str) -> Endpoint:
        url = checked_url(base_url)
        found = self.keys.find(OWNER, url)
        return endpoint(
            url,
            found.key if found else os.environ.get(KEY),
            provider=provider_of(url),
            timeouts=LISTING,
            headers=self.keys.headers(OWNER, url),
            permit=self.accounts.permit(OWNER),
        )


def run(args: argparse.Namespace) -> int:
    """Lists what is known; with --probe or --test what they find instead. Raises `AddressInvalid`."""
    with _decided() as decided:
        detected, steps = None, None
        if args.probe:
            detected = probe.detect(presets.all(), local_only=decided.accounts.local_only(OWNER))
            if not args.json:
                _write_detected(detected)
        if args.test is not None:
            there = decided.endpoint(args.test)
            steps = list(_tested(there, args.model, quiet=args.json))
        if args.json:
            test = None if steps is None else {"base_url": there.base_url, "model": args.model, "steps": steps}
            known = [_described(preset, decided.key(preset)) for preset in presets.all()]
            terminal.write_json({"presets": known, "detected": detected, "test": test})
        elif detected is None and steps is None:
            _write_presets(decided)
    return int(any(step["state"] == "failed" for step in steps or ()))


@contextmanager
def _decided() -> Iterator[_Decided]:
    kept = settings.from_environment()
    database = Database(kept.database)
    try:
        store = Providers(database)
        keys = Keys(store, keyring=SystemKeyring(), secrets=kept.secrets)
        yield _Decided(keys, Accounts(store, Runs(database)))
    finally:
        database.close()


def _described(preset: Preset, key: Found | None) -> dict[str, Any]:
    names = ("id", "name", "kind", "base_url", "country", "key_variable", "key_page", "docs")
    found = {"source": key.source, "where": key.where} if key else None
    return {**{name: getattr(preset, name) for name in names}, "key": found}


def _write_presets(decided: _Decided) -> None:
    rows = [
        (preset.id, preset.name, preset.kind, _words(preset, decided.key(preset)), preset.base_url)
        for preset in presets.all()
    ]
    terminal.write_table(("ID", "NAME", "KIND", "KEY", "ADDRESS"), rows)


def _words(preset: Preset, key: Found | None) -> str:
    if key is not None:
        return f"{key.source}: {key.where}" if key.where else key.source
    return f"none; {preset.key_variable} is not set" if preset.key_variable else "none"


def _write_detected(detected: list[Detected]) -> None:
    from core.figures import count

    rows = [
        (one.name, one.version or "?", one.base_url, "needs a key" if one.needs_key else count(one.models, "en"))
        for one in detected
    ]
    if rows:
        terminal.write_table(("NAME", "VERSION", "ADDRESS", "MODELS"), rows)
    else:
        terminal.say("no model server answers on this machine")


def _tested(there: Endpoint, model: str | None, *, quiet: bool) -> Iterator[dict[str, Any]]:
    """The steps as they ended; written as they end, unless `quiet`."""
    preset = presets.of(there.base_url)
    unsupported = preset.left_out(model or "") if preset else frozenset()
    progress = terminal.Progress()
    for step in checking.steps(there, model, unsupported=unsupported):
        if step.state == "running":
            progress.show(checking.NAMES[step.name])
            continue
        progress.clear()
        if not quiet:
            _write_step(step)
        yield {
            "name": step.name,
            "state": step.state,
            "seconds": step.seconds,
            "detail": step.detail.format(**step.values),
            "error": terminal.described(step.error) if step.error else None,
        }


def _write_step(step: Step) -> None:
    from core.figures import seconds

    took = seconds(step.seconds, "en") if step.seconds is not None else ""
    said = str(step.error) if step.error else step.detail.format(**step.values)
    terminal.write(f"{step.state:<8} {checking.NAMES[step.name]:<19} {took:>8}  {said}".rstrip() + "\n")
    if step.error and (hint := step.error.advice()):
        terminal.write(f"{'':<38}{hint}\n")
