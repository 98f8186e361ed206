"""The sessions that work in this process. They outlive every screen, and the console itself."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine import places
from engine.errors import DiskFullError
from engine.files import make_dirs
from engine.session import Outcome, Session
from voicetui.exit_codes import SessionEnded
from voicetui.run import STRAYS_NAME
from voicetui.signals import Signals
from voicetui.watching import LiveJob

_LOOK_SECONDS = 0.1


class Host:
    """Starts sessions, and passes stops on to them even while the console is frozen.

    `on_force` is called, in a helper thread, when a person wants an end at once.
    """

    def __init__(self, signals: Signals, on_force: Callable[[int], None]) -> None:
        self.signals = signals
        self._on_force = on_force
        self._jobs: list[LiveJob] = []
        self._told = self._stopping = False
        self._road: threading.Thread | None = None
        self.road_error: Exception | None = None
        self._over = threading.Event()
        self._streams: _Streams | None = None

    @property
    def jobs(self) -> list[LiveJob]:
        """All jobs that were started here, oldest first."""
        return list(self._jobs)

    @property
    def live(self) -> list[LiveJob]:
        """Those that still work."""
        return [job for job in self._jobs if job.outcome is None]

    def job_at(self, folder: Path) -> LiveJob | None:
        """The job of a folder that was started here."""
        return next((job for job in reversed(self._jobs) if job.folder == folder), None)

    def start(self, session: Session) -> LiveJob:
        """Start the work of a session."""
        if self._streams is not None:
            self._streams.into(session.job.folder / STRAYS_NAME)
        if self._stopping:
            # It was made while all the others were told to stop.
            session.stop(self.signals.reason or "request")
        session.start()
        job = LiveJob(session)
        self._jobs.append(job)
        return job

    def run_road(self, road: Callable[[Callable[[Session], Outcome]], None]) -> None:
        """Run work that is made of several sessions, in a thread of its own.

        `road` gets what runs a session to its end and raises SessionEnded unless it finished. What
        the road itself raises is kept in `road_error`.
        """

        def walk() -> None:
            try:
                road(self._complete)
            except SessionEnded:
                pass
            except Exception as error:  # noqa: BLE001 - this thread's boundary; the console tells it
                self.road_error = error

        self.road_error = None
        self._road = threading.Thread(target=walk, name="voicetui-road", daemon=True)
        self._road.start()

    def _complete(self, session: Session) -> Outcome:
        if self.signals.reason is not None or self._stopping:
            raise SessionEnded(Outcome("stopped"))
        job = self.start(session)
        outcome = job.session.wait()
        assert outcome is not None
        if outcome.state != "finished":
            raise SessionEnded(outcome)
        return outcome

    @property
    def on_the_road(self) -> bool:
        """Whether a road has more to do, also between two of its sessions."""
        return self._road is not None and self._road.is_alive()

    def sessions_to_the_end(self) -> Iterator[Session | None]:
        """The sessions that work now and those that still come; None while the next one is awaited."""
        told: set[Path] = set()
        while self.live or self.on_the_road:
            job = next((job for job in self.live if job.folder not in told), None)
            if job is None:
                time.sleep(_LOOK_SECONDS)
                yield None
            else:
                told.add(job.folder)
                yield job.session

    def stop_all(self, reason: str) -> None:
        """Ask all that works here to stop at its next safe point."""
        self._stopping = True
        for job in self.live:
            job.session.stop(reason)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look after signals, and keep what libraries print away from the terminal."""
        self._streams = _Streams(places.state_dir() / "console.log")
        thread = threading.Thread(target=self._watch, name="voicetui-signals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            self._streams.restore()

    def _watch(self) -> None:
        signals = self.signals
        while not self._over.wait(_LOOK_SECONDS):
            if signals.reason is not None and not self._told:
                self._told = True
                self.stop_all(signals.reason)
            if signals.forced is not None:
                self._on_force(signals.forced)

    def python_streams(self) -> None:
        """Give Python's own stdout and stderr real files again: Textual's stand-ins have none."""
        if self._streams is not None:
            self._streams.python()


class _Streams:
    """The descriptors 1 and 2, pointed at a file while the console owns the terminal."""

    def __init__(self, path: Path) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._copies = {number: os.dup(number) for number in (1, 2)}
        # Where nothing can be written, what libraries print is lost; the terminal is kept clean.
        self.into(Path(os.devnull))
        with contextlib.suppress(OSError, DiskFullError):
            make_dirs(path.parent)
        self.into(path)

    def into(self, path: Path) -> None:
        """Point them at a file; where it cannot be opened they stay as they are."""
        try:
            target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError:
            return
        for number in self._copies:
            os.dup2(target, number)
        os.close(target)

    @staticmethod
    def python() -> None:
        sys.stdout = open(1, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115

    def restore(self) -> None:
        for number, copy in self._copies.items():
            os.dup2(copy, number)
            os.close(copy)
