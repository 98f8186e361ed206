"""What a job is doing, folded from its event log.

Status, attach, the plain output and the console all see a job as the `RunState` that its events add
up to. Only one thing does not stand in the log: whether a job that has not ended is still alive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from engine import events, lock
from engine.eventlog import Record, jsonable, read_lines
from engine.jobs import LOG_NAME, job_folders

State = Literal["new", "running", "paused", "stopped", "failed", "finished", "crashed"]
ENDED: frozenset[State] = frozenset({"stopped", "failed", "finished", "crashed"})
# How much a clock may be set back between two processes' notes of the same moment.
_CLOCK_SLACK_SECONDS = 2.0


@dataclass(frozen=True)
class Best:
    """The lowest held-out loss so far, and the step that reached it."""

    loss: float
    step: int


@dataclass
class RunState:
    """Everything that one look at a job shows. Times are seconds, losses as coqui logs them."""

    run: str = ""
    job: str = ""
    state: State = "new"
    message: str = ""
    error: str = ""
    reason: str = ""
    pid: int = 0
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    loss_text_ce: float | None = None
    loss_mel_ce: float | None = None
    learning_rate: float | None = None
    eta: float | None = None
    elapsed: float = 0.0
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    saved_step: int | None = None
    checkpoint: str = ""
    warnings: list[events.Warned] = field(default_factory=list)
    evaluations: list[events.Evaluated] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    started_at: float = 0.0
    updated_at: float = 0.0
    _worked: float = 0.0

    @property
    def best(self) -> Best | None:
        """The newest evaluation that no earlier one beat."""
        for evaluation in reversed(self.evaluations):
            if evaluation.best:
                return Best(evaluation.loss, evaluation.step)
        return None

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def apply(self, record: Record) -> None:
        """Take one more event of the job into account."""
        event = record.event
        if isinstance(event, events.Started):
            self._begin(event, record.t)
        self.updated_at = record.t
        self.elapsed = self._worked + max(0.0, record.t - self.started_at)
        self._apply_course(event)
        self._apply_training(event)

    def _begin(self, event: events.Started, now: float) -> None:
        self._worked = self.elapsed
        self.started_at = now
        self.job, self.pid, self.state = event.job, event.pid, "running"
        self.message = self.error = self.reason = self.stage = ""

    def _apply_course(self, event: events.Event) -> None:
        """What any job tells: its stages, its warnings, how it ended."""
        match event:
            case events.Stage():
                self.stage, self.done = event.name, 0.0
                self.total, self.unit = event.total, event.unit
            case events.Progress():
                self.stage, self.done = event.stage, event.done
                self.total, self.unit = event.total, event.unit
            case events.Warned():
                self.warnings.append(event)
            case events.ClipDropped():
                self.dropped[event.reason] = self.dropped.get(event.reason, 0) + 1
            case events.Stopped():
                self.reason = event.reason
                self._end("stopped", "")
            case events.Failed():
                self.error = event.error
                self._end("failed", event.message)
            case events.Finished():
                self.summary = event.summary
                self._end("finished", "")

    def _apply_training(self, event: events.Event) -> None:
        match event:
            case events.Resumed():
                self.step, self.epoch = event.step, event.epoch
                # What came after the checkpoint is done again.
                self.evaluations = [e for e in self.evaluations if e.step <= event.step]
            case events.Epoch():
                self.epoch, self.epochs = event.epoch, event.epochs
            case events.Step():
                self.step, self.steps = event.step, event.steps
                self.epoch, self.epochs = event.epoch, event.epochs
                self.loss = event.loss
                self.loss_text_ce, self.loss_mel_ce = event.loss_text_ce, event.loss_mel_ce
                self.learning_rate, self.eta = event.lr, event.eta
            case events.Evaluated():
                self.evaluations.append(event)
            case events.Saved():
                self.saved_step, self.checkpoint = event.step, event.checkpoint
            case events.Paused():
                self.state = "paused"
            case events.Continued():
                self.state = "running"

    def _end(self, state: State, message: str) -> None:
        self.state, self.message, self.eta = state, message, None

    def as_dict(self) -> dict[str, Any]:
        """The state as plain JSON values; numbers that JSON does not know are strings."""
        values = dataclasses.asdict(self)
        del values["_worked"]
        best = self.best
        values["best"] = dataclasses.asdict(best) if best else None
        fields: dict[str, Any] = jsonable(values)
        return fields


class Follower:
    """Reads a job's log as it grows. `state` is what all that was read so far adds up to."""

    def __init__(self, job_folder: Path) -> None:
        self.folder = job_folder
        self.state = RunState(run=job_folder.name)
        self._offset = 0

    def lines(self) -> Iterator[tuple[bytes, Record]]:
        """The lines that came since the last call, with their records, as they are read."""
        for line, record, end in read_lines(self.folder / LOG_NAME, self._offset):
            self._offset = end
            self.state.apply(record)
            yield line, record

    def poll(self) -> RunState:
        """Read to the end of the log."""
        for _ in self.lines():
            pass
        return self.state

    def settled_lines(self) -> Iterator[tuple[bytes, Record]]:
        """Like `lines`; a job that has neither ended nor a living process becomes "crashed"."""
        yield from self.lines()
        if self._is_alive_or_ended():
            return
        # It may have ended properly between our reading and our looking.
        yield from self.lines()
        if not self._is_alive_or_ended():
            self.state.state, self.state.eta = "crashed", None
            self.state.message = "ended without a word: killed, out of memory, or a power cut"

    def _is_alive_or_ended(self) -> bool:
        state = self.state
        if state.state not in ("running", "paused"):
            return True
        owner = lock.holder(self.folder.parent.parent)
        if (
            owner is not None
            and owner.pid == state.pid
            and owner.started <= state.started_at + _CLOCK_SLACK_SECONDS
        ):
            return True
        # A training run holds the project for as long as it lives; other jobs need not.
        return self.folder.parent.name != "runs" and _process_lives(state.pid, state.started_at)


def _process_lives(pid: int, started_job_at: float) -> bool:
    """Whether the process that started a job still runs, and not another one with its pid."""
    try:
        process = psutil.Process(pid)
        is_same: bool = process.create_time() <= started_job_at + _CLOCK_SLACK_SECONDS
        is_dead: bool = process.status() == psutil.STATUS_ZOMBIE
        return is_same and not is_dead
    except psutil.NoSuchProcess:
        return False


def read_state(job_folder: Path) -> RunState:
    """The state of a job. A log without an end whose process is gone makes it "crashed".

    Torn and damaged lines are passed over.
    """
    follower = Follower(job_folder)
    for _ in follower.settled_lines():
        pass
    return follower.state


@dataclass(frozen=True)
class ProjectStatus:
    """The jobs of a project that matter now: the newest training run and the newest of each kind.

    They stand in the order in which they were last heard of, newest first.
    """

    folders: tuple[Path, ...] = ()
    states: tuple[RunState, ...] = ()

    @property
    def running(self) -> Path | None:
        """The job that runs now, a training run before any other."""
        alive = [
            folder
            for folder, state in zip(self.folders, self.states, strict=True)
            if state.state in ("running", "paused")
        ]
        return min(alive, key=lambda folder: folder.parent.name != "runs", default=None)

    @property
    def newest(self) -> Path | None:
        """The job that runs now, else the one that was last heard of."""
        return self.running or (self.folders[0] if self.folders else None)

    @property
    def shown(self) -> RunState:
        """What a person asks for first: what runs now, else the last training, else the last job."""
        if not self.folders:
            return RunState()
        trained = [folder for folder in self.folders if folder.parent.name == "runs"]
        return self.states[self.folders.index(self.running or (trained or [*self.folders])[0])]


def project_status(folder: Path) -> ProjectStatus:
    """Look at the jobs of a project."""
    newest: dict[str, tuple[int, Path]] = {}
    for job in [*job_folders(folder / "runs"), *job_folders(folder / "jobs")]:
        try:
            log = (job / LOG_NAME).stat()
        except FileNotFoundError:
            continue
        kind = job.name.partition("-")[2]
        # An empty log is that of a job which never began.
        if log.st_size and log.st_mtime_ns >= newest.get(kind, (0, job))[0]:
            newest[kind] = (log.st_mtime_ns, job)
    jobs = [job for _, job in sorted(newest.values(), reverse=True)]
    return ProjectStatus(tuple(jobs), tuple(read_state(job) for job in jobs))
