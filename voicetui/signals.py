"""SIGINT, SIGTERM and SIGHUP, as flags that the main thread reads.

While a session works (`guarded`), handlers only set flags. Outside of one there is nothing to bring
to a safe point, so a stop unwinds the main thread at once.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from engine.errors import StopRequested

# A terminal or a wrapper may deliver one key press twice; nobody presses twice this fast.
DUPLICATE_SECONDS = 0.02
_STOPPING = (signal.SIGINT, signal.SIGTERM)


class _Interrupted(BaseException):
    """Unwinds the main thread; no `except Exception` on the way may swallow it."""


class Signals:
    """A context manager for the main thread; handlers are put back when it ends.

    `reason` names the first signal that asked for a stop. `forced` is the number of a signal that
    came twice: end now. `hung_up` tells that the terminal is gone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.reason: str | None = None
        self.forced: int | None = None
        self.hung_up = False
        self._clock = clock
        self._guarded = False
        self._first: dict[int, float] = {}
        self._before: dict[signal.Signals, Any] = {}

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Raises StopRequested when a signal came while no session worked."""
        for number in (*_STOPPING, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._received)
        try:
            yield
        except _Interrupted:
            assert self.reason is not None
            raise StopRequested(self.reason) from None
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Signals only set flags in here."""
        self._guarded = True
        try:
            yield
        finally:
            self._guarded = False

    def raise_if_stopped(self) -> None:
        """Raise StopRequested when a signal asked for a stop."""
        if self.reason is not None:
            raise StopRequested(self.reason)

    def _received(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.hung_up = True
            return
        now = self._clock()
        first = self._first.setdefault(number, now)
        is_duplicate = first < now <= first + DUPLICATE_SECONDS
        if is_duplicate:
            return
        if first < now:
            self.forced = number
        elif self.reason is None:
            self.reason = signal.Signals(number).name
        if not self._guarded:
            raise _Interrupted
