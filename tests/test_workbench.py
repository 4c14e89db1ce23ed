"""A workbench put together, closed, killed and opened again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.answers import Answer
from core.chat import Asking
from core.errors import AddressInvalid, ModelFileInvalid, ModelNotFound, SettingInvalid, StoreUnavailable
from core.events import Text
from core.models.catalog import EMBEDDED_ID
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel
from core.models.remote.client import RemoteModel
from core.settings import Settings
from core.workbench import Workbench, open_workbench
from tests.asking import request, text
from tests.gguf.making import tiny
from tests.models.remote.misbehaving import Misbehaving

ROOT = Path(__file__).resolve().parent.parent
OWNER = "person"
LONG = Asking(max_tokens=4000)

KILLED = """
import sys, time
from pathlib import Path
from core.chat import Asking
from core.settings import Settings
from core.workbench import open_workbench

workbench = open_workbench(Settings(home=Path(sys.argv[1])))
message = workbench.chat.ask("person", None, "Tell me a long story.", Asking(max_tokens=4000))
while not workbench.conversations.message("person", message.id).content:
    time.sleep(0.05)
print(message.id, workbench.model().engine().pid, flush=True)
time.sleep(600)
"""
"""A server that will be killed in mid-answer: says the answer's id and the model's process."""


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    workbench = open_workbench(Settings(home=tmp_path / "home"))
    yield workbench
    workbench.close()


def begun(workbench: Workbench) -> tuple[str, Answer]:
    """An answer in progress: its message's id, and itself."""
    message = workbench.chat.ask(OWNER, None, "Tell me a long story.", LONG)
    answer = workbench.chat.running(message)
    assert answer is not None
    assert any(isinstance(event, Text) for event in answer.follow(timeout=90))
    return message.id, answer


def test_opening_makes_the_data_folder_and_starts_nothing(tmp_path: Path) -> None:
    before = psutil.Process().children()
    workbench = open_workbench(Settings(home=tmp_path / "new" / "home"))
    assert (tmp_path / "new" / "home" / "workbench.db").is_file()
    assert psutil.Process().children() == before
    assert workbench.shelf.loaded() == []
    workbench.close()


def test_models_are_given_by_id_and_by_path(workbench: Workbench, tmp_path: Path) -> None:
    path = tiny(tmp_path / "tiny.gguf")
    assert workbench.model().info.id == workbench.model(EMBEDDED_ID).info.id == EMBEDDED_ID
    own = workbench.model(str(path), ModelSettings(context_length=256))
    assert (own.info.name, own.settings.context_length) == ("Tiny", 256)
    assert text(own.stream(request("a b", max_tokens=3, ignore_end=True)))


def test_models_that_are_not_there_are_refused(workbench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("not a model", encoding="utf-8")
    with pytest.raises(ModelNotFound):
        workbench.model(str(tmp_path / "none.gguf"))
    with pytest.raises(ModelFileInvalid):
        workbench.model(str(tmp_path / "text.gguf"))
    with pytest.raises(SettingInvalid):
        workbench.model(settings=ModelSettings(threads=0))


def test_each_owner_has_the_local_models_and_their_own_endpoints(workbench: Workbench) -> None:
    workbench.connections.connect("me", "http://localhost:8080/v1", "sk-mine", names=["far"])
    assert [model.id for model in workbench.models("me")] == [EMBEDDED_ID, "http://localhost:8080/v1#far"]
    assert [model.id for model in workbench.models("you")] == [EMBEDDED_ID]
    remote = workbench.chat_model("me", "http://localhost:8080/v1#far", ModelSettings(context_length=64))
    assert isinstance(remote, RemoteModel) and not remote.info.local
    local = workbench.chat_model("me", None, ModelSettings(context_length=256))
    assert isinstance(local, LocalModel) and local.settings.context_length == 256
    with pytest.raises(AddressInvalid):
        workbench.chat_model("me", "http://localhost:8080/v1")
    with pytest.raises(ModelNotFound):
        workbench.model("http://localhost:8080/v1#far")


def test_a_conversation_is_answered_by_an_endpoint(workbench: Workbench) -> None:
    with Misbehaving() as server:
        url = server.url("well")
        workbench.connections.connect(OWNER, url, "sk-mine")
        (info,) = workbench.connections.models(OWNER, url)
        message = workbench.chat.ask(OWNER, None, "The capital?", Asking(model_id=info.id))
        answer = workbench.chat.running(message)
        assert answer is not None and answer.wait(60)
        kept = workbench.conversations.message(OWNER, message.id)
    assert (kept.status, kept.content, kept.model_id) == ("complete", "The capital is Paris.", info.id)
    assert server.asked[-1].headers["authorization"] == "Bearer sk-mine"
    assert b"sk-mine" not in workbench.settings.database.read_bytes()


def test_the_budget_is_the_settings(tmp_path: Path) -> None:
    workbench = open_workbench(Settings(home=tmp_path, memory_bytes=123_456))
    assert workbench.shelf.budget_bytes == 123_456
    workbench.close()


def test_closing_keeps_answers_as_cut_and_ends_every_process(workbench: Workbench) -> None:
    message_id, answer = begun(workbench)
    pid = workbench.model().engine().pid
    workbench.close()
    assert not psutil.pid_exists(pid)
    assert answer.finished is not None and answer.finished.reason == "cut"
    again = open_workbench(workbench.settings)
    kept = again.conversations.message(OWNER, message_id)
    again.close()
    assert (kept.status, kept.content) == ("cut", answer.text)


def test_nothing_is_read_or_written_after_closing(workbench: Workbench) -> None:
    workbench.close()
    with pytest.raises(StoreUnavailable):
        workbench.conversations.list(OWNER)


def test_a_killed_server_leaves_no_process_and_its_answer_goes_on(tmp_path: Path) -> None:
    server = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert server.stdout is not None
    message_id, pid = server.stdout.readline().decode().split()
    server.kill()
    server.wait()
    server.stdout.close()
    while psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    workbench = open_workbench(Settings(home=tmp_path))
    try:
        cut = workbench.conversations.message(OWNER, message_id)
        assert cut.status == "cut" and cut.content
        on = workbench.chat.go_on(OWNER, message_id, Asking(max_tokens=4))
        answer = workbench.chat.running(on)
        assert answer is not None and answer.wait(90)
        assert answer.text.startswith(cut.content) and len(answer.text) > len(cut.content)
    finally:
        workbench.close()


def test_a_data_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(StoreUnavailable):
        open_workbench(Settings(home=tmp_path / "home"))
