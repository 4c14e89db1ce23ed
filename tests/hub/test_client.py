"""Searching and opening repositories through huggingface_hub's own client, a Hub on loopback; what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import (
    HubBusy,
    HubFailed,
    HubGated,
    HubLeadsAstray,
    HubNotFound,
    HubOffline,
    HubTokenRefused,
    HubUnreachable,
    LocalOnly,
    NameInvalid,
)
from core.hub import session
from core.hub.client import Hub
from core.hub.values import Search
from core.models.remote.permit import Permit
from core.settings import Settings
from tests.e2e.serving import free_port
from tests.hub.local_hub import COMMIT, TOKEN, Fault, LocalHub, Repo


class NothingLeaves(Permit):
    """Allows only what is on this machine, as *local only* does."""

    def reach(self, provider: str, *, away: bool) -> None:
        if away:
            raise LocalOnly(provider=provider)


@pytest.fixture
def several(local: LocalHub) -> LocalHub:
    local.add(
        Repo(
            "alice/Small-GGUF",
            downloads=5,
            likes=9,
            tags=("gguf", "fr", "license:mit", "base_model:quantized:lab/Small"),
            gguf={"total": 1_000_000_000, "architecture": "llama", "context_length": 4096},
            card={"license": "mit", "language": ["fr", "en"], "base_model": "lab/Small"},
        )
    )
    local.add(Repo("bob/Large-GGUF", downloads=50, likes=1, gated="manual", gguf={"total": 70_000_000_000}))
    local.add(Repo("bob/pictures", downloads=500, tags=("diffusers",)))
    return local


def ids(hub: Hub, **wanted: object) -> list[str]:
    return [found.id for found in hub.search(Search(**wanted))]  # type: ignore[arg-type]


def test_only_what_has_gguf_files_is_found_most_downloaded_first(several: LocalHub, hub: Hub) -> None:
    assert ids(hub) == ["bob/Large-GGUF", "alice/Small-GGUF"]
    assert ids(hub, sort="likes") == ["alice/Small-GGUF", "bob/Large-GGUF"]


@pytest.mark.parametrize(
    "wanted",
    [{"text": "small"}, {"author": "alice"}, {"language": "FR"}, {"licence": "MIT"}, {"most": 2_000_000_000}],
)
def test_each_filter_narrows_the_search(several: LocalHub, hub: Hub, wanted: dict[str, object]) -> None:
    assert ids(hub, **wanted) == ["alice/Small-GGUF"]


def test_what_is_found_is_described(several: LocalHub, hub: Hub) -> None:
    small = hub.search(Search(text="small"))[0]
    assert (small.author, small.downloads, small.likes, small.licence) == ("alice", 5, 9, "mit")
    assert (small.parameters, small.architecture, small.context_length) == (1_000_000_000, "llama", 4096)
    assert (small.languages, small.base, small.gated) == (("fr", "en"), ("lab/Small",), False)
    assert small.updated == pytest.approx(1767323045)
    assert hub.search(Search(text="large"))[0].gated


def test_nothing_but_the_words_and_the_filters_is_sent(several: LocalHub, hub: Hub) -> None:
    hub.search(Search(text="small"))
    (asked,) = [one for one in several.asked if one.path == "/api/models"]
    assert asked.query["search"] == ["small"] and asked.query["filter"] == ["gguf"]
    assert "authorization" not in asked.headers and "torch" not in asked.headers["user-agent"]


def test_an_answer_is_kept_for_the_next_click(several: LocalHub, hub: Hub) -> None:
    assert ids(hub) == ids(hub)
    assert [one.path for one in several.asked].count("/api/models") == 1


def test_a_repository_lists_its_quantizations(local: LocalHub, hub: Hub, model: bytes, parts: dict[str, bytes]) -> None:
    files = {"README.md": b"#", "tiny-Q4_K_M.gguf": model[:900], "mmproj-tiny-f16.gguf": b"x", **parts}
    local.add(Repo("org/tiny-GGUF", files))
    opened = hub.repository(f"{local.url}/org/tiny-GGUF/blob/main/tiny-Q4_K_M.gguf")
    assert opened.commit == COMMIT
    assert [(one.label, one.kind, len(one.files)) for one in opened.variants] == [
        ("Q4_K_M", "model", 1),
        ("F32", "model", 2),
        ("F16", "projector", 1),
    ]
    assert opened.variants[1].size == sum(map(len, parts.values()))
    assert opened.variant("q4_k_m") == opened.variant("tiny-Q4_K_M.gguf") == opened.variants[0]


@pytest.mark.parametrize("name", ["", "one", "../../etc", "a/b/c", "a b/c", "a/b?x=1", "a/..", "ü/b", "http://x/y/z"])
def test_what_can_be_no_repository_is_not_asked_for(local: LocalHub, hub: Hub, name: str) -> None:
    with pytest.raises(NameInvalid):
        hub.repository(name)
    assert local.asked == []


def test_a_gated_repository_says_where_to_agree(repo: Repo, local: LocalHub, hub: Hub) -> None:
    repo.gated = "manual"
    opened = hub.repository(repo.id)
    with pytest.raises(HubGated) as refused:
        hub.header(opened, opened.variants[0].files[0])
    assert refused.value.values == {"repository": repo.id, "page": f"{local.url}/{repo.id}"}


def test_the_token_opens_what_is_gated_and_does_not_follow_to_storage(
    repo: Repo, local: LocalHub, hub: Hub, model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    repo.gated = "manual"
    with LocalHub() as storage:
        storage.add(Repo(repo.id, {"tiny-F32.gguf": model}))
        local.storage = storage.url
        opened = hub.repository(repo.id)
        assert hub.header(opened, opened.variants[0].files[0]).name == "Tiny"
        assert "authorization" not in storage.asked[-1].headers
    assert local.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"


def test_the_machine_s_token_is_not_for_every_browser(repo: Repo, local: LocalHub, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    Hub(Settings(home=tmp_path, hub=local.url, owners="browser")).repository(repo.id)
    assert all("authorization" not in one.headers for one in local.asked)


def test_what_is_not_there_is_said(local: LocalHub, hub: Hub) -> None:
    with pytest.raises(HubNotFound, match="org/nothing"):
        hub.repository("org/nothing")


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {"X-Error-Message": "Invalid credentials in Authorization header"}, HubTokenRefused),
        (403, {}, HubTokenRefused),
        (400, {}, HubFailed),
        (200, {}, HubFailed),
    ],
)
def test_what_the_hub_answers_is_an_error_with_a_cure(
    local: LocalHub, hub: Hub, status: int, headers: dict[str, str], error: type[Exception]
) -> None:
    local.broken = (status, headers, b"<html>no JSON</html>")
    with pytest.raises(error):
        hub.repository("org/tiny-GGUF")


def test_a_busy_hub_says_for_how_long(repo: Repo, local: LocalHub, hub: Hub) -> None:
    opened = hub.repository(repo.id)
    repo.fault = Fault(status=429, headers={"RateLimit": '"api";r=0;t=55'})
    with pytest.raises(HubBusy) as busy:
        hub.header(opened, opened.variants[0].files[0])
    assert busy.value.values == {"seconds": 55}


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [(429, {"Retry-After": "300"}, HubBusy), (503, {}, HubFailed), (504, {}, HubFailed)],
)
def test_nobody_is_kept_waiting_for_a_hub_in_trouble(
    local: LocalHub, hub: Hub, status: int, headers: dict[str, str], error: type[Exception]
) -> None:
    """huggingface_hub would ask five times more, and wait 300 s before each."""
    local.broken = (status, headers, b"")
    with pytest.raises(error):
        hub.search(Search())
    with pytest.raises(error):
        hub.repository("org/tiny-GGUF")
    assert len(local.asked) == 2


@pytest.mark.parametrize("value", [None, 7, [], {"total": "many"}, "x"])
def test_what_makes_no_sense_is_unknown(local: LocalHub, hub: Hub, value: object) -> None:
    local.add(Repo("org/odd", told={"gguf": value, "tags": ["gguf", 3], "author": value, "downloads": value or "x"}))
    opened = hub.repository("org/odd")
    assert opened.found.parameters is None and opened.variants == ()


def test_without_a_network_it_says_so_at_once(tmp_path: Path) -> None:
    hub = Hub(Settings(home=tmp_path, hub=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(HubUnreachable) as unreachable:
        hub.search(Search())
    assert "embedded model" in unreachable.value.advice()


def test_offline_mode_asks_nothing(local: LocalHub, tmp_path: Path) -> None:
    hub = Hub(Settings(home=tmp_path, hub=local.url, hub_offline=True))
    for ask in (lambda: hub.search(Search()), lambda: hub.repository("org/tiny-GGUF")):
        with pytest.raises(HubOffline):
            ask()
    assert local.asked == []


def test_local_only_asks_nothing_elsewhere(tmp_path: Path) -> None:
    hub = Hub(Settings(home=tmp_path, hub="https://hub.example.org"))
    for ask in (lambda p: hub.search(Search(), p), lambda p: hub.repository("org/tiny-GGUF", p)):
        with pytest.raises(LocalOnly, match="Hugging Face Hub"):
            ask(NothingLeaves())


def test_a_machine_on_no_network_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine really has: it says what the system says."""
    import psutil

    there = psutil.net_if_stats()
    alone = {name: one for name, one in there.items() if "loopback" in one.flags.split(",")}
    monkeypatch.setattr(psutil, "net_if_stats", lambda: alone)
    with pytest.raises(HubUnreachable, match="on no network"):
        Hub(Settings(home=tmp_path, hub="https://hub.example.org")).allowed()
    Hub(Settings(home=tmp_path, hub="http://127.0.0.1:1")).allowed()


@pytest.mark.parametrize(
    ("target", "hub", "astray"),
    [
        ("http://127.0.0.1:8502/x", "https://huggingface.co", True),
        ("http://169.254.169.254/latest", "https://huggingface.co", True),
        ("http://192.168.1.1/", "https://huggingface.co", True),
        ("http://127.0.0.1/", "http://192.168.1.5", True),
        ("https://cdn.example.org/x", "https://huggingface.co", False),
        ("https://cdn.example.org/x", "http://127.0.0.1:1", False),
        ("http://127.0.0.1:2/x", "http://127.0.0.1:1", False),
    ],
)
def test_redirects_lead_no_nearer_than_the_hub(target: str, hub: str, astray: bool) -> None:
    assert session.leads_astray(target, {hub}) is astray


def test_a_hub_elsewhere_cannot_point_at_this_machine(local: LocalHub, hub: Hub, repo: Repo, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The request that would be sent to it is stopped before it is."""
    hub.repository(repo.id)
    monkeypatch.setattr(session, "_asked", {"https://huggingface.co"})
    local.asked.clear()
    from huggingface_hub import get_session

    with pytest.raises(HubLeadsAstray):
        get_session().get(f"{local.url}/org/x")
    assert local.asked == []
