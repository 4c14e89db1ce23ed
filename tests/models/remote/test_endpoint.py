"""Addresses and keys: what is taken, what is refused, and that a refusal quotes nothing."""

from __future__ import annotations

import pytest

from core.errors import AddressInvalid, KeyUnusable
from core.models.remote.client import RemoteModel
from core.models.remote.endpoint import Timeouts, checked_url, endpoint
from tests.models.remote.conftest import INFO


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        (" http://localhost:8080/v1/ \n", "http://localhost:8080/v1"),
        ("https://api.example.org/v1/chat/completions", "https://api.example.org/v1"),
        ("https://api.example.org/v1/chat/completions/", "https://api.example.org/v1"),
        ("HTTPS://Example.org", "HTTPS://Example.org"),
        ("http://[::1]:11434/v1", "http://[::1]:11434/v1"),
        ("http://bücher.example/v1", "http://bücher.example/v1"),
    ],
)
def test_addresses_as_people_paste_them(typed: str, used: str) -> None:
    assert checked_url(typed) == used


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "does not begin"),
        ("localhost:8080/v1", "does not begin"),
        ("file:///etc/passwd", "does not begin"),
        ("javascript:alert(1)", "does not begin"),
        ("https://", "names no host"),
        ("http://:8080/v1", "names no host"),
        ("https://me:hunter2@example.org/v1", "user name or a password"),
        ("https://hunter2@example.org/v1", "user name or a password"),
        ("https://example.org/v1?key=hunter2", "a ? or a #"),
        ("https://example.org/v1#hunter2", "a ? or a #"),
        ("https://example.org:hunter2/v1", "its port"),
        ("https://example.org:99999/v1", "its port"),
        ("http://[::1/v1", "its host"),
        ("https://example.org/v1\r\nX-Key: hunter2", "a space or a character"),
        ("https://exa mple.org", "a space or a character"),
        ("https://example.org\\@hunter2/", "a space or a character"),
    ],
)
def test_no_addresses(typed: str, why: str) -> None:
    with pytest.raises(AddressInvalid, match=why.replace("?", r"\?")) as caught:
        RemoteModel(INFO, typed, "sk-1")
    assert "hunter2" not in str(caught.value) + repr(caught.value) + str(caught.value.to_dict())


@pytest.mark.parametrize(
    "host",
    [
        *(
            "169.254.169.254",
            "169.254.0.1",
            "[fe80::1]",
            "[fe80::1%eth0]",
            "[::ffff:169.254.169.254]",
            "[fd00:ec2::254]",
        ),
        *("2852039166", "0xA9FEA9FE", "169.16689662", "0251.0376.0251.0376", "169.254.169.254.", "100.100.100.200"),
        *("metadata.google.internal", "METADATA", "instance-data"),
    ],
)
def test_no_machine_s_own_settings_are_asked_for(host: str) -> None:
    with pytest.raises(AddressInvalid, match="own settings"):
        checked_url(f"http://{host}/latest/meta-data")
    with pytest.raises(AddressInvalid, match="own settings"):
        checked_url(f"http://{host}:80/v1")


def test_what_a_person_has_to_fill_in_is_said() -> None:
    with pytest.raises(AddressInvalid, match="filled in"):
        checked_url("https://{resource}.openai.azure.com/openai/v1")


@pytest.mark.parametrize("key", ["sk-hunter2\nX-Other: 1", "sk hunter2", "sk-hunter2\x00", "clé-hunter2", "sk\u200b"])
def test_keys_that_cannot_be_sent(key: str) -> None:
    with pytest.raises(KeyUnusable) as caught:
        RemoteModel(INFO, "http://localhost/v1", key)
    assert "hunter2" not in str(caught.value) + str(caught.value.to_dict())


@pytest.mark.parametrize("headers", [{"bad name": "x"}, {"": "x"}, {"x": "a\r\nb: c"}, {"x": ""}, {"x": " é"}])
def test_headers_that_cannot_be_sent(headers: dict[str, str]) -> None:
    with pytest.raises(KeyUnusable):
        RemoteModel(INFO, "http://localhost/v1", headers=headers)


@pytest.mark.parametrize("key", [None, "", "  ", " sk-1\n"])
def test_white_space_around_a_key_is_cut(key: str | None) -> None:
    made = endpoint("http://localhost/v1", key, provider="x", timeouts=Timeouts())
    assert made.key == ((key or "").strip() or None)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("models.localhost", True),
        ("127.8.9.1", True),
        ("[::1]", True),
        ("192.168.1.5", False),
        ("localhost.example.org", False),
        ("[fd00::1]", False),
    ],
)
def test_which_addresses_are_of_this_machine(host: str, here: bool) -> None:
    made = endpoint(f"http://{host}:8080/v1", provider="x", timeouts=Timeouts())
    assert made.on_this_machine is here


def test_secrets_are_taken_out_longest_first() -> None:
    made = endpoint(
        "http://h/v1", "sk-12345", provider="x", timeouts=Timeouts(), headers={"a": "sk-12345-long", "b": "1"}
    )
    assert made.scrub("key sk-12345-long and sk-12345, 1 left") == "key … and …, 1 left"
    assert "12345" not in repr(made)
