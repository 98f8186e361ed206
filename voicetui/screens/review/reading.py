"""Reading the clips of a project, and letting go of them, in helper threads."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine import lock
from engine.errors import VoicetuiError

if TYPE_CHECKING:
    from engine.dataset.review.review import Review
    from engine.project import Project

_WRITERS_SECONDS = 10.0


class Reading:
    """Reads the clips of a project in a helper thread; it can be given up at any time."""

    def __init__(self) -> None:
        self.progress = (0, 0)
        self.busy = False
        self._over = threading.Event()

    def stop(self) -> None:
        self._over.set()

    def run(self, project: Project) -> Review | None:
        """The review, None when it was given up. Raises DatasetError."""
        from engine.dataset.review.review import Review

        self.busy = True
        try:
            self._wait_for_writers(project.dataset_dir)
            steps = Review.opening(project)
            while not self._over.is_set():
                try:
                    self.progress = next(steps)
                except StopIteration as end:
                    review: Review = end.value
                    # Hundreds of thousands of objects that stay: looking through them for garbage
                    # would hold up a key for a tenth of a second now and then.
                    gc.freeze()
                    return review
            steps.close()
            return None
        finally:
            self.busy = False

    def _wait_for_writers(self, dataset: Path) -> None:
        """A review that was left a moment ago may still be writing its tables."""
        deadline = time.monotonic() + _WRITERS_SECONDS
        while time.monotonic() < deadline:
            holder = lock.holder(dataset)
            if holder is None or holder.pid != os.getpid() or self._over.wait(0.02):
                return


def close(review: Review) -> None:
    """Write what is left of a review's tables, and let go of it."""
    # What could not be written is derived anew from the journal when it is read again.
    with contextlib.suppress(VoicetuiError):
        review.close()
