"""A base that is being fetched while a person does other things."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from voicetui.helper import Helper

_PACE_SECONDS = 3.0


class Fetching:
    """Fetches a published base whose licence was accepted.

    What came stays on the disk when it is stopped or the console ends; the next one goes on there.
    `fetched` and `total` are bytes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.fetched = 0
        self.total = 0
        self._began: tuple[float, int] | None = None
        self._helper = Helper("fetch", self._fetch)

    def _fetch(self, check: Callable[[], None]) -> Path:
        from engine.xtts import fetch

        return fetch.fetch(self.name, accept_licence=True, progress=self._progress, check=check)

    def _progress(self, fetched: int, total: int) -> None:
        if self._began is None:
            # What was there before says nothing about how fast the rest comes.
            self._began = (time.monotonic(), fetched)
        self.fetched, self.total = fetched, total

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes at its pace so far; None while that is not known."""
        if self._began is None:
            return None
        came, passed = self.fetched - self._began[1], time.monotonic() - self._began[0]
        if came <= 0 or passed < _PACE_SECONDS:
            return None
        return (self.total - self.fetched) * passed / came

    @property
    def done(self) -> bool:
        return self._helper.done

    @property
    def problem(self) -> str:
        """Why it failed; "" when it did not."""
        return self._helper.problem

    @property
    def succeeded(self) -> bool:
        return self._helper.done and self._helper.result is not None

    def stop(self) -> None:
        self._helper.stop()
