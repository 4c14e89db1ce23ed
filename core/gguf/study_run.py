"""One run of a study, in the thread of its job: files made where they are not there, then measured, then timed.

Each measurement stands in the line of whoever is timed alone (core/models/in_turn.py). What cannot be measured of one
variant is kept as its error, and the others go on; without the reference there is nothing to hold them against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import N_, ModelNotFound, WorkbenchError
from core.gguf import quality, quantize, recipes, speed
from core.gguf.quality import Subject
from core.gguf.study import Spec, Variant
from core.jobs import Job
from core.models.in_turn import Turns
from core.models.local import files
from core.store.measurements import Measurements

MAKING = 6
"""Steps that quantizing a file counts for, beside one for each chunk and each round of a test of speed."""

FOLDER = "quantized-here"
"""In the folder of models: what was quantized for a study can be talked to afterwards."""

Say = Callable[[str, str], None]
"""Told what is done now, a msgid, and the name of the model."""


@dataclass(frozen=True)
class Bench:
    """Where studies are made: what is kept, the folder of log-probabilities, the line, the folder of models."""

    kept: Measurements
    folder: Path
    turns: Turns
    models: Path
    _read: dict[tuple[str, int, int, str], Subject] = field(default_factory=dict, repr=False)

    def path(self, variant: Variant, spec: Spec) -> Path:
        """Where a variant's file is, or will be. Raises `ModelNotFound` or `ModelFileInvalid` for its source."""
        if variant.path is not None:
            return files.located(variant.path)
        assert variant.type is not None
        source = files.located(spec.source)
        return (
            self.models
            / FOLDER
            / self._subject(source, source.stem).sha256[:8]
            / recipes.file_name(source.name, variant.type)
        )

    def subject(self, variant: Variant, spec: Spec) -> Subject | None:
        """A variant whose file is there and can be read."""
        try:
            return self._subject(self.path(variant, spec), variant.name)
        except WorkbenchError:
            return None

    def _subject(self, path: Path, name: str) -> Subject:
        """A file as it was read last, while it has not changed: a page asks with every click."""
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            raise ModelNotFound(model=path.name) from error
        key = (str(path), status.st_size, status.st_mtime_ns, name)
        if key not in self._read:
            self._read[key] = quality.subject(self.kept, path, name)
        return self._read[key]


class Run:
    """The work of a job. `errors`: by the variant's name, as they come; `failed` is told them."""

    def __init__(
        self,
        bench: Bench,
        owner: str,
        spec: Spec,
        job: Job,
        *,
        say: Say,
        failed: Callable[[dict[str, dict[str, Any]]], None],
    ) -> None:
        self._bench = bench
        self._owner = owner
        self._spec = spec
        self._job = job
        self._say = say
        self._failed = failed
        self._done = 0.0
        self.errors: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        """Everything that is to be done. Raises `Halted`, and what goes wrong with the reference."""
        spec = self._spec
        self._job.step(0, self._total())
        reference = self._made(spec.reference)
        self._read_reference(reference)
        for one in spec.variants:
            with self._kept_apart(one):
                self._read(one, reference)
        for one in spec.all if spec.repeat else ():
            with self._kept_apart(one):
                self._time(one)

    def _total(self) -> float:
        spec = self._spec
        made = sum(MAKING for one in spec.all if one.type is not None)
        rounds = speed.rounds(spec.speed_plan) if spec.repeat else 0
        return made + len(spec.all) * (rounds + (spec.chunks or 1))

    def _made(self, one: Variant) -> Subject:
        path = self._bench.path(one, self._spec)
        if one.type is not None:
            begun = self._done
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._turn(N_("is being quantized"), one.name):
                    quantize.quantize(
                        files.located(self._spec.source),
                        path,
                        one.type,
                        on_progress=lambda done, total, _: self._step(begun + MAKING * done / max(total, 1)),
                    )
            self._step(begun + MAKING)
        return quality.subject(self._bench.kept, path, one.name, check=self._job.check)

    def _read_reference(self, model: Subject) -> None:
        bench, begun = self._bench, self._done
        with self._turn(N_("reads the text, as the reference"), model.name):
            quality.kept_reference(
                bench.kept,
                self._owner,
                model,
                self._spec.plan,
                folder=bench.folder,
                notice=lambda done, total: self._chunk(begun, done, total),
            )
        self._chunk(begun, 1, 1)

    def _read(self, one: Variant, reference: Subject) -> None:
        model = self._made(one)
        bench, begun = self._bench, self._done
        with self._turn(N_("reads the text"), one.name):
            quality.measure(
                bench.kept,
                self._owner,
                model,
                self._spec.plan,
                folder=bench.folder,
                reference=reference,
                notice=lambda done, total: self._chunk(begun, done, total),
            )
        self._chunk(begun, 1, 1)

    def _time(self, one: Variant) -> None:
        if one.name in self.errors:
            return
        bench, begun = self._bench, self._done
        model = quality.subject(bench.kept, bench.path(one, self._spec), one.name)
        with self._turn(N_("is timed"), one.name):
            speed.measure(
                bench.kept,
                self._owner,
                model,
                self._spec.speed_plan,
                notice=lambda done, _: self._step(begun + done),
            )
        self._step(begun + speed.rounds(self._spec.speed_plan))

    def _chunk(self, begun: float, done: int, total: int) -> None:
        """A text may have another number of chunks than was asked for: the whole is counted so all the same."""
        expected = self._spec.chunks or 1
        self._step(begun + (done * expected / total if total else 0))

    def _step(self, done: float) -> None:
        self._done = done
        self._job.step(done)

    @contextmanager
    def _turn(self, what: str, name: str) -> Iterator[None]:
        with self._bench.turns.take() as ticket:
            self._say(N_("waits for its turn"), name)
            for _ in ticket.wait():
                self._job.check()
            self._say(what, name)
            yield

    @contextmanager
    def _kept_apart(self, one: Variant) -> Iterator[None]:
        try:
            yield
        except WorkbenchError as error:
            self.errors[one.name] = error.to_dict()
            self._failed(self.errors)
