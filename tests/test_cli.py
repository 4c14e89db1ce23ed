"""The command line as a person and a program use it: real processes, the embedded model, few tokens."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import msgspec
import psutil
import pytest

from core.cli import terminal
from core.events import Timings, Usage
from tests.e2e.serving import hears_ctrl_c
from tests.gguf.making import tiny
from tests.hub.local_hub import LocalHub, Repo
from tests.models.remote.misbehaving import Misbehaving

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUESTION = "What is the capital of France?"
GREEDY = ("--temperature", "0", "--max-tokens", "6")
STORY = "Write a long story about a river."
PATIENCE_S = 60

pytestmark = pytest.mark.usefixtures("home")


def core(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    command = [sys.executable, "-m", "core", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False
    )


def answered(*arguments: str, stdin: str = "") -> Any:
    """The one JSON value that a command writes; nothing else on standard output, nothing on standard error."""
    done = core(*arguments, "--json", stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


@functools.cache
def asked() -> Any:
    """The embedded model's greedy answer to QUESTION, asked once."""
    return answered("chat", QUESTION, *GREEDY)


@contextmanager
def running(*arguments: str, stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a process group of its own, as a terminal starts one."""
    command = [sys.executable, "-m", "core", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True, preexec_fn=hears_ctrl_c
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def worker(process: subprocess.Popen[bytes]) -> psutil.Process:
    """The model's process, once it is there."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if children := psutil.Process(process.pid).children():
            return children[0]
        time.sleep(0.01)
    raise AssertionError("no model process was started")


def gone(child: psutil.Process) -> bool:
    return not psutil.wait_procs([child], timeout=10)[1]


def readme_commands() -> list[str]:
    return re.findall(r"^\.venv/bin/python -m core (.*)$", README, re.MULTILINE)


SMALLER = {
    "models": (),
    "providers": (),
    "chat": ("--max-tokens", "4"),
    "bench": ("--prompt-tokens", "8", "--generate", "4", "--parallel", "1,2", "--repeat", "1"),
    "compare": ("--max-tokens", "4"),
    "rank": (),
    "hub": (),
    "gguf": (),
    "quantize": (),
    "evaluate": (),
    "rag": (),
}
VOTES = b"model_a,model_b,winner\nbig,small,model_a\nsmall,big,tie\n"


@pytest.mark.parametrize("command", readme_commands())
def test_the_readme_s_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_bytes(VOTES)
    with Misbehaving() as server, LocalHub() as hub:
        hub.add(Repo("OWNER/NAME", {"m-Q4_K_M.gguf": tiny(tmp_path / "tiny.gguf").read_bytes()}))
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        here = command.replace("http://localhost:8080/v1", server.url("well")).replace("votes.csv", str(votes))
        words = shlex.split(here)
        done = core(*words, *SMALLER[words[0]])
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_models_are_listed_and_damaged_files_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    listed = answered("models")
    assert [model["id"] for model in listed["models"]] == ["smollm2-135m"]
    assert listed["models"][0]["quantization"] == "Q4_1"
    (damaged,) = listed["damaged"]
    assert damaged["path"] == str(tmp_path / "broken.gguf")
    assert damaged["error"] == "ModelFileInvalid" and damaged["hint"]
    shown = core("models")
    assert shown.returncode == 0
    assert "smollm2-135m" in shown.stdout and "broken.gguf" not in shown.stdout
    assert "broken.gguf" in shown.stderr


def test_chat_writes_the_text_and_then_its_figures() -> None:
    done = core("chat", QUESTION, *GREEDY)
    assert done.returncode == 0
    assert done.stdout.strip() and "tokens/s" not in done.stdout
    (figures,) = done.stderr.splitlines()
    assert "6 tokens" in figures.replace("\u00a0", " ") and "tokens/s" in figures and "ended: length" in figures


def test_chat_answers_with_one_json_object(smollm: Path) -> None:
    said = asked()
    assert set(said) == {"model", "text", "finish_reason", "usage", "timings"}
    assert (said["model"], said["finish_reason"]) == ("smollm2-135m", "length")
    usage, timings = msgspec.convert(said["usage"], Usage), msgspec.convert(said["timings"], Timings)
    assert set(said["timings"]) == set(Timings.__struct_fields__) and set(said["usage"]) == set(Usage.__struct_fields__)
    assert usage.generated_tokens == len(timings.at) == 6
    assert sum(usage.by_origin.values()) == usage.prompt_tokens
    assert timings.load_s and timings.ttft_s == timings.at[0]
    by_path = answered("chat", QUESTION, *GREEDY, "--model", str(smollm))
    assert by_path["text"] == said["text"]


def test_chat_reads_the_question_from_standard_input() -> None:
    piped = answered("chat", "-", *GREEDY, stdin=QUESTION)
    assert (piped["text"], piped["usage"]) == (asked()["text"], asked()["usage"])


def test_chat_takes_a_system_prompt_and_a_seed() -> None:
    drawn = ("chat", QUESTION, "--max-tokens", "6", "--temperature", "1.5", "--seed", "7")
    first, second = (answered(*drawn, "--system", "You are a pirate.") for _ in range(2))
    assert first["text"] == second["text"]
    assert first["usage"]["by_origin"]["system"] != asked()["usage"]["by_origin"]["system"]


def test_chat_asks_an_endpoint_with_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with Misbehaving() as server:
        there = ("--base-url", server.url("well"), "--model", "tiny")
        said = answered("chat", QUESTION, *there, *GREEDY, "--system", "Be brief.", "--seed", "7")
        shown = core("chat", QUESTION, *there)
    assert set(said) == set(asked())
    assert (said["model"], said["text"]) == (f"{server.url('well')}#tiny", "The capital is Paris.")
    usage, timings = msgspec.convert(said["usage"], Usage), msgspec.convert(said["timings"], Timings)
    assert (usage.prompt_tokens, usage.generated_tokens) == (11, 3) and timings.ttft_s
    sent = server.asked[0]
    assert sent.headers["authorization"] == "Bearer sk-canary"
    assert [message["content"] for message in sent.body["messages"]] == ["Be brief.", QUESTION]
    assert (sent.body["temperature"], sent.body["max_tokens"], sent.body["seed"]) == (0.0, 6, 7)
    assert (shown.returncode, shown.stdout) == (0, "The capital is Paris.\n")
    assert "3 tokens" in shown.stderr.replace("\u00a0", " ") and "canary" not in shown.stderr


def test_models_lists_those_of_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with Misbehaving() as server:
        url = server.url("lists-llamacpp")
        listed = answered("models", "--base-url", url)
        shown = core("models", "--base-url", url)
    assert [(model["id"], model["context_length"]) for model in listed["models"]] == [(f"{url}#smol", 2048)]
    assert listed["damaged"] == []
    assert shown.returncode == 0 and f"{url}#smol" in shown.stdout and "2,048" in shown.stdout
    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("behaviour", "key", "error"),
    [
        ("refuses-401", "sk-canary", "KeyRefused"),
        ("refuses-401", "", "KeyMissing"),
        ("echo-key", "sk-canary", "KeyRefused"),
        ("refuses-429", "", "RateLimitedFor"),
        ("refuses-503", "", "ProviderFailed"),
        ("html", "", "AnswerMalformed"),
        ("well", "sk canary", "KeyUnusable"),
    ],
)
def test_an_endpoint_s_errors_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, behaviour: str, key: str, error: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with Misbehaving() as server:
        done = core("chat", QUESTION, "--base-url", server.url(behaviour), "--model", "tiny", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert said["error"] == error and said["message"] and said["hint"] and "canary" not in done.stdout


def test_an_answer_that_is_cut_keeps_what_came() -> None:
    with Misbehaving() as server:
        done = core("chat", QUESTION, "--base-url", server.url("cut"), "--model", "tiny", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["error"], said["text"]) == (1, "AnswerCut", "The capital is Paris.")


def test_bench_has_the_shape_that_is_promised() -> None:
    report = answered("bench", "--prompt-tokens", "24", "--generate", "6", "--parallel", "1,3", "--repeat", "2")
    assert list(report) == ["model", "threads", "results"]
    assert report["model"] == "smollm2-135m" and report["threads"] >= 1
    names = ["parallel", "prompt_tokens", "generated_tokens", "prompt_rate", "decode_rate", "aggregate_rate", "ttft_s"]
    assert [list(result) for result in report["results"]] == [names, names]
    assert [list(result.values())[:3] for result in report["results"]] == [[1, 24, 6], [3, 24, 6]]
    assert all(value > 0 for result in report["results"] for value in result.values())
    assert report["results"][0]["aggregate_rate"] > report["results"][0]["decode_rate"]


def test_bench_writes_a_table() -> None:
    done = core("bench", "--prompt-tokens", "4", "--generate", "2", "--parallel", "2", "--repeat", "1")
    assert (done.returncode, done.stderr) == (0, "")
    title, head, row = done.stdout.splitlines()
    assert title.startswith("smollm2-135m, ") and len(re.split(r" {2,}", head)) == len(re.split(r" {2,}", row)) == 7


def test_gguf_says_what_the_gguf_package_says(smollm: Path) -> None:
    said = answered("gguf", str(smollm))
    theirs = gguf.GGUFReader(smollm)
    assert set(said["metadata"]) == {key for key in theirs.fields if not key.startswith("GGUF.")}
    assert said["metadata"]["llama.context_length"] == {"type": "u32", "value": 8192}
    assert said["metadata"]["tokenizer.ggml.tokens"] == {"type": "arr[str]", "count": 49152}
    assert [(t["name"], t["type"], t["shape"], t["bytes"], t["part"]) for t in said["tensors"]] == [
        (t.name, t.tensor_type.name, t.shape.tolist(), int(t.n_bytes), 1) for t in theirs.tensors
    ]
    memory = said["memory"]
    assert memory["total"] == memory["weights"] + memory["kv_cache"] + memory["compute"]
    assert memory["weights"] == sum(int(t.n_bytes) for t in theirs.tensors)


def test_gguf_writes_tables_and_takes_an_id() -> None:
    shown = core("gguf", "smollm2-135m").stdout
    assert "general.architecture" in shown and "token_embd.weight" in shown and "576 × 49152" in shown
    assert shown.splitlines()[-2].startswith("memory with a context of 4,096 tokens:")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("chat", "Hello", "--model", "nowhere.gguf"), "ModelNotFound"),
        (("chat", "Hello", "--model", "README.md"), "ModelFileInvalid"),
        (("bench", "--model", "README.md"), "ModelFileInvalid"),
        (("gguf", "core"), "ModelFileInvalid"),
        (("chat", " \n"), "EmptyPrompt"),
        (("chat", "Hello", "--base-url", "localhost:8080", "--model", "x"), "AddressInvalid"),
        (("chat", "Hello", "--base-url", "http://localhost/v1", "--model", "two\nlines"), "ModelNotFound"),
        (("models", "--base-url", "http://me:secret@host/v1"), "AddressInvalid"),
        (("chat", "Hello", "--temperature", "-1"), "SettingInvalid"),
        (("bench", "--parallel", "65"), "SettingInvalid"),
    ],
)
def test_an_error_says_what_to_do(arguments: tuple[str, ...], error: str) -> None:
    done = core(*arguments)
    assert (done.returncode, done.stdout.strip()) == (1, "")
    message, hint = done.stderr.splitlines()
    assert message.startswith("error: ") and hint.startswith("hint: ")
    told = core(*arguments, "--json")
    assert (told.returncode, told.stderr) == (1, "")
    assert json.loads(told.stdout) == {
        "error": error,
        "message": message.removeprefix("error: "),
        "hint": hint.removeprefix("hint: "),
    }


def test_a_senseless_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_MEMORY_GB", "plenty")
    done = core("models")
    assert done.returncode == 1 and "WORKBENCH_MEMORY_GB" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "dance",
        "chat",
        "chat Hello --max-tokens 0",
        "chat Hello --base-url http://localhost/v1",
        "bench --parallel 1,x",
        "bench --repeat 0",
        "gguf",
        "models x",
    ],
)
def test_what_is_not_understood_is_2(arguments: str) -> None:
    done = core(*arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: python -m core" in done.stderr


def test_ctrl_c_keeps_what_came_and_leaves_no_process() -> None:
    with running("chat", STORY, "--max-tokens", "3000", "--temperature", "0") as process:
        child = worker(process)
        assert process.stdout is not None
        begun = os.read(process.stdout.fileno(), 1000)
        os.killpg(process.pid, signal.SIGINT)
        rest, figures = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert (begun + rest).decode().strip()
    assert "ended: cancelled" in figures.decode() and "Traceback" not in figures.decode()
    assert gone(child)


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_progress_is_shown_to_a_terminal_and_ctrl_c_gives_json() -> None:
    import pty

    screen, terminal_end = pty.openpty()
    with running("chat", STORY, "--max-tokens", "3000", "--json", stderr=terminal_end) as process:
        os.close(terminal_end)
        shown = b""
        while b"loading the model" not in shown:
            shown += os.read(screen, 1000)
        os.killpg(process.pid, signal.SIGINT)
        written, _ = process.communicate(timeout=PATIENCE_S)
    os.close(screen)
    said = json.loads(written)
    assert (process.returncode, said["finish_reason"]) == (1, "cancelled")


def test_no_process_is_left_when_the_command_is_killed() -> None:
    with running("chat", STORY, "--max-tokens", "3000") as process:
        child = worker(process)
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 1)
        process.kill()
        assert gone(child)


def test_no_process_is_left_when_the_command_is_done() -> None:
    with running("bench", "--prompt-tokens", "4", "--generate", "2", "--parallel", "1", "--repeat", "1") as process:
        child = worker(process)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0 and gone(child)


@pytest.mark.parametrize("arguments", [("gguf", "smollm2-135m"), ("chat", STORY, "--max-tokens", "3000")])
def test_a_reader_that_goes_away_is_no_trouble(arguments: tuple[str, ...]) -> None:
    with running(*arguments) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [(["--help"], {"core.models", "msgspec", "psutil"}), (["models"], {"streamlit", "numpy", "llama_cpp", "sqlite3"})],
)
def test_nothing_is_imported_before_it_is_used(arguments: list[str], absent: set[str]) -> None:
    program = (
        "import sys\nfrom core.__main__ import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        f"print(sorted({absent!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert terminal.printable("a\x1b[2Jb\r\x07\x9bc\td\né 🌍 👩‍🚀") == "a\ufffd[2Jb\ufffd\ufffd\ufffdc\td\né 🌍 👩‍🚀"
