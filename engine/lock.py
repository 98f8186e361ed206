"""One writer per project at a time: a file lock, and a record of who holds it.

The kernel frees the lock when its holder dies, so there are no stale locks. The record beside it
tells people who the holder is; nobody ever signals the process that it names.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from engine.errors import BusyError
from engine.files import write_json
from engine.text import clean

LOCK_NAME = ".lock"
OWNER_NAME = ".owner.json"
_PATIENCE_SECONDS = 0.1


@dataclass(frozen=True)
class Owner:
    """Who holds a project. `boot_id` and `started` tell a live process from one that reused its pid."""

    host: str
    boot_id: str
    pid: int
    started: float
    since: float
    job: str

    def describe(self) -> str:
        return f"process {self.pid} on {clean(self.host)} ({clean(self.job)}, since {time.ctime(self.since)})"


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="utf-8").strip() if path.exists() else str(psutil.boot_time())


def _me(job: str) -> Owner:
    process = psutil.Process()
    return Owner(
        socket.gethostname(), _boot_id(), process.pid, process.create_time(), time.time(), job
    )


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_lock_soon(descriptor: int) -> bool:
    """Try for a moment, because a reader that asks for the holder has the lock for an instant."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _open(folder: Path) -> int:
    return os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _read_owner(folder: Path) -> Owner | None:
    try:
        return Owner(**json.loads((folder / OWNER_NAME).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def holder(folder: Path) -> Owner | None:
    """Who holds the project right now, or None when nobody does."""
    if not (folder / LOCK_NAME).exists():
        return None
    # Looking needs no right to write, so that anybody who may read a project may ask.
    descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _try_lock(descriptor):
            return None
        return _read_owner(folder) or Owner("unknown host", "", 0, 0.0, time.time(), "unknown job")
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def hold(folder: Path, job: str) -> Iterator[None]:
    """Hold the project for writing. Raises BusyError, which says who has it."""
    descriptor = _open(folder)
    try:
        if not _try_lock_soon(descriptor):
            owner = _read_owner(folder)
            who = owner.describe() if owner else "another process"
            raise BusyError(
                f"{clean(str(folder))} is being written by {who}. "
                f"Watch it with 'voicetui attach', or end it with 'voicetui stop'."
            )
        write_json(folder / OWNER_NAME, asdict(_me(job)))
        yield
    finally:
        os.close(descriptor)
