"""A session: a worker thread that does a job while its owner stays free for people.

The thread is plain and owned by the session, so no screen that comes or goes can end it.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from engine.errors import StopRequested
from engine.events import Finished
from engine.jobs import Job


@dataclass(frozen=True)
class Outcome:
    """How a session ended. `error` is what the work raised, None when it finished."""

    state: Literal["finished", "stopped", "failed"]
    error: BaseException | None = None


def _release(error: BaseException | None) -> None:
    """Let go of what the frames of an error still hold: a model may fill most of a GPU."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


class Session:
    """Runs the work of one job in a worker thread.

    `held` is what the work needs until its end, such as the project's lock; it is closed after it.
    """

    def __init__(
        self, job: Job, work: Callable[[Job], Finished], held: ExitStack | None = None
    ) -> None:
        self.job = job
        self._work = work
        self._held = held or ExitStack()
        self._outcome: Outcome | None = None
        self._done = threading.Event()
        # Not a daemon: an interpreter that goes down waits for the checkpoint of a stopped run.
        self._thread = threading.Thread(target=self._run, name=f"voicetui-{job.kind}")

    def _perform(self) -> Outcome:
        try:
            self.job.perform(self._work)
        except StopRequested as stop:
            return Outcome("stopped", stop)
        except BaseException as error:  # noqa: BLE001 - the worker's boundary; the owner decides
            return Outcome("failed", error)
        return Outcome("finished")

    def _run(self) -> None:
        outcome = self._perform()
        _release(outcome.error)
        try:
            self.job.close()
            self._held.close()
        finally:
            self._outcome = outcome
            self._done.set()

    def start(self) -> None:
        self._thread.start()

    def stop(self, reason: str) -> None:
        """Ask the work to stop at its next safe point; `wait` tells when it has."""
        self.job.control.stop(reason)

    def wait(self, timeout: float | None = None) -> Outcome | None:
        """Wait for the end of the work. None when it still runs after `timeout` seconds."""
        self._done.wait(timeout)
        return self._outcome
