"""Readings of this machine for a screen: one helper thread, as long as the screen is in sight."""

from __future__ import annotations

import threading
from pathlib import Path

from engine.hardware import Monitor, Reading

PERIOD_SECONDS = 1.0


class Machine:
    """Takes a reading every second while `watch(True)` holds; `latest` is the newest."""

    def __init__(self, folder: Path) -> None:
        self.latest: Reading | None = None
        self._folder = folder
        self._wanted = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="voicetui-machine", daemon=True)
        self._thread.start()

    def watch(self, wanted: bool) -> None:
        """Go on with readings, or rest."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    def close(self) -> None:
        """End the thread, at its next look."""
        self._over.set()
        self._wanted.set()

    def _run(self) -> None:
        self._wanted.wait()
        if self._over.is_set():
            return
        with Monitor() as monitor:
            while not self._over.is_set():
                self.latest = monitor.read(self._folder)
                self._over.wait(PERIOD_SECONDS)
                self._wanted.wait()
