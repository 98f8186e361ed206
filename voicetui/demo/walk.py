"""The demo's road on its way, behind whatever screen is in sight."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.session import Outcome, Session
from voicetui.host import Host
from voicetui.watching import LiveJob


class Walk:
    """Walks the road in a folder, from the moment it is made.

    `began` is in Unix seconds, `result` the wav file that the voice spoke at the end.
    """

    def __init__(self, host: Host, folder: Path, began: float) -> None:
        self.folder = Path(os.path.abspath(folder))
        self.began = began
        self.result: Path | None = None
        # Its training opens the dashboard by itself, but only once.
        self.has_shown_training = False
        self._host = host
        self._earlier = len(host.jobs)
        host.run_road(self._go)

    def _go(self, complete: Callable[[Session], Outcome]) -> None:
        from voicetui.demo import road

        self.result = road.run(self.folder, complete)

    @property
    def voice(self) -> Path:
        """The folder of its project."""
        return self.folder / "voice"

    @property
    def is_working(self) -> bool:
        return self._host.on_the_road

    @property
    def jobs(self) -> dict[str, LiveJob]:
        """Its jobs so far by their kind, oldest first; others may work in this console too."""
        jobs = self._host.jobs[self._earlier :]
        return {job.session.job.kind: job for job in jobs if self.folder in job.folder.parents}

    @property
    def error(self) -> Exception | None:
        """What no job of it told."""
        return self._host.road_error
