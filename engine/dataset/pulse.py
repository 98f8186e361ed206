"""What work does between its small pieces: let a stop through, wait out a pause, tell how far it is."""

from __future__ import annotations

import time

from engine.events import Progress
from engine.jobs import Job

_TELL_SECONDS = 0.2
_LOOK_SECONDS = 0.2


class Pulse:
    """Call `check` or `progress` at least five times a second; both raise StopRequested."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._told: tuple[str, float] = ("", 0.0)

    def check(self) -> None:
        while not self._job.control.wait_while_paused(_LOOK_SECONDS):
            pass
        self._job.control.raise_if_stopped()

    def progress(self, stage: str, done: float, total: float, unit: str, item: str) -> None:
        """Tell how far a stage is, at most five times a second."""
        self.check()
        before, at = self._told
        now = time.monotonic()
        if stage != before or now - at >= _TELL_SECONDS:
            self._told = (stage, now)
            self._job.emit(Progress(stage, round(done, 2), round(total, 2), unit, item))
