"""How good a model is over a text, and how far from a reference: measured in a child, kept chunk by chunk.

A measurement is known by the file's hash, the reference's, the text's, the settings and the version of llama.cpp:
asked again it is there at once, and one that was ended goes on with the next chunk. The reference's log-probabilities
lie in a file beside the database; when that is gone they are computed again. Blocks; runs nothing beside itself.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from core.child import ChildDied, frames
from core.errors import MeasureDied, NoSpaceToMeasure, NothingToMeasure, VocabulariesDiffer, WorkbenchError
from core.gguf import estimates, hashing, measures, texts
from core.gguf.estimates import Quality
from core.gguf.header import GGUF
from core.gguf.measures import Chunk, Failed, Finished, Frame, Opened, QualityTask, Setup
from core.models.local import files
from core.store.measurements import KeptMeasurement, Measurements

REFERENCES_KEPT = 4_000_000_000
"""Bytes of log-probabilities that stay on the disk; the oldest go first."""

SPARE = 200_000_000
"""Bytes of disk that are left free."""

Notice = Callable[[int, int], None]
"""Told the chunks that are done and how many there are, of what is measured now. May raise, which ends the measurement;
what is done is kept."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A model to be measured: `sha256` of its file, what the header says, and what people call it."""

    name: str
    path: Path
    sha256: str
    bytes: int
    vocabulary: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """On what, and how. `chunks` None: as many as the text has."""

    text: str
    context: int = 512
    chunks: int | None = 8
    setup: Setup = Setup()


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """A whole measurement: what was opened, all chunks, how it ended, and the figures."""

    opened: Opened
    chunks: tuple[Chunk, ...]
    finished: Finished
    figures: Quality
    at: float


def subject(kept: Measurements, path: Path, name: str, *, check: Callable[[], None] = lambda: None) -> Subject:
    """A file, checked as before every load, and its hash. Raises `ModelNotFound` or `ModelFileInvalid`."""
    gguf = files.checked(path)
    return Subject(
        name=name,
        path=gguf.path,
        sha256=hashing.sha256(kept, gguf, check=check),
        bytes=gguf.total_size,
        vocabulary=_vocabulary(gguf),
    )


def measure(
    kept: Measurements,
    owner: str,
    model: Subject,
    plan: Plan,
    *,
    folder: Path,
    reference: Subject | None = None,
    reference_setup: Setup | None = None,
    notice: Notice = lambda done, total: None,
) -> Pass:
    """The figures of a model, from the store or measured now. `folder`: where log-probabilities are kept.
    `reference_setup`: how the reference is loaded, where otherwise than the model.

    Raises what loading raises, `TextTooShort`, `VocabulariesDiffer`, `LogitsInvalid`, `NoSpaceToMeasure` and
    `MeasureDied`.
    """
    base = vocabulary = None
    if reference is not None:
        based_on = msgspec.structs.replace(plan, setup=reference_setup or plan.setup)
        base = kept_reference(kept, owner, reference, based_on, folder=folder, notice=notice)
        whole = known(kept, owner, reference, based_on)
        vocabulary = whole.opened.vocabulary if whole is not None else None
    key = key_of(model, plan, reference, reference_setup)
    task = _task(model, plan, reference=base)
    return _measured(kept, owner, key, task, notice, vocabulary=vocabulary)


def known(
    kept: Measurements, owner: str, model: Subject, plan: Plan, *, reference: Subject | None = None
) -> Pass | None:
    """The figures where they have been measured to the end."""
    found = kept.get(owner, key_of(model, plan, reference))
    return _pass(found) if found is not None else None


def forget(kept: Measurements, owner: str, model: Subject, plan: Plan, *, reference: Subject | None = None) -> None:
    """It will be measured anew."""
    kept.forget(owner, key_of(model, plan, reference))


def kept_reference(
    kept: Measurements,
    owner: str,
    model: Subject,
    plan: Plan,
    *,
    folder: Path,
    notice: Notice = lambda done, total: None,
) -> Path:
    """The file of a reference's log-probabilities, whole; computed where it is not. Raises as `measure`."""
    key = key_of(model, plan, None)
    path = folder / f"{digest(owner, key)[:40]}.logits"
    _check_room(folder, path, model, plan)
    found = kept.get(owner, key)
    scored = len(found.parts) if found is not None else 0
    opened = found.read(found.head, Opened) if found is not None else None
    if opened is not None and _size(path) < measures.reference_bytes(
        vocabulary=model.vocabulary, context=plan.context, chunks=opened.chunks, scored=scored
    ):
        kept.forget(owner, key)  # the figures are there and the probabilities are not: both anew
    _measured(kept, owner, key, _task(model, plan, keep=path), notice)
    path.touch()
    _tidy(folder, path)
    return path


def key_of(model: Subject, plan: Plan, reference: Subject | None, reference_setup: Setup | None = None) -> str:
    """What tells a measurement from others. How many threads compute makes no difference to what is computed."""
    return digest(
        "quality",
        model.sha256,
        reference.sha256 if reference is not None else None,
        texts.digest(plan.text),
        plan.context,
        plan.chunks,
        msgspec.structs.replace(plan.setup, threads=None),
        None if reference_setup is None else msgspec.structs.replace(reference_setup, threads=None),
    )


def digest(*values: object) -> str:
    """A key of everything that a measurement depends on, the version of llama.cpp included."""
    version = importlib.metadata.version("llama-cpp-python")
    return hashlib.sha256(msgspec.json.encode([version, *values])).hexdigest()


@contextmanager
def spoken(name: str) -> Iterator[None]:
    """What happens to the child, in errors for people."""
    try:
        yield
    except ChildDied as error:
        raise MeasureDied(model=name, detail=str(error)) from error


def said(module: str, task: measures.Task) -> Generator[Frame]:
    """What a measuring child says; its errors raised. Closing the iterator ends it."""
    with closing(frames(module, measures.encode(task), measures.decode_frame)) as all_frames:
        for frame in all_frames:
            if isinstance(frame, Failed):
                raise WorkbenchError.from_dict(frame.error)
            yield frame


def _measured(
    kept: Measurements, owner: str, key: str, task: QualityTask, notice: Notice, *, vocabulary: str | None = None
) -> Pass:
    """`vocabulary`: the fingerprint of the one that the model must have."""
    found = kept.get(owner, key)
    if found is not None and (whole := _pass(found)) is not None:
        return whole
    done = len(found.parts) if found is not None and found.head is not None else 0
    if not done:
        kept.begin(owner, key, "quality")
    task = msgspec.structs.replace(task, skip=done)
    total = 0
    with spoken(task.name), closing(said("core.llamacpp.perplexity", task)) as all_frames:
        for frame in all_frames:
            if isinstance(frame, Opened):
                if vocabulary is not None and frame.vocabulary != vocabulary:
                    raise VocabulariesDiffer(model=task.name)
                total = frame.chunks
                kept.head(owner, key, frame)
            elif isinstance(frame, Chunk):
                kept.part(owner, key, frame.number, frame)
                done = frame.number + 1
            elif isinstance(frame, Finished):
                kept.end(owner, key, frame)
            notice(done, total)
    found = kept.get(owner, key)
    whole = _pass(found) if found is not None else None
    if whole is None:
        raise MeasureDied(model=task.name, detail="it said no end")
    return whole


def _pass(found: KeptMeasurement) -> Pass | None:
    opened, finished = found.read(found.head, Opened), found.read(found.end, Finished)
    chunks = [chunk for part in found.parts if (chunk := found.read(part, Chunk)) is not None]
    if opened is None or finished is None or not chunks or len(chunks) != opened.chunks:
        return None
    return Pass(opened=opened, chunks=tuple(chunks), finished=finished, figures=estimates.quality(chunks), at=found.at)


def _task(model: Subject, plan: Plan, *, reference: Path | None = None, keep: Path | None = None) -> QualityTask:
    return QualityTask(
        path=str(model.path),
        name=model.name,
        text=plan.text,
        context=plan.context,
        chunks=plan.chunks,
        setup=plan.setup,
        reference=str(reference) if reference is not None else None,
        keep=str(keep) if keep is not None else None,
    )


def _vocabulary(gguf: GGUF) -> int:
    size = gguf.vocabulary_size
    if not size:
        raise NothingToMeasure()
    return size


def _check_room(folder: Path, path: Path, model: Subject, plan: Plan) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    at_most = len(plan.text.encode("utf-8", errors="replace")) // plan.context + 1  # no token is less than a byte
    chunks = min(plan.chunks or at_most, at_most)
    needed = measures.reference_bytes(vocabulary=model.vocabulary, context=plan.context, chunks=chunks) - _size(path)
    free = shutil.disk_usage(folder).free - SPARE
    if needed > free:
        raise NoSpaceToMeasure(needed=f"{needed / 1e9:.1f} GB", free=f"{max(free, 0) / 1e9:.1f} GB")


def _tidy(folder: Path, used: Path) -> None:
    """Takes away the oldest files of log-probabilities where there are too many."""
    there = sorted(folder.glob("*.logits"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in there:
        total += _size(path)
        if total > REFERENCES_KEPT and path != used:
            path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
