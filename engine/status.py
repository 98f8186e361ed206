"""What the jobs of a project are doing, read from their event logs.

A job's state is what its events add up to (`engine.runstate`). Only one thing does not stand in the
log: whether a job that has not ended is still alive.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine import lock, logindex
from engine.eventlog import Page, Record, read, read_before
from engine.jobs import LOG_NAME, job_folders
from engine.logindex import Landmark
from engine.runstate import ENDED, Best, RunState, State
from engine.series import Series

__all__ = [
    "ENDED",
    "Best",
    "Follower",
    "ProjectStatus",
    "RunState",
    "State",
    "is_alive",
    "newest_jobs",
    "project_status",
    "read_state",
    "settled",
]

# How much a clock may be set back between two processes' notes of the same moment.
_CLOCK_SLACK_SECONDS = 2.0
_CRASHED = "ended without a word: killed, out of memory, or a power cut"


class Follower:
    """Reads a job's log as it grows.

    `state`, `series` and `landmarks` are what all that was read so far adds up to. `poll` and
    `read_some` begin where the log's index ends; `lines` reads every line there is.
    """

    def __init__(self, job_folder: Path) -> None:
        self.folder = job_folder
        self._log = job_folder / LOG_NAME
        self._digest = logindex.new(self._log)
        self._begun = False
        self._behind = False
        self._read_bytes = 0

    @property
    def state(self) -> RunState:
        return self._digest.state

    @property
    def series(self) -> Series:
        """The numbers of the steps, for a chart."""
        return self._digest.series

    @property
    def landmarks(self) -> list[Landmark]:
        """The important lines, oldest first; of very many some are left out."""
        return self._digest.landmarks

    @property
    def offset(self) -> int:
        """How many bytes of the log were read."""
        return self._digest.offset

    def lines(self) -> Iterator[tuple[bytes, Record]]:
        """The lines that came since the last call, with their records, as they are read."""
        self._begun = True
        return self._digest.read_on(self._log)

    def poll(self, limit_seconds: float | None = None, max_bytes: int | None = None) -> bool:
        """Read on; gives whether more of the log is waiting.

        The first call takes what the index holds. A call ends soon after `limit_seconds` or
        `max_bytes`; without them at the end of the log.
        """
        for _ in self._some(limit_seconds, max_bytes):
            pass
        return self._behind

    def read_some(
        self, limit_seconds: float | None = None, max_bytes: int | None = None
    ) -> tuple[list[Record], bool]:
        """Like `poll`, with the records that were read; what the index holds is not among them."""
        return [*self._some(limit_seconds, max_bytes)], self._behind

    def _some(self, limit_seconds: float | None, max_bytes: int | None) -> Iterator[Record]:
        deadline = math.inf if limit_seconds is None else time.monotonic() + limit_seconds
        self._begin()
        start = self.offset
        limit = math.inf if max_bytes is None else start + max_bytes
        self._behind = False
        with contextlib.closing(self._digest.read_on(self._log)) as lines:
            for _, record in lines:
                yield record
                if self.offset >= limit or time.monotonic() >= deadline:
                    self._behind = True
                    break
        self._read_bytes += self.offset - start
        if not self._behind:
            self._index_if_long()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._digest = logindex.read(self._log) or self._digest

    def _index_if_long(self) -> None:
        """Spare the next reader what this one had to read."""
        # "crashed" is what we think, and not what the log says.
        if self._read_bytes >= logindex.LONG_LOG_BYTES and self.state.state != "crashed":
            logindex.write_aside(self._digest, self._log)
        self._read_bytes = 0

    def glance(self) -> RunState:
        """The state as the index and the end of the log tell it, at once however long the log is.

        Its `partial` tells whether a part was left out; `poll` reads that too. The follower itself
        stays where it is.
        """
        return settled(self.folder, logindex.glance(self._log))

    def tail(self, count: int) -> list[Record]:
        """The last records of the log, oldest first, read from its end."""
        return [*self.records_before(None, count).records]

    def records_before(self, offset: int | None, count: int) -> Page:
        """The last `count` records before byte `offset`, or of the whole log when it is None.

        The `start` of a page is the offset that gives the page before it.
        """
        return read_before(self._log, count, offset)

    def record_at(self, offset: int) -> Record | None:
        """The record whose line begins at byte `offset`, as a landmark's does."""
        return next((record for record, _ in read(self._log, offset)), None)

    def settled_lines(self) -> Iterator[tuple[bytes, Record]]:
        """Like `lines`; a job that has neither ended nor a living process becomes "crashed"."""
        yield from self.lines()
        if is_alive(self.folder, self.state):
            return
        # It may have ended properly between our reading and our looking.
        yield from self.lines()
        self._settle()

    def settle(self) -> RunState:
        """The state; a job that has neither ended nor a living process becomes "crashed".

        Call it when `poll` has read to the end of the log.
        """
        if not is_alive(self.folder, self.state):
            self.poll()
            self._settle()
        return self.state

    def _settle(self) -> None:
        settled(self.folder, self.state)


def settled(job_folder: Path, state: RunState) -> RunState:
    """The same state, made "crashed" when the job has neither ended nor a living process."""
    if not is_alive(job_folder, state):
        state.state, state.eta, state.message = "crashed", None, _CRASHED
    return state


def is_alive(job_folder: Path, state: RunState) -> bool:
    """Whether a job that says that it runs still has its process; true of one that ended."""
    if state.state not in ("running", "paused"):
        return True
    owner = lock.holder(job_folder.parent.parent)
    if owner is not None:
        # A part of the log may not tell which process was the last to begin.
        if state.partial:
            return True
        if owner.pid == state.pid and owner.started <= state.started_at + _CLOCK_SLACK_SECONDS:
            return True
    # A training run holds the project for as long as it lives; other jobs need not.
    return job_folder.parent.name != "runs" and _process_lives(state.pid, state.started_at)


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
    follower.poll()
    return follower.settle()


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


def newest_jobs(folder: Path) -> list[Path]:
    """The newest training run of a project and its newest job of each other kind.

    They stand in the order in which they were last heard of, newest first.
    """
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
    return [job for _, job in sorted(newest.values(), reverse=True)]


def project_status(folder: Path) -> ProjectStatus:
    """Look at the jobs of a project."""
    jobs = newest_jobs(folder)
    return ProjectStatus(tuple(jobs), tuple(read_state(job) for job in jobs))


def project_glance(folder: Path) -> ProjectStatus:
    """Like `project_status`, as far as the ends of the logs tell: at once, however long they are."""
    jobs = newest_jobs(folder)
    return ProjectStatus(tuple(jobs), tuple(Follower(job).glance() for job in jobs))
