"""Where a key is found, which one is taken, and that it goes to no other host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import AddressInvalid, KeyringUnavailable, KeyUnusable
from core.models.remote.keys import Found, Keys
from core.models.remote.system_keyring import SERVICE, SystemKeyring
from core.store.database import Database
from core.store.providers import Providers
from tests.models.remote import keyrings

ME, YOU = "me", "you"
MISTRAL = "https://api.mistral.ai/v1"
OPENAI = "https://api.openai.com/v1"
OWN = "https://llm.example.org/v1"
VARIABLES = {"MISTRAL_API_KEY": "sk-variable", "OPENAI_API_KEY": "sk-openai", "AZURE_OPENAI_API_KEY": "sk-azure"}


@pytest.fixture
def backend() -> Iterator[keyrings.Working]:
    backend = keyrings.Working()
    with keyrings.installed(backend):
        yield backend


def secrets(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "secrets.toml"
    path.write_text(text, encoding="utf-8")
    return path


def key_of(keys: Keys, url: str, owner: str = ME) -> str | None:
    found = keys.find(owner, url)
    return found.key if found else None


def test_the_first_place_that_has_a_key_is_taken(db: Database, tmp_path: Path, backend: keyrings.Working) -> None:
    path = secrets(tmp_path, '[providers]\nmistral = " sk-file "\n')
    keys = Keys(Providers(db), keyring=SystemKeyring(), secrets=[path], environ=VARIABLES)
    taken: list[Found | None] = []
    keys.put(ME, MISTRAL, "sk-keyring", "keyring")
    keys.put(YOU, MISTRAL, "sk-yours")
    taken += [keys.find(ME, MISTRAL), keys.find(YOU, MISTRAL)]
    keys.forget(ME, MISTRAL)
    taken.append(keys.find(ME, MISTRAL))
    path.unlink()
    taken.append(keys.find(ME, MISTRAL))
    assert taken == [
        Found("sk-keyring", "keyring", "keyrings Working"),
        Found("sk-yours", "session"),
        Found("sk-file", "secrets", str(path)),
        Found("sk-variable", "environment", "MISTRAL_API_KEY"),
    ]
    assert "sk-" not in repr(taken) + repr(keys)


def test_a_key_that_is_given_again_replaces_the_one_before(db: Database, backend: keyrings.Working) -> None:
    keys = Keys(Providers(db), keyring=SystemKeyring(), environ={})
    for where, key in (("session", "sk-1"), ("keyring", "sk-2"), ("session", "sk-3")):
        keys.put(ME, OWN, f" {key}\n", where)  # type: ignore[arg-type]
        assert keys.find(ME, OWN) == Found(key, where, "keyrings Working" if where == "keyring" else "")  # type: ignore[arg-type]
    assert backend.entries == {}, "a key of the session only is in no keyring"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.mistral.ai/v1",
        "https://api.mistral.ai:8443/v1",
        "https://api.mistral.ai.example.org/v1",
        "https://example.org/v1",
        "http://localhost:8080/v1",
    ],
)
def test_no_key_goes_to_another_host(db: Database, tmp_path: Path, url: str, backend: keyrings.Working) -> None:
    path = secrets(
        tmp_path, '[providers]\nmistral = "sk-1"\n"api.mistral.ai" = "sk-2"\n"https://api.mistral.ai" = "3"\n'
    )
    keys = Keys(Providers(db), keyring=SystemKeyring(), secrets=[path], environ=VARIABLES)
    keys.put(ME, MISTRAL, "sk-session")
    keys.put(YOU, MISTRAL, "sk-keyring", "keyring")
    assert key_of(keys, url) is None and key_of(keys, url, YOU) is None
    assert key_of(keys, f"{MISTRAL}/") == key_of(keys, "HTTPS://API.Mistral.ai:443/v2") == "sk-session"


def test_a_variable_is_for_its_own_provider_alone(db: Database) -> None:
    keys = Keys(Providers(db), environ=VARIABLES)
    assert (key_of(keys, MISTRAL), key_of(keys, OPENAI)) == ("sk-variable", "sk-openai")
    assert key_of(keys, "https://api.groq.com/openai/v1") is None
    assert key_of(keys, "https://mine.openai.azure.com/openai/v1") is None, "whose resource it is, nobody knows"
    assert key_of(Keys(Providers(db), environ={"MISTRAL_API_KEY": "  "}), MISTRAL) is None


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("llm.example.org", "https://llm.example.org/v1"),
        ("llm.example.org:8443", "https://llm.example.org:8443/v1"),
        ("https://LLM.example.org", "https://llm.example.org/v1"),
        ("http://llm.example.org", "http://llm.example.org/v1"),
        ("localhost:8000", "http://localhost:8000/v1"),
        ("192.168.1.5:8000", "http://192.168.1.5:8000/v1"),
        ("mine.openai.azure.com", "https://mine.openai.azure.com/openai/v1"),
    ],
)
def test_an_entry_of_the_file_may_be_a_host(db: Database, tmp_path: Path, entry: str, url: str) -> None:
    keys = Keys(Providers(db), secrets=[secrets(tmp_path, f'[providers]\n"{entry}" = "sk-1"\n')], environ={})
    assert key_of(keys, url) == "sk-1"
    assert key_of(keys, OWN.replace("llm", "other")) is None


def test_an_entry_without_a_scheme_is_not_sent_in_clear_over_the_internet(db: Database, tmp_path: Path) -> None:
    keys = Keys(Providers(db), secrets=[secrets(tmp_path, '[providers]\n"llm.example.org" = "sk"\n')], environ={})
    assert key_of(keys, "http://llm.example.org/v1") is None
    assert key_of(keys, "http://llm.example.org:443/v1") is None


@pytest.mark.parametrize(
    "text", ["", "[providers", "providers = 3", "[providers]\nmistral = 3\n", "[other]\nmistral = 'sk'\n", "\x00\ufffe"]
)
def test_a_file_without_keys_has_none(
    db: Database, tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    keys = Keys(Providers(db), secrets=[secrets(tmp_path, text), tmp_path / "none.toml", tmp_path], environ={})
    assert key_of(keys, MISTRAL) is None
    assert text.strip()[:9] not in caplog.text or not text.strip()


@pytest.mark.parametrize("key", ["", " ", "sk one", "sk-1\nX: 2", "clé"])
def test_what_is_no_key_is_not_kept(db: Database, key: str, backend: keyrings.Working) -> None:
    keys = Keys(Providers(db), keyring=SystemKeyring(), environ={})
    with pytest.raises(KeyUnusable):
        keys.put(ME, OWN, key, "keyring")
    assert keys.find(ME, OWN) is None and backend.entries == {}


def test_what_is_no_address_has_no_key(db: Database) -> None:
    with pytest.raises(AddressInvalid):
        Keys(Providers(db), environ={}).find(ME, "localhost:8080")


def test_headers_are_kept_like_keys(db: Database, backend: keyrings.Working) -> None:
    keys = Keys(Providers(db), keyring=SystemKeyring(), environ={})
    keys.put_headers(ME, OWN, {"X-Team": "secret-1"})
    keys.put_headers(YOU, OWN, {"X-Team": "secret-2"}, "keyring")
    assert (keys.headers(ME, OWN), keys.headers(YOU, OWN)) == ({"X-Team": "secret-1"}, {"X-Team": "secret-2"})
    assert keys.headers(ME, MISTRAL) == {} and keys.find(ME, OWN) is None
    again = Keys(Providers(db), keyring=SystemKeyring(), environ={})
    assert (again.headers(ME, OWN), again.headers(YOU, OWN)) == ({}, {"X-Team": "secret-2"})
    again.forget(YOU, OWN)
    assert again.headers(YOU, OWN) == {} and backend.entries == {}
    with pytest.raises(KeyUnusable):
        keys.put_headers(ME, OWN, {"bad name": "x"})


def test_the_keyring_is_asked_only_for_what_was_put_there(db: Database, backend: keyrings.Working) -> None:
    backend.entries[SERVICE, "me https://api.mistral.ai:443"] = "sk-somebody's"
    keys = Keys(Providers(db), keyring=SystemKeyring(), environ={})
    assert keys.find(ME, MISTRAL) is None
    keys.forget(ME, MISTRAL)
    assert backend.reads == 0 and backend.entries
    keys.put(ME, OWN, "sk-1", "keyring")
    assert [key_of(Keys(Providers(db), keyring=SystemKeyring(), environ={}), OWN) for _ in range(2)] == ["sk-1"] * 2


def test_what_was_read_is_remembered(db: Database, backend: keyrings.Working) -> None:
    Keys(Providers(db), keyring=SystemKeyring(), environ={}).put(ME, OWN, "sk-1", "keyring")
    keys = Keys(Providers(db), keyring=SystemKeyring(), environ={})
    assert [key_of(keys, OWN) for _ in range(3)] == ["sk-1"] * 3 and backend.reads == 1


@pytest.mark.parametrize("kind", [keyrings.Locked, keyrings.Refusing, keyrings.Plain])
def test_a_keyring_that_cannot_be_used_is_said(db: Database, kind: type[keyrings.Working]) -> None:
    backend = kind()
    keys = Keys(Providers(db), keyring=SystemKeyring(read_s=0.05, write_s=0.05), environ={})
    with keyrings.installed(backend):
        with pytest.raises(KeyringUnavailable) as said:
            keys.put(ME, OWN, "sk-canary", "keyring")
        assert keys.find(ME, OWN) is None
        keys.put(ME, OWN, "sk-session")
        assert key_of(keys, OWN) == "sk-session"
    assert "canary" not in str(said.value) + str(said.value.to_dict()) + repr(said.value.__cause__)
    assert "session only" in said.value.advice()
    if isinstance(backend, keyrings.Locked):
        backend.given_up.set()


def test_a_keyring_that_was_locked_since_is_no_key_and_waited_for_once(db: Database) -> None:
    with keyrings.installed(keyrings.Working()):
        Keys(Providers(db), keyring=SystemKeyring(), environ={}).put(ME, OWN, "sk-1", "keyring")
    locked = keyrings.Locked()
    with keyrings.installed(locked):
        keys = Keys(Providers(db), keyring=SystemKeyring(read_s=0.05), environ={})
        assert [key_of(keys, OWN) for _ in range(3)] == [None] * 3 and locked.reads == 1
        locked.given_up.set()


def test_where_a_key_can_be_put(db: Database, backend: keyrings.Working) -> None:
    keys = Keys(Providers(db), keyring=SystemKeyring())
    assert (keys.places(), keys.keyring_name()) == (("session", "keyring"), "keyrings Working")
    for other in (keyrings.Plain(), None):
        with keyrings.installed(other or backend):
            keys = Keys(Providers(db), keyring=SystemKeyring() if other else None)
            assert (keys.places(), keys.keyring_name()) == (("session",), None)
    with pytest.raises(KeyringUnavailable):
        Keys(Providers(db)).put(ME, OWN, "sk-1", "keyring")


def test_a_computer_without_a_keyring_has_none() -> None:
    assert SystemKeyring().name() is None, "tests/conftest.py sees to it"
