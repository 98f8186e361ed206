"""Readings of this machine for a screen: one helper thread, as long as the screen is in sight."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.hardware import Monitor, Reading
from voicetui.helper import Helper

PERIOD_SECONDS = 1.0


class Machine:
    """Takes a reading every `period` seconds while `watch(True)` holds; `latest` is the newest.

    It is None before the first, and when no more can be taken.
    """

    def __init__(self, folder: Path, period: float = PERIOD_SECONDS) -> None:
        self.latest: Reading | None = None
        self._folder = folder
        self._period = period
        self._wanted = threading.Event()
        self._helper = Helper("machine", self._read)

    def watch(self, wanted: bool) -> None:
        """Go on with readings, or rest."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    @property
    def is_over(self) -> bool:
        """Whether no more readings come."""
        return self._helper.done

    @property
    def problem(self) -> str:
        """Why no more come, in words; "" while they do."""
        return self._helper.problem

    def close(self) -> None:
        """End the thread, at its next look."""
        self._helper.stop()
        self._wanted.set()

    def _read(self, check: Callable[[], None]) -> None:
        self._wanted.wait()
        check()
        try:
            with Monitor() as monitor:
                while True:
                    self.latest = monitor.read(self._folder)
                    time.sleep(self._period)
                    self._wanted.wait()
                    check()
        finally:
            self.latest = None
