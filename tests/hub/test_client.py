"""Searching and opening repositories through huggingface_hub's own client, a Hub on loopback; what goes wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    ModelFileInvalid,
    NameInvalid,
)
from core.gguf import reader
from core.hub import naming, session
from core.hub.client import Hub
from core.hub.ranged import Ranged
from core.hub.values import HubFile, Search
from core.models.remote.permit import Permit
from core.settings import Settings
from tests.e2e.serving import free_port
from tests.gguf.making import Raw, string, tiny
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


@pytest.mark.parametrize(
    "name",
    [
        "../up.gguf",
        "/etc/x.gguf",
        "a/../../b.gguf",
        "C:\\x.gguf",
        "a\\b.gguf",
        "x\x00.gguf",
        "a/b/c/d/e.gguf",
        ".gguf ",
    ],
)
def test_a_name_that_leads_out_of_its_folder_is_no_file(name: str) -> None:
    assert not naming.is_safe(name) and naming.variants([HubFile(name=name, size=1)]) == ()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("llama-2-7b.Q8_0.gguf", "Q8_0"),
        ("model-iq3_xxs.gguf", "IQ3_XXS"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("BF16/big-BF16-00001-of-00003.gguf", "BF16"),
        ("tiny-fp16.gguf", "F16"),
        ("tinyllama.gguf", "tinyllama"),
    ],
)
def test_the_quantization_is_read_from_the_name(name: str, label: str) -> None:
    assert naming.label(name) == label


def test_a_set_with_a_missing_part_is_marked() -> None:
    (found,) = naming.variants([HubFile(name="m-Q8_0-00002-of-00002.gguf", size=9)])
    assert not found.complete


def test_a_header_is_read_by_ranges_and_nothing_else(local: LocalHub, hub: Hub, smollm: Path) -> None:
    local.add(Repo("org/smol", {"smol-Q4_1.gguf": smollm.read_bytes()}))
    opened = hub.repository("org/smol")
    header = hub.header(opened, opened.variants[0].files[0])
    true = reader.read(smollm)
    assert (header.metadata, header.tensors, header.data_offset) == (true.metadata, true.tensors, true.data_offset)
    ranges = local.ranges("smol-Q4_1.gguf")
    assert all(ranges) and 1 <= len(ranges) <= 3
    assert max(int(one.split("-")[1]) for one in ranges) < true.data_offset + (9 << 20) < true.size


def test_a_tiny_file_takes_one_range(repo: Repo, local: LocalHub, hub: Hub, model: bytes) -> None:
    opened = hub.repository(repo.id)
    assert hub.header(opened, opened.variants[0].files[0]).name == "Tiny"
    assert local.ranges("tiny-F32.gguf") == [f"bytes=0-{len(model) - 1}"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:2000], "ends in the middle"),
        (lambda data: b"PK" + data[2:], "does not begin with GGUF"),
        (lambda data: data[:8] + b"\xff" * 8 + data[16:], "claims to have"),
    ],
)
def test_a_hostile_header_is_refused_as_a_local_one(local: LocalHub, hub: Hub, model: bytes, spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    data = spoil(model)
    local.add(Repo("evil/x", {"x.gguf": data}, sizes={"x.gguf": len(data)}))
    opened = hub.repository("evil/x")
    with pytest.raises(ModelFileInvalid, match=says):
        hub.header(opened, opened.variants[0].files[0])


def test_a_header_without_end_is_given_up(local: LocalHub, hub: Hub, tmp_path: Path) -> None:
    """A text of 16 MB in each of many values: each is allowed to be there, all together are not."""
    pairs = [string("general.architecture", "llama"), *(string(f"k{n}", b"x" * (4 << 20)) for n in range(12))]
    data = Raw(pairs=pairs).write(tmp_path / "x.gguf").read_bytes()
    local.add(Repo("evil/x", {"x.gguf": data}))
    opened = hub.repository("evil/x")
    with pytest.raises(ModelFileInvalid):
        hub.header(opened, opened.variants[0].files[0])


def test_more_than_was_asked_for_is_not_taken(repo: Repo, hub: Hub) -> None:
    repo.fault = Fault(too_long=True)
    opened = hub.repository(repo.id)
    assert hub.header(opened, opened.variants[0].files[0]).name == "Tiny"


def test_a_file_that_shrinks_while_it_is_read_is_refused(repo: Repo, hub: Hub, model: bytes) -> None:
    opened = hub.repository(repo.id)
    repo.files["tiny-F32.gguf"] = model[:300]
    with pytest.raises(ModelFileInvalid, match="not the one that the Hub lists"):
        hub.header(opened, opened.variants[0].files[0])


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


@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=3000), reads=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 900))))
def test_reading_by_ranges_is_reading(data: bytes, reads: list[tuple[int, int]]) -> None:
    """Whatever is read in whatever order, by windows of a few bytes."""

    class Response:
        status_code = 206

        def __init__(self, part: bytes) -> None:
            self.headers: dict[str, str] = {"content-range": f"bytes 0-0/{len(data)}"}
            self._part = part

        def iter_raw(self) -> Iterator[bytes]:
            yield from (self._part[at : at + 7] for at in range(0, len(self._part), 7))

    file = Ranged(lambda start, end: nullcontext(Response(data[start:end])), size=len(data), address="x")
    file._next = 16
    for position, count in reads:
        place = min(position, len(data))
        file.seek(place)
        assert file.read(count) == data[place : place + count]


@settings(max_examples=300, deadline=None)
@given(name=st.text(alphabet=st.sampled_from("ab./\\:\0 -~$\n\u202e"), max_size=20))
def test_no_name_leads_out_of_the_models_folder(name: str) -> None:
    root = Path("/models/org/x")
    if naming.is_safe(name):
        place = Path(os.path.normpath(root.joinpath(*name.split("/"))))
        assert place.is_relative_to(root) and place != root and "\0" not in name
    naming.variants([HubFile(name=name + ".gguf", size=1)])
    naming.label(name)


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


def test_a_split_header_needs_no_other_part(local: LocalHub, hub: Hub, parts: dict[str, bytes]) -> None:
    local.add(Repo("org/split", parts))
    opened = hub.repository("org/split")
    assert hub.header(opened, opened.variants[0].files[0]).block_count == 1


def test_reading_from_anything_is_as_reading_a_file(tmp_path: Path) -> None:
    path = tiny(tmp_path / "tiny.gguf")
    with path.open("rb") as file:
        assert reader.read_from(file, size=path.stat().st_size, name=path) == reader.read_one(path)
