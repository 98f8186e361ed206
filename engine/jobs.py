"""A job: one piece of long work with a folder, an event log, and requests that it honours.

A training job lives in `runs/NNNN/`, any other in `jobs/NNNN-kind/`.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from engine import __version__, requests
from engine.control import Control
from engine.errors import DiskFullError, StopRequested, VoicetuiError
from engine.eventlog import EventLog, Record
from engine.events import Event, Failed, Finished, RequestDone, Started, Stopped
from engine.files import disk_errors, make_dirs, sync_dir
from engine.logindex import Keeper
from engine.text import clean

LOG_NAME = "events.jsonl"
POLL_SECONDS = 0.1
_NUMBER = re.compile(r"(\d{4,})(?:-([a-z]+))?")


def job_folders(parent: Path) -> list[Path]:
    """The job folders in `runs/` or `jobs/`, by rising number."""
    if not parent.is_dir():
        return []
    numbered = [
        (int(match[1]), path)
        for path in parent.iterdir()
        if (match := _NUMBER.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered)]


def new_folder(parent: Path, kind: str = "") -> Path:
    """Make the next numbered job folder. Raises DiskFullError."""
    last = job_folders(parent)
    number = int(_NUMBER.fullmatch(last[-1].name)[1]) + 1 if last else 1  # type: ignore[index]
    make_dirs(parent)
    while True:
        folder = parent / (f"{number:04d}-{kind}" if kind else f"{number:04d}")
        try:
            with disk_errors(folder):
                folder.mkdir()
            sync_dir(parent)
            return folder
        except FileExistsError:  # another process took the number just now
            number += 1


class Job:
    """Emits the events of one piece of work and carries what people ask of it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.kind = kind
        self.control = Control()
        path = folder / LOG_NAME
        self._keeper = Keeper(path)
        digest = self._keeper.digest
        self._log = EventLog(path, known=(digest.seq, digest.offset))
        self._log.subscribe(lambda record: self._keeper.take(record, self._log.size))

    def emit(self, event: Event) -> None:
        self._log.emit(event)

    def subscribe(self, callback: Callable[[Record], None]) -> None:
        """Call `callback` with each record from now on, in order, in the emitting thread.

        It must be quick: the work waits for it.
        """
        self._log.subscribe(callback)

    def answer(self, request: requests.Request, message: str = "", *, ok: bool = True) -> None:
        self.emit(RequestDone(request.id, request.verb, ok, message))

    def close(self) -> None:
        """Close the log, with its index beside it."""
        self._log.close()
        self._keeper.close()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Poll the request files while the work runs."""
        done = threading.Event()

        def poll() -> None:
            while not done.wait(POLL_SECONDS):
                # A folder that cannot be read now may be readable again at the next look.
                with contextlib.suppress(OSError):
                    self._take_requests()

        thread = threading.Thread(target=poll, name="voicetui-requests", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _take_requests(self) -> None:
        for request in requests.take(self.folder):
            # With a full disk the answer is lost; what was asked for must still be done.
            with contextlib.suppress(DiskFullError):
                self._honour(request)

    def _honour(self, request: requests.Request) -> None:
        if request.verb == "stop":
            self.control.stop("request")
            self.answer(request, "stopping at the next safe point")
        elif request.verb == "pause":
            self.control.pause()
            self.answer(request, "pausing at the next safe point")
        elif request.verb == "resume":
            self.control.resume()
            self.answer(request)
        else:
            self.control.add(request)

    def perform(self, work: Callable[[Job], Finished]) -> None:
        """Do the work here and now, and tell in the log how it ended; errors are raised again."""
        requests.take(self.folder)  # what an earlier process was asked is not asked of this one
        self.emit(Started(self.kind, os.getpid(), __version__))
        try:
            with self.listening():
                finished = work(self)
        except StopRequested as stop:
            self._tell_end(Stopped(stop.reason, stop.step))
            raise
        except VoicetuiError as error:
            self._tell_end(Failed(type(error).__name__, clean(str(error))))
            raise
        except BaseException as error:
            self._tell_end(Failed(type(error).__name__, clean(f"{type(error).__name__}: {error}")))
            raise
        self.emit(finished)

    def _tell_end(self, event: Event) -> None:
        # With a full disk the log misses its last line; what really happened is raised again.
        with contextlib.suppress(DiskFullError):
            self.emit(event)
