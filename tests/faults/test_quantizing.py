"""What goes wrong while a file is quantized: nothing half-made has the name, and what happened is said."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.errors import (
    DiskTooFull,
    QuantizeFailed,
    SourceChanged,
    TargetBusy,
    TargetUnwritable,
    WorkbenchError,
)
from core.gguf import landing, quantize, reader
from core.jobs import Job, Jobs
from tests.e2e.serving import until
from tests.gguf.making import Raw, string, strings, tensor, tiny, u32

pytestmark = pytest.mark.faults

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough tensors that a job is met at its work."""
    return tiny(tmp_path_factory.mktemp("source") / "source.gguf", layers=30, width=256, seed=1)


def halfway(do: Callable[[], object]) -> Callable[[int, int, str], None]:
    """Does something once, in the middle."""

    def step(done: int, total: int, name: str) -> None:
        if done == total // 2:
            do()

    return step


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "core.llamacpp.quantize" in " ".join(one.cmdline())]


def test_a_process_that_dies_is_an_error(source: Path, tmp_path: Path) -> None:
    with pytest.raises(QuantizeFailed, match="SIGKILL"):
        quantize.quantize(
            source, tmp_path / "out.gguf", "Q2_K", on_progress=halfway(lambda: [one.kill() for one in children()])
        )
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_stopped_leaves_nothing(source: Path, tmp_path: Path) -> None:
    def work(job: Job) -> object:
        def step(done: int, total: int, name: str) -> None:
            job.done = done
            until(lambda: done < 5 or job.halting)
            job.step(done, total, name)

        return quantize.quantize(source, tmp_path / "out.gguf", "Q2_K", on_progress=step)

    jobs = Jobs()
    job = jobs.start("me", "quantize", "source.gguf", work)
    until(lambda: job.done == 5)
    assert len(children()) == 1 and len(list(tmp_path.iterdir())) == 1
    job.cancel()
    assert job.wait(20) and job.state == "cancelled"
    assert list(tmp_path.iterdir()) == [] and children() == []


def test_a_source_that_is_deleted_meanwhile_does_no_harm(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(source.read_bytes())
    made = quantize.quantize(copy, tmp_path / "a.gguf", "Q4_0", on_progress=halfway(copy.unlink))
    assert not copy.exists()
    expected = quantize.quantize(source, tmp_path / "b.gguf", "Q4_0")
    assert made.path.read_bytes() == expected.path.read_bytes()


def test_a_source_that_is_changed_meanwhile_is_noticed(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(source.read_bytes())

    def change() -> None:
        with copy.open("r+b") as file:
            file.seek(-4, 2)
            file.write(b"\1\2\3\4")

    def replace() -> None:
        other = tmp_path / "other.gguf"
        other.write_bytes(source.read_bytes())
        other.replace(copy)

    for harm in (change, replace):
        with pytest.raises(SourceChanged):
            quantize.quantize(copy, tmp_path / "out.gguf", "Q4_0", on_progress=halfway(harm))
    assert list(tmp_path.iterdir()) == [copy]


def test_a_source_that_becomes_shorter_is_an_error_of_its_own_process(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(source.read_bytes())
    with pytest.raises((QuantizeFailed, SourceChanged)):
        quantize.quantize(copy, tmp_path / "out.gguf", "Q2_K", on_progress=halfway(lambda: os.truncate(copy, 4096)))
    assert list(tmp_path.iterdir()) == [copy]


def test_any_damaged_header_is_refused_or_survived(tmp_path: Path) -> None:
    """What passes our checks is given to llama.cpp, in a process whose end is an error and nothing more."""
    sound = tiny(tmp_path / "sound.gguf", width=256, seed=1)
    content, end = sound.read_bytes(), reader.read(sound).data_offset
    tried = 0
    for number, at in enumerate(range(4, end - 8, 131)):
        path = tmp_path / "damaged.gguf"
        value = (0, 1, 0x7FFFFFFF, 0xFFFFFFFF)[number % 4].to_bytes(4, "little")
        path.write_bytes(content[:at] + value + content[at + 4 :])
        try:
            reader.read(path)
        except WorkbenchError:
            continue
        tried += 1
        with contextlib.suppress(WorkbenchError):
            quantize.quantize(path, tmp_path / "out.gguf", "Q4_K_M")
            assert reader.read(tmp_path / "out.gguf").tensors
        (tmp_path / "out.gguf").unlink(missing_ok=True)
    assert tried > 10


def test_a_disk_that_is_too_small_is_known_before(tmp_path: Path) -> None:
    free = psutil.disk_usage(str(tmp_path)).free
    columns = 256
    rows = (free // 2 // columns) // 64 * 64 + (1 << 20)
    sparse = Raw(
        pairs=[
            string("general.architecture", "llama"),
            u32("llama.block_count", 1),
            u32("llama.context_length", 64),
            u32("llama.embedding_length", columns),
            u32("llama.feed_forward_length", 64),
            u32("llama.attention.head_count", 4),
            u32("llama.vocab_size", 3),
            string("tokenizer.ggml.model", "gpt2"),
            strings("tokenizer.ggml.tokens", ["a", "b", "c"]),
            # one more of llama's, which the writer of the tests has no need of
            b"\x26\0\0\0\0\0\0\0llama.attention.layer_norm_rms_epsilon\x06\0\0\0\xac\xc5\x27\x37",
        ],
        tensors=[tensor("token_embd.weight", (columns, rows))],
    ).write(tmp_path / "sparse.gguf")
    os.truncate(sparse, sparse.stat().st_size + 4 * columns * rows)
    with pytest.raises(DiskTooFull, match="free"):
        quantize.quantize(sparse, tmp_path / "out.gguf", "F16")
    assert list(tmp_path.iterdir()) == [sparse]


_FULL = """
import resource, sys
from pathlib import Path
from core.errors import WorkbenchError
from core.gguf import quantize
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    quantize.quantize(Path(sys.argv[1]), Path(sys.argv[2]), "Q8_0")
except WorkbenchError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_a_file_that_cannot_grow_is_not_taken_for_whole(source: Path, tmp_path: Path) -> None:
    """As on a disk that others fill meanwhile: a write fails in the middle."""
    done = subprocess.run(
        [sys.executable, "-c", _FULL, source, tmp_path / "out.gguf"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.startswith("QuantizeFailed"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_nothing(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TargetUnwritable, match=r"Not a directory|exists"):
        quantize.quantize(source, tmp_path / "file" / "out.gguf", "Q8_0")
    with pytest.raises(TargetUnwritable):
        quantize.quantize(source, Path("/proc/workbench/out.gguf"), "Q8_0")
    with pytest.raises(TargetUnwritable, match="long"):
        quantize.quantize(source, tmp_path / ("x" * 300), "Q8_0")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


_LEFT_ALONE = """
import os, signal, sys
from pathlib import Path
from core.gguf import quantize
def step(done, total, name):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
quantize.quantize(Path(sys.argv[1]), Path(sys.argv[2]), "Q2_K", on_progress=step)
"""


def test_a_server_that_is_killed_leaves_no_process_at_work(source: Path, tmp_path: Path) -> None:
    def working() -> bool:
        return any(str(tmp_path) in " ".join(_maps(one)) for one in psutil.process_iter())

    subprocess.run([sys.executable, "-c", _LEFT_ALONE, source, tmp_path / "out.gguf"], cwd=ROOT, capture_output=True)
    until(lambda: not working())
    assert not (tmp_path / "out.gguf").exists()


def _maps(process: psutil.Process) -> list[str]:
    try:
        return [file.path for file in process.open_files()]
    except psutil.Error:
        return []


def test_two_jobs_do_not_make_the_same_file(source: Path, tmp_path: Path) -> None:
    def again() -> None:
        with pytest.raises(TargetBusy):
            quantize.quantize(source, tmp_path / "out.gguf", "Q2_K")

    quantize.quantize(source, tmp_path / "out.gguf", "Q4_0", on_progress=halfway(again))
    assert reader.read(tmp_path / "out.gguf").quantization == "Q4_0"


_KILLED = """
import os, signal, sys
from pathlib import Path
from core.gguf import landing, quantize
def keep(part, target):  # everything is written and checked; the name is not given yet
    os.kill(os.getpid(), signal.SIGKILL)
landing.keep = keep
quantize.quantize(Path(sys.argv[1]), Path(sys.argv[2]), "Q8_0")
"""


def test_killed_between_writing_and_naming(source: Path, tmp_path: Path) -> None:
    """A power cut there leaves a hidden file, which the next job in the folder takes away once it is old."""
    target = tmp_path / "out.gguf"
    command = [sys.executable, "-c", _KILLED, source, target]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".") and not target.exists()

    quantize.quantize(source, target, "Q8_0")
    assert sorted(tmp_path.iterdir()) == sorted([left, target])  # too young to be sure that nobody works on it
    long_ago = time.time() - landing.ABANDONED_S - 1
    os.utime(left, (long_ago, long_ago))
    quantize.quantize(source, tmp_path / "other.gguf", "Q4_0")
    assert not left.exists() and target.exists()
