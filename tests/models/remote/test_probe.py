"""Detection: who answers is told by what it says, and whatever else lives at a port is left in peace."""

from __future__ import annotations

import socket
import stat
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.models.remote import identities, presets, reaching
from core.models.remote.presets import Preset
from core.models.remote.probe import UNNAMED, Detected, detect
from tests.models.remote.misbehaving import Misbehaving
from tests.models.remote.playing import FOLDER, Playing, recorded
from tests.models.remote.strangers import NOT_HTTP, hold, living

PATIENT_S = 20.0
"""Long enough on a machine that is busy; only what never answers waits for it."""

MACHINE = [preset for preset in presets.all() if preset.kind == "machine"]
NAMES = {
    **{preset.id: (preset.id, preset.name) for preset in MACHINE},
    "localai_before_discovery": ("localai", "LocalAI"),
}
VERSIONS = {
    "ollama": "0.12.6",
    "llamacpp": "b9100-abcdef0",
    "llamafile": "0.9.3",
    "localai": "v3.8.0",
    "localai_before_discovery": "v2.29.0 (fd17a33)",
    "openwebui": "0.6.36",
    "vllm": "0.11.0",
    "koboldcpp": "1.100",
    "lemonade": "9.3.3",
}
MODELS = {"ollama": 2, "lmstudio": 3, "localai": 2, "localai_before_discovery": 2}
KEYED = {"openwebui", "anythingllm"}


def at(*ports: int) -> list[Preset]:
    """All presets of this machine, known to use these ports and no others."""
    return [replace(preset, ports=ports) for preset in MACHINE]


def found(*ports: int, timeout: float = PATIENT_S) -> list[Detected]:
    return detect(at(*ports), timeout=timeout, local_only=True)


@pytest.fixture(autouse=True)
def no_foundry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_every_preset_of_this_machine_is_tried_here_and_each_record_says_where_it_is_from() -> None:
    assert {preset.id for preset in MACHINE} <= {path.stem for path in FOLDER.glob("*.json")}
    assert {rule.preset for rule in identities.RULES} == {preset.id for preset in MACHINE} | {identities.OURS}
    for path in FOLDER.glob("*.json"):
        assert "https://" in recorded(path.stem)["source"]
        assert "not recorded" in recorded(path.stem)["note"]


@pytest.mark.parametrize("name", NAMES)
def test_a_server_is_told_by_what_it_says(name: str) -> None:
    with Playing(name) as server:
        (one,) = found(server.port)
    assert (one.preset_id, one.name) == NAMES[name]
    preset = presets.get(one.preset_id)
    assert preset is not None
    assert one.base_url == f"{server.url}/{preset.base_url.split('/', 3)[3]}"
    assert one.version == VERSIONS.get(name)
    assert one.models == (None if name in KEYED else MODELS.get(name, 1))
    assert one.needs_key == (name in KEYED)
    assert one.seconds > 0
    assert {method for method, _, _ in server.asked} == {"GET"}
    paths = [path for _, path, _ in server.asked]
    assert len(paths) == len(set(paths)), "each path is asked for once"
    for _, _, headers in server.asked:
        assert headers.keys() == {"accept", "accept-encoding", "host", "user-agent"}
        assert headers["host"] == f"127.0.0.1:{server.port}"


def test_several_at_once_in_the_order_of_the_presets() -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(Playing(name)) for name in ("vllm", "lmstudio", "ollama")]
        order = [one.preset_id for one in found(*(server.port for server in servers))]
    assert order == ["ollama", "lmstudio", "vllm"]


def test_any_list_of_models_is_a_server_of_unknown_make() -> None:
    with Playing(
        answers={"/v1/models": {"json": {"object": "list", "data": [{"id": "x", "owned_by": "me"}]}}}
    ) as server:
        (one,) = found(server.port)
    assert (one.preset_id, one.name, one.models, one.needs_key) == (None, UNNAMED, 1, False)
    assert one.base_url == f"{server.url}/v1"


def test_a_server_that_wants_a_key_says_so_and_an_api_that_refuses_everything_is_none() -> None:
    refusal = {"status": 401, "json": {"error": {"message": "Invalid API Key", "type": "authentication_error"}}}
    with (
        Playing(answers={"/v1/models": refusal}) as keyed,
        Playing(answers={"/v1/models": refusal, "/": refusal}) as shut,
    ):
        (one,) = found(keyed.port, shut.port)
    assert (one.base_url, one.preset_id, one.models, one.needs_key) == (f"{keyed.url}/v1", None, None, True)
    with Playing("llamacpp", answers={"/v1/models": refusal, "/props": refusal}) as llama:
        (one,) = found(llama.port)
    assert (one.preset_id, one.version, one.models, one.needs_key) == ("llamacpp", None, None, True)


def test_a_model_that_is_still_loading() -> None:
    loading = {"status": 503, "json": {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}}
    with Playing("llamacpp", answers={"/v1/models": loading, "/props": loading}) as server:
        (one,) = found(server.port)
    assert (one.preset_id, one.models, one.needs_key) == ("llamacpp", None, False)


@pytest.mark.parametrize(
    "answers",
    [
        {"/v1/models": {"json": {"data": [{"id": "smol", "owned_by": "inference-workbench"}]}}},
        {"/_stcore/health": {"text": "ok"}, "/v1/models": {"status": 403, "json": {"error": {"message": "no key"}}}},
    ],
)
def test_this_workbench_does_not_find_itself(answers: dict[str, dict[str, object]]) -> None:
    with Playing(answers=answers) as server:
        assert found(server.port) == []
        assert server.asked


def test_a_list_that_is_too_long_to_count_is_a_server_all_the_same() -> None:
    data = [{"id": f"model-{number}", "owned_by": "x" * 60} for number in range(2000)]
    with Playing("ollama", answers={"/v1/models": {"json": {"data": data}}}) as server:
        (one,) = found(server.port)
    assert (one.preset_id, one.models) == ("ollama", None)


@pytest.mark.parametrize(
    "version", ["", "x" * 41, "1.0\n\x1b[31mred", {"major": 1}, ["1"], "\u202e1.0"], ids=lambda value: repr(value)[:12]
)
def test_a_version_that_is_none(version: object) -> None:
    with Playing("ollama", answers={"/api/version": {"json": {"version": version}}}) as server:
        (one,) = found(server.port)
    assert one.preset_id == "ollama"
    assert one.version is None or one.version.isprintable()
    assert len(one.version or "") <= 40


def test_a_redirection_is_not_followed() -> None:
    elsewhere = {path: {"status": 307, "text": "gone"} for path in ("/", "/v1/models", "/api/tags")}
    with Playing("ollama") as target, Playing(answers=elsewhere) as server:
        server.headers = {"Location": f"{target.url}/v1/models"}
        assert found(server.port) == []
        assert server.asked and target.asked == []


def test_an_api_that_has_a_list_at_every_path_is_of_unknown_make() -> None:
    with Misbehaving() as server:
        (one,) = found(int(server.url("well").split(":")[2].split("/")[0]))
    assert (one.preset_id, one.models) == (None, 1)


def test_a_server_at_both_addresses_is_one(ipv6: None) -> None:
    with Playing("ollama") as first, Playing("ollama", address="::1", port=first.port) as second:
        (one,) = found(first.port)
        assert second.asked
    assert one.base_url == f"http://127.0.0.1:{first.port}/v1"


def test_two_servers_at_the_two_addresses_are_two(ipv6: None) -> None:
    with Playing("ollama") as first, Playing("vllm", address="::1", port=first.port):
        there = [(one.base_url, one.preset_id) for one in found(first.port)]
    assert there == [
        (f"http://127.0.0.1:{first.port}/v1", "ollama"),
        (f"http://[::1]:{first.port}/v1", "vllm"),
    ]


@pytest.mark.parametrize("name", NOT_HTTP)
def test_whatever_else_lives_there_hides_nobody(name: str) -> None:
    with living(NOT_HTTP[name]) as port, Playing("ollama") as server:
        assert [one.preset_id for one in found(port, server.port)] == ["ollama"]


def test_who_says_nothing_is_left_when_the_time_is_up() -> None:
    with living(hold) as port, Playing("ollama") as server:
        assert [one.preset_id for one in found(port, server.port, timeout=2.0)] == ["ollama"]


def test_who_is_known_but_does_not_list_in_time_is_found_without_a_number() -> None:
    listening = threading.Event()

    def stalls(connection: socket.socket) -> None:
        with suppress(OSError):
            while data := connection.recv(4096):
                path = data.split(b" ")[1]
                if path == b"/v1/models":
                    listening.set()
                    hold(connection)
                text = b"Ollama is running" if path == b"/" else b""
                status = b"200 OK" if text else b"404 Not Found"
                connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(text), text))

    with living(stalls) as port:
        (one,) = found(port, timeout=3.0)
    assert listening.is_set()
    assert (one.preset_id, one.models, one.version) == ("ollama", None, None)


def test_nothing_anywhere() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        assert found(taken.getsockname()[1]) == []


def test_remote_presets_are_not_asked() -> None:
    assert detect([preset for preset in presets.all() if preset.kind != "machine"], timeout=0.1, local_only=True) == []


def resolver(monkeypatch: pytest.MonkeyPatch, *found: str) -> list[str]:
    """A stand-in for the machine's resolver, which is outside of this test. What it was asked is in the list."""
    asked: list[str] = []

    async def addresses(host: str) -> list[str]:
        asked.append(host)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return list(found)

    monkeypatch.setattr(reaching, "addresses", addresses)
    return asked


@pytest.mark.parametrize("address", ["93.184.216.34", "127.0.0.1", "2001:db8::1", "169.254.169.254"])
def test_the_host_of_a_container_is_asked_on_the_local_network_only(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    asked = resolver(monkeypatch, address)
    with Playing("ollama") as server:
        bases = [one.base_url for one in detect(at(server.port), timeout=PATIENT_S)]
        assert bases == [f"{server.url}/v1"]
        assert {headers["host"] for _, _, headers in server.asked} == {f"127.0.0.1:{server.port}"}
    assert asked == ["host.docker.internal"]


def test_without_that_name_nothing_more_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch)
    with Playing("ollama") as server:
        assert len(detect(at(server.port), timeout=PATIENT_S)) == 1


def test_local_only_leaves_that_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolver(monkeypatch, "192.168.65.254")
    with Playing("ollama") as server:
        assert len(found(server.port)) == 1
    assert asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_foundry_local_says_its_port_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_foundry: None, host: str
) -> None:
    with Playing("foundrylocal") as server, Playing("vllm") as other:
        program = tmp_path / "foundry"
        program.write_text(
            f"#!/bin/sh\n[ \"$*\" = 'service status' ] && "
            f"echo 'Model management service is running on http://{host}:{server.port}/openai/status'\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        assert [one.preset_id for one in found(other.port)] == ["vllm", "foundrylocal"]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    "does", ["exit 1", "echo http://example.com:80/", "echo http://localhost:99999/", "exec sleep 60"]
)
def test_a_program_of_that_name_that_says_nothing_of_use(tmp_path: Path, no_foundry: None, does: str) -> None:
    program = tmp_path / "foundry"
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{does}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with Playing("vllm") as server:
        assert [one.preset_id for one in found(server.port, timeout=2.0)] == ["vllm"]


@pytest.fixture
def ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probing:
            probing.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no ::1")
