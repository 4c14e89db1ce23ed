"""Endpoints that are connected: whose they are, what they list, and that a key goes nowhere else."""

from __future__ import annotations

import gc
import ipaddress
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import errors
from core.models.remote import address, connections, listing
from core.models.remote.body import EXTENSIONS
from core.models.remote.connections import Connections, is_remote
from core.models.remote.endpoint import Endpoint, whereabouts
from core.settings import Settings
from core.store.database import Database
from core.workbench import open_workbench
from tests import asking
from tests.asking import request
from tests.models.remote.conftest import KEY
from tests.models.remote.conftest import connections as restarted
from tests.models.remote.misbehaving import Misbehaving

ME, YOU = "me", "you"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(connections, "LISTING", replace(connections.LISTING, read_s=0.3))
    yield


def names(kept: Connections, url: str, owner: str = ME) -> list[str]:
    kept.connect(owner, url, KEY)
    return [info.name for info in kept.models(owner, url)]


def test_a_connected_endpoint_lists_its_models_and_they_answer(kept: Connections, server: Misbehaving) -> None:
    url = server.url("well")
    connection = kept.connect(ME, f" {url}/ ", f" {KEY} ")
    assert server.asked == [], "connecting asks nothing"
    (info,) = kept.models(ME, url)
    assert (connection.base_url, connection.provider) == (url, "127.0.0.1")
    assert (info.id, info.name, info.provider, info.local) == (f"{url}#tiny", "tiny", "127.0.0.1", False)
    assert server.asked[0].path == "/well/v1/models"
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert kept.list(ME)[0].models == [info]
    model = kept.model(ME, info.id)
    assert model.info == info
    assert asking.text(model.stream(request())) == "The capital is Paris."
    assert server.asked[1].body["model"] == "tiny"
    assert server.asked[1].headers["authorization"] == f"Bearer {KEY}"


def test_nobody_sees_or_uses_another_s(kept: Connections, server: Misbehaving) -> None:
    url = server.url("well")
    assert names(kept, url) == ["tiny"]
    assert kept.list(YOU) == []
    with pytest.raises(errors.NotThere):
        kept.models(YOU, url)
    server.asked.clear()
    assert asking.text(kept.model(YOU, f"{url}#tiny").stream(request()))
    assert "authorization" not in server.asked[0].headers
    kept.connect(YOU, url, "sk-yours")
    assert asking.text(kept.model(ME, f"{url}#tiny").stream(request()))
    assert server.asked[1].headers["authorization"] == f"Bearer {KEY}"
    kept.disconnect(YOU, url)
    assert kept.list(YOU) == [] and len(kept.list(ME)) == 1


def test_connecting_again_changes_the_key(kept: Connections, server: Misbehaving) -> None:
    url = server.url("lists-for-key")
    kept.connect(ME, url, "sk-wrong")
    with pytest.raises(errors.KeyRefused):
        kept.models(ME, url)
    assert names(kept, url) == ["tiny"]
    assert len(kept.list(ME)) == 1


def test_after_disconnecting_the_key_is_gone(kept: Connections, server: Misbehaving) -> None:
    url = server.url("refuses-401")
    model_id = kept.connect(ME, url, KEY, names=["tiny"]).models[0].id
    with pytest.raises(errors.KeyRefused) as refused:
        list(kept.model(ME, model_id).stream(request()))
    assert not isinstance(refused.value, errors.KeyMissing)
    kept.disconnect(ME, f"{url}/")
    kept.disconnect(ME, url)
    with pytest.raises(errors.KeyMissing) as missing:
        list(kept.model(ME, model_id).stream(request()))
    assert "OPENAI_API_KEY" in missing.value.advice()
    assert [("authorization" in asked.headers) for asked in server.asked] == [True, False]
    del refused, missing
    gc.collect()
    endpoints = [thing for thing in gc.get_objects() if isinstance(thing, Endpoint) and thing.base_url == url]
    assert [made for made in endpoints if made.key] == []


def test_names_can_be_given_for_an_endpoint_that_lists_none(kept: Connections, server: Misbehaving) -> None:
    url = server.url("well")
    assert [info.id for info in kept.connect(ME, url, names=["org/a#b"]).models] == [f"{url}#org/a#b"]
    assert asking.text(kept.model(ME, f"{url}#org/a#b").stream(request()))
    assert [(asked.path, asked.body["model"]) for asked in server.asked] == [("/well/v1/chat/completions", "org/a#b")]
    with pytest.raises(errors.ModelNotFound):
        kept.connect(ME, url, names=["two\nlines"])


def test_what_llama_cpp_says_of_itself_is_taken(kept: Connections, server: Misbehaving) -> None:
    url = server.url("lists-llamacpp")
    assert names(kept, url) == ["smol"]
    model = kept.model(ME, f"{url}#smol")
    assert (model.info.context_length, model.unsupported) == (2048, frozenset())
    assert kept.model(YOU, f"{url}#smol").unsupported == EXTENSIONS


def test_a_long_list_is_cut_and_vllm_takes_some_parameters(kept: Connections, server: Misbehaving) -> None:
    url = server.url("lists-many")
    assert names(kept, url) == [f"model-{number}" for number in range(listing.MOST)]
    model = kept.model(ME, f"{url}#model-7")
    assert model.info.context_length == 512
    assert EXTENSIONS - model.unsupported == {"top_k", "min_p", "ignore_eos"}


@pytest.mark.parametrize(
    ("behaviour", "listed"),
    [
        ("lists-none", []),
        ("lists-null", []),
        ("lists-bare", ["first", "second"]),
        ("lists-odd", ["good", "org/name:free #2"]),
    ],
)
def test_lists_as_they_come(kept: Connections, server: Misbehaving, behaviour: str, listed: list[str]) -> None:
    assert names(kept, server.url(behaviour)) == listed
    assert all(info.context_length is None for info in kept.list(ME)[0].models)


@pytest.mark.parametrize(
    ("behaviour", "error", "says"),
    [
        ("refuses-401", errors.KeyRefused, "Invalid API key"),
        ("refuses-404", errors.EndpointNotFound, "its list of models"),
        ("refuses-503", errors.ProviderFailed, "Loading model"),
        ("redirects", errors.ProviderRedirects, "/well/v1"),
        ("no-status", errors.ProviderUnreachable, "lost"),
        ("lists-nothing", errors.AnswerMalformed, "no list of models"),
        ("lists-text", errors.AnswerMalformed, "no list of models"),
        ("lists-error", errors.ProviderFailed, "database is locked"),
        ("lists-nested", errors.AnswerMalformed, "."),
        ("lists-html", errors.AnswerMalformed, "a web page"),
        ("lists-no-json", errors.AnswerMalformed, "no JSON"),
        ("lists-not-utf8", errors.AnswerMalformed, "no JSON"),
        ("lists-for-ever", errors.AnswerMalformed, "it sent too much"),
    ],
)
def test_what_is_no_list(
    kept: Connections, server: Misbehaving, behaviour: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        names(kept, server.url(behaviour))
    assert [connection.models for connection in kept.list(ME)] == [[]]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("behaviour", ["never-answers", "lists-slowly"])
def test_a_list_is_not_awaited_for_ever(kept: Connections, server: Misbehaving, behaviour: str) -> None:
    with pytest.raises(errors.ProviderTimedOut):
        names(kept, server.url(behaviour))


def test_a_port_that_nobody_listens_on(kept: Connections, server: Misbehaving) -> None:
    url = server.url("well")
    server.__exit__()
    with pytest.raises(errors.ProviderUnreachable, match="refused"):
        names(kept, url)


def test_the_key_is_in_no_repr_error_log_or_file(
    server: Misbehaving, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    workbench = open_workbench(Settings(home=tmp_path))
    url = server.url("echo-key")
    connection = workbench.connections.connect(ME, url, KEY, names=["tiny"])
    with pytest.raises(errors.KeyRefused) as caught:
        workbench.connections.models(ME, url)
    model = workbench.chat_model(ME, connection.models[0].id)
    shown = [
        repr(connection),
        repr(workbench),
        repr(model),
        str(caught.value),
        str(caught.value.to_dict()),
        model.info.id,
    ]
    workbench.close()
    assert caplog.records
    assert [text for text in [*shown, caplog.text] if "canary" in text] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"canary" in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("url", "key", "error"),
    [
        ("localhost:8080", None, errors.AddressInvalid),
        ("http://me:hunter2@host/v1", None, errors.AddressInvalid),
        ("http://host/v1", "sk hunter2", errors.KeyUnusable),
    ],
)
def test_what_cannot_be_connected_is_not_kept(
    kept: Connections, url: str, key: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        kept.connect(ME, url, key)
    assert kept.list(ME) == [] and "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("model_id", "error"),
    [
        ("http://host/v1", errors.AddressInvalid),
        ("http://me:hunter2@host/v1#x", errors.AddressInvalid),
        ("http://host/v1#", errors.ModelNotFound),
        ("http://host/v1# x", errors.ModelNotFound),
        ("http://host/v1#a\u202eb", errors.ModelNotFound),
        ("http://host/v1#" + "x" * 201, errors.ModelNotFound),
    ],
)
def test_ids_that_name_no_model(kept: Connections, model_id: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        kept.info(model_id)
    with pytest.raises(error):
        kept.model(ME, model_id)


def test_an_id_is_taken_in_its_checked_form(kept: Connections) -> None:
    info = kept.info(" https://api.Example.org/v1/chat/completions/#gpt-x ")
    assert (info.id, info.name, info.provider) == ("https://api.Example.org/v1#gpt-x", "gpt-x", "api.example.org")
    assert kept.info(info.id) == info
    assert is_remote(info.id) and is_remote("HTTP://host/v1#x")
    assert not any(is_remote(id) for id in (None, "", "smollm2-135m", "/models/http.gguf", "http.gguf"))


@pytest.mark.parametrize(
    ("host", "where"),
    [
        *((host, "machine") for host in ("localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.9.1", "[::1]")),
        ("[::ffff:127.0.0.1]", "machine"),
        *(
            (host, "network")
            for host in ("10.1.2.3", "172.31.0.1", "192.168.1.5", "169.254.1.1", "[fe80::1]", "[fd00::1]")
        ),
        *(
            (host, "network")
            for host in ("classroom", "gpu-box", "printer.local", "nas.home.arpa", "host.docker.internal")
        ),
        ("[::ffff:192.168.1.5]", "network"),
        *((host, "away") for host in ("8.8.8.8", "172.32.0.1", "100.64.0.1", "[2001:db8::1]", "[2002:808:808::1]")),
        *((host, "away") for host in ("[::ffff:8.8.8.8]", "134744072", "0x08080808", "8.8", "api.example.org")),
        *((host, "away") for host in ("localhost.example.org", "xlocalhost.com", "127.0.0.1.nip.io", "bücher")),
    ],
)
def test_where_an_address_leads(host: str, where: str) -> None:
    assert whereabouts(f"http://{host}:8080/v1") == where
    assert whereabouts(f"https://{host}/v1#name") == where


def test_endpoints_and_what_they_list_are_there_after_a_restart_and_keys_are_not(
    kept: Connections, server: Misbehaving, db: Database
) -> None:
    first, second = server.url("lists-llamacpp"), server.url("well")
    assert names(kept, first) == ["smol"]
    kept.connect(ME, second, names=["by hand"])
    again = restarted(db)
    assert again.list(ME) == kept.list(ME) and again.list(YOU) == []
    assert [(one.base_url, [info.name for info in one.models]) for one in again.list(ME)] == [
        (first, ["smol"]),
        (second, ["by hand"]),
    ]
    listed, by_hand = again.list(ME)
    assert listed.listed_at is not None and by_hand.listed_at is None
    model = again.model(ME, f"{first}#smol")
    assert (model.info.context_length, model.unsupported) == (2048, frozenset())
    server.asked.clear()
    assert asking.text(again.model(ME, f"{second}#by hand").stream(request()))
    assert "authorization" not in server.asked[0].headers


def test_two_browsers_of_one_person_see_the_same(kept: Connections, server: Misbehaving, db: Database) -> None:
    other = restarted(db)
    url = server.url("well")
    names(kept, url)
    other.set_favourite(ME, f"{url}#tiny", True)
    other.set_local_only(ME, True)
    assert other.list(ME) == kept.list(ME)
    assert kept.favourites(ME) == {f"{url}#tiny"} and kept.local_only(ME)
    assert kept.favourites(YOU) == frozenset() and not kept.local_only(YOU)
    other.disconnect(ME, url)
    assert kept.list(ME) == []


def test_a_model_that_was_named_by_hand_stays(kept: Connections, server: Misbehaving) -> None:
    url = server.url("well")
    kept.connect(ME, url)
    added = kept.add_model(ME, url, "hidden")
    assert kept.add_model(ME, url, "hidden") == added
    assert [info.name for info in kept.models(ME, url)] == ["tiny", "hidden"]
    kept.add_model(ME, url, "tiny")
    assert [info.name for info in kept.models(ME, url)] == ["tiny", "hidden"]
    with pytest.raises(errors.ModelNotFound):
        kept.add_model(ME, url, "two\nlines")
    with pytest.raises(errors.NotThere):
        kept.add_model(YOU, url, "hidden")


def test_connecting_without_a_key_keeps_the_one_that_is_there(kept: Connections, server: Misbehaving) -> None:
    url, beside = server.url("well"), server.url("lists-llamacpp")
    kept.connect(ME, url, KEY, headers={"X-Team": "secret-team"})
    kept.connect(ME, url, "  ")
    kept.connect(ME, beside)
    assert asking.text(kept.model(ME, f"{url}#tiny").stream(request()))
    kept.models(ME, beside)
    for sent in (asked.headers for asked in server.asked):
        assert (sent["authorization"], sent["x-team"]) == (f"Bearer {KEY}", "secret-team")
    kept.disconnect(ME, url)
    kept.models(ME, beside)
    assert server.asked[-1].headers["x-team"] == "secret-team", "another endpoint of the same host uses it"
    kept.disconnect(ME, beside)
    kept.connect(ME, beside)
    kept.models(ME, beside)
    assert not {"authorization", "x-team"} & server.asked[-1].headers.keys()


def test_what_is_known_of_a_provider_is_filled_in(kept: Connections) -> None:
    (mini,) = kept.connect(ME, "https://api.openai.com/v1", names=["gpt-4o-mini"]).models
    assert (mini.provider, mini.country, mini.tools) == ("OpenAI", "US", True)
    assert mini.price is not None and mini.price.as_of
    assert kept.model(ME, mini.id).unsupported == EXTENSIONS | {"max_tokens"}
    kept.connect(ME, "https://openrouter.ai/api/v1", names=["x/y"])
    assert EXTENSIONS - kept.model(ME, "https://openrouter.ai/api/v1#x/y").unsupported == {"top_k", "min_p"}
    unlisted = kept.model(ME, "https://api.openai.com/v1#o3-mini")
    assert unlisted.info.price is not None and "temperature" in unlisted.unsupported
    assert kept.info("https://api.mistral.ai/v1#m").provider == "Mistral AI"


def test_a_name_is_given_to_its_own_address_alone(kept: Connections) -> None:
    def called(url: str, preset: str | None) -> str:
        return kept.connect(ME, url, preset=preset).provider

    assert called("http://localhost:8080/v1", None) == "localhost"
    assert called("http://localhost:8080/v1", "llamacpp") == "llama.cpp server"
    assert called("http://192.168.1.5:9999/v1", "ollama") == "Ollama"
    assert called("https://evil.example.org/v1", "ollama") == "evil.example.org"
    assert called("https://evil.example.org/v1", "openai") == "evil.example.org"
    assert called("https://api.openai.com/v1", "ollama") == "OpenAI"


def test_a_redirection_gets_no_key(kept: Connections, server: Misbehaving) -> None:
    url = server.url("redirects")
    (info,) = kept.connect(ME, url, KEY, names=["tiny"], headers={"X-Team": "secret-team"}).models
    for ask in (lambda: kept.models(ME, url), lambda: list(kept.model(ME, info.id).stream(request()))):
        server.asked.clear()
        with pytest.raises(errors.ProviderRedirects):
            ask()
        assert [asked.path.split("/")[1] for asked in server.asked] == ["redirects"], "nobody else was asked anything"


def test_a_name_that_leads_to_a_machine_s_own_settings_is_asked_nothing(
    kept: Connections, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback stands in for the link-local addresses, which a test cannot be given."""
    url = server.url("well").replace("127.0.0.1", "localhost")
    (info,) = kept.connect(ME, url, KEY, names=["tiny"]).models
    monkeypatch.setattr(address, "_LINK_LOCAL", [ipaddress.ip_network("127.0.0.0/8")])
    for ask in (lambda: kept.models(ME, url), lambda: list(kept.model(ME, info.id).stream(request()))):
        with pytest.raises(errors.AddressInvalid, match="own settings"):
            ask()
    assert server.asked == []
