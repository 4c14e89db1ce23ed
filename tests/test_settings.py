from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from core.errors import SettingInvalid
from core.settings import APP_NAME, Settings, from_environment


def test_without_an_environment_everything_has_a_default() -> None:
    settings = from_environment({})
    assert settings.home.is_absolute()
    assert APP_NAME in settings.home.parts
    assert (settings.model_folders, settings.memory_bytes, settings.owners) == ((), None, "person")


def test_everything_kept_is_below_the_home(tmp_path: Path) -> None:
    settings = from_environment({"WORKBENCH_HOME": str(tmp_path)})
    assert settings.home == tmp_path
    assert settings.models == tmp_path / "models"
    assert settings.database == tmp_path / "workbench.db"
    assert settings.exports == tmp_path / "exports"


def test_reading_the_settings_makes_no_folder(tmp_path: Path) -> None:
    from_environment({"WORKBENCH_HOME": str(tmp_path / "home")})
    assert not (tmp_path / "home").exists()


def test_a_relative_home_and_a_tilde_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_environment({"WORKBENCH_HOME": "here"}).home == tmp_path / "here"
    assert from_environment({"WORKBENCH_HOME": "~/there"}).home == Path.home() / "there"


def test_model_folders_are_separated_as_in_path() -> None:
    value = os.pathsep.join(["one", "", "~/two"])
    assert from_environment({"WORKBENCH_MODELS": value}).model_folders == (Path("one"), Path.home() / "two")


@pytest.mark.parametrize(("value", "size"), [("4", 4 * 10**9), ("0.5", 5 * 10**8), (" 2 ", 2 * 10**9), ("", None)])
def test_memory_is_in_gigabytes(value: str, size: int | None) -> None:
    assert from_environment({"WORKBENCH_MEMORY_GB": value}).memory_bytes == size


@pytest.mark.parametrize("value", ["0", "-1", "much", "nan", "inf", "1e9", "4 GB"])
def test_memory_that_means_nothing_is_refused(value: str) -> None:
    with pytest.raises(SettingInvalid) as raised:
        from_environment({"WORKBENCH_MEMORY_GB": value})
    assert str(raised.value) == f"WORKBENCH_MEMORY_GB cannot be {value!r}."
    assert "gigabytes" in raised.value.advice()


@pytest.mark.parametrize(
    ("address", "owners"),
    [
        ("localhost", "person"),
        ("127.0.0.1", "person"),
        ("::1", "person"),
        ("0.0.0.0", "browser"),
        ("::", "browser"),
        ("192.168.1.7", "browser"),
        ("", "browser"),
        (None, "browser"),
    ],
)
def test_owners_follow_the_address(address: str | None, owners: str) -> None:
    assert from_environment({}, address=address).owners == owners
    assert from_environment({"WORKBENCH_OWNERS": ""}, address=address).owners == owners


@pytest.mark.parametrize("owners", ["person", "browser"])
def test_owners_can_be_set(owners: str) -> None:
    for address in ("localhost", None):
        assert from_environment({"WORKBENCH_OWNERS": owners}, address=address).owners == owners


@pytest.mark.parametrize("value", ["login", "Person", "everybody"])
def test_owners_unknown_are_refused(value: str) -> None:
    with pytest.raises(SettingInvalid, match="WORKBENCH_OWNERS"):
        from_environment({"WORKBENCH_OWNERS": value})


@pytest.mark.parametrize(
    ("owners", "keys", "given"),
    [("person", "", True), ("person", "own", True), ("browser", "", False), ("browser", "shared", True)],
)
def test_this_machine_s_keys_are_its_person_s(owners: str, keys: str, given: bool) -> None:
    assert from_environment({"WORKBENCH_OWNERS": owners, "WORKBENCH_KEYS": keys}).machine_keys is given


def test_keys_for_nobody_known_are_refused() -> None:
    with pytest.raises(SettingInvalid, match="WORKBENCH_KEYS"):
        from_environment({"WORKBENCH_KEYS": "everybody"})


def test_secrets_are_where_streamlit_has_them() -> None:
    project, own = from_environment({}).secrets
    assert (project.parent.parent / "app.py").is_file()
    assert own == Path.home() / ".streamlit" / "secrets.toml"


def test_the_process_environment_is_read_when_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    assert from_environment().home == tmp_path


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings(home=tmp_path).home = tmp_path  # type: ignore[misc]
