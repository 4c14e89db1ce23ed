"""Studies in the background: begun, followed, paused, taken up again after a restart, and what is known by now.

Everything is kept as it comes. A study that was paused, killed or cut off goes on with the next chunk; what another one
has measured already is not measured again. Thread-safe. Every method that takes an owner raises `NotThere` for what is
another owner's.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Sequence
from typing import Any

from core.errors import N_, NothingToMeasure, NotThere, WorkbenchError
from core.gguf import quality, speed
from core.gguf.quality import Pass, Subject
from core.gguf.study import Row, Spec, Study, Variant
from core.gguf.study_run import Bench, Run
from core.jobs import Halted, Job, Jobs
from core.store.measurements import KeptStudy

KIND = "study"
"""Of the jobs that run studies."""

REMEMBERED = 64
"""Passes that are not read from the store again."""


class Studies:
    """The studies of all owners."""

    def __init__(self, bench: Bench, jobs: Jobs) -> None:
        self.bench = bench
        self._kept = bench.kept
        self._jobs = jobs
        self._lock = threading.Lock()
        self._doing: dict[str, tuple[str, str]] = {}
        self._read: dict[tuple[str, str], Pass] = {}

    def start(self, owner: str, spec: Spec) -> Study:
        """A new study, running. Raises `NothingToMeasure`."""
        if not spec.variants:
            raise NothingToMeasure()
        made = self._kept.create(owner, spec)
        self.go_on(owner, made.id)
        return self.get(owner, made.id)

    def go_on(self, owner: str, id: str) -> None:
        """Runs it from where it was; what had failed is tried again. Nothing while it runs."""
        study = self.get(owner, id)
        with self._lock:
            if self.running(owner, id):
                return
            self._kept.set_errors(owner, id, {})
            self._kept.set_state(owner, id, "running")
            self._jobs.start(owner, KIND, id, lambda job: self._run(owner, study, job))

    def pause(self, owner: str, id: str) -> None:
        """Ends it for now, at once: the chunk in work is measured again."""
        self.get(owner, id)
        if (job := self.job(owner, id)) is not None:
            job.pause()

    def job(self, owner: str, id: str) -> Job | None:
        """The job that runs it, or ran it last; None after a restart."""
        return next((job for job in self._jobs.list(owner, KIND) if job.subject == id), None)

    def running(self, owner: str, id: str) -> bool:
        """Whether it runs in this process."""
        job = self.job(owner, id)
        return job is not None and job.state == "running"

    def doing(self, id: str) -> tuple[str, str]:
        """What a running one is at: a msgid, and the name of the model."""
        return self._doing.get(id, (N_("waits for its turn"), ""))

    def get(self, owner: str, id: str) -> Study:
        """The study by this id."""
        study = _read(self._kept.study(owner, id))
        if study is None:
            raise NotThere(what=N_("measurement"))
        return study

    def list(self, owner: str) -> Sequence[Study]:
        """Newest first; none of another version's form."""
        return [study for one in self._kept.studies(owner) if (study := _read(one)) is not None]

    def delete(self, owner: str, id: str) -> None:
        """Ends it and forgets it; files, and what was measured of them, stay."""
        if self.running(owner, id) and (job := self.job(owner, id)) is not None:
            job.cancel()
            job.wait(5.0)
        self._kept.delete(owner, id)

    def again(self, owner: str, id: str) -> None:
        """Measures all of it anew."""
        study = self.get(owner, id)
        spec = study.spec
        reference = self.bench.subject(spec.reference, spec)
        for one in spec.all:
            subject = self.bench.subject(one, spec)
            if subject is not None:
                base = None if one == spec.reference else reference
                quality.forget(self._kept, owner, subject, spec.plan, reference=base)
                speed.forget(self._kept, owner, subject, spec.speed_plan)
        self.go_on(owner, id)

    def rows(self, owner: str, id: str) -> builtins.list[Row]:
        """What is known by now, the reference first."""
        spec = self.get(owner, id).spec
        errors = self._kept.study(owner, id).errors
        reference = self.bench.subject(spec.reference, spec)
        return [self._row(owner, spec, one, reference, errors.get(one.name)) for one in spec.all]

    def recover(self) -> None:
        """After a start: what ran is paused."""
        self._kept.recover()

    def _row(
        self, owner: str, spec: Spec, one: Variant, reference: Subject | None, error: dict[str, Any] | None
    ) -> Row:
        first = one == spec.reference
        subject = reference if first else self.bench.subject(one, spec)
        measured = fast = None
        if subject is not None and reference is not None:
            base = None if first else reference
            measured = self._pass(owner, subject, spec, base)
            fast = speed.known(self._kept, owner, subject, spec.speed_plan) if spec.repeat else None
        return Row(
            name=one.name,
            reference=first,
            path=subject.path if subject is not None else None,
            bytes=subject.bytes if subject is not None else None,
            quality=measured,
            speed=fast,
            error=WorkbenchError.from_dict(error) if error is not None else None,
        )

    def _pass(self, owner: str, subject: Subject, spec: Spec, base: Subject | None) -> Pass | None:
        """As it was read last, while it has not been measured anew: a page asks with every click."""
        key = (owner, quality.key_of(subject, spec.plan, base))
        since = self._kept.whole_since(*key)
        if since is None:
            return None
        known = self._read.get(key)
        if known is None or known.at != since:
            known = quality.known(self._kept, owner, subject, spec.plan, reference=base)
            if known is not None:
                with self._lock:
                    self._read[key] = known
                    while len(self._read) > REMEMBERED:
                        del self._read[next(iter(self._read))]
        return known

    def _run(self, owner: str, study: Study, job: Job) -> None:
        run = Run(
            self.bench,
            owner,
            study.spec,
            job,
            say=lambda what, name: self._doing.update({study.id: (what, name)}),
            failed=lambda errors: self._kept.set_errors(owner, study.id, errors),
        )
        try:
            run.run()
        except Halted:
            self._end(owner, study.id, "paused")
            raise
        except BaseException:
            self._end(owner, study.id, "failed")
            raise
        self._end(owner, study.id, "failed" if run.errors else "done")

    def _end(self, owner: str, id: str, state: Any) -> None:
        try:
            self._kept.set_state(owner, id, state)
        except NotThere:
            return  # it was deleted meanwhile


def _read(kept: KeptStudy) -> Study | None:
    spec = kept.read(Spec)
    return None if spec is None else Study(id=kept.id, created_at=kept.created_at, state=kept.state, spec=spec)
