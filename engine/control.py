"""What a person asked of a running job, as flags that the work reads at its safe points."""

from __future__ import annotations

import threading
from collections import deque

from engine.errors import StopRequested
from engine.requests import Request


class Control:
    """Thread-safe. Signals and request files set it; the work reads it between its small steps."""

    def __init__(self) -> None:
        self._stop_reason: str | None = None
        self._running = threading.Event()
        self._running.set()
        self._waiting: deque[Request] = deque()

    @property
    def stop_reason(self) -> str | None:
        return self._stop_reason

    def stop(self, reason: str) -> None:
        """Ask the work to end at its next safe point. The first reason stays."""
        if self._stop_reason is None:
            self._stop_reason = reason
        self._running.set()

    def raise_if_stopped(self) -> None:
        """Raise StopRequested when a stop was asked for."""
        if self._stop_reason is not None:
            raise StopRequested(self._stop_reason)

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    def pause(self) -> None:
        self._running.clear()
        # Asked after it: a stop that came in between (a signal, say) must not leave the work paused.
        if self._stop_reason is not None:
            self._running.set()

    def resume(self) -> None:
        self._running.set()

    def wait_while_paused(self, timeout: float | None = None) -> bool:
        """Wait until the work may go on, at most `timeout` seconds; gives whether it may."""
        return self._running.wait(timeout)

    def add(self, request: Request) -> None:
        """Leave a request (save, speak, export) for the work to take."""
        self._waiting.append(request)

    def take(self) -> Request | None:
        """The oldest request that waits for the work, or None."""
        return self._waiting.popleft() if self._waiting else None
