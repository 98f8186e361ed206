"""Work in a thread of its own, which a screen looks after by asking how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from engine.errors import StopRequested
from voicetui import crashes

T = TypeVar("T")


class Helper(Generic[T]):
    """Begins at once. The work gets `check`, which raises StopRequested after `stop`.

    A daemon thread, so that a disk that does not answer keeps no console from ending.
    """

    def __init__(self, name: str, work: Callable[[Callable[[], None]], T]) -> None:
        self._stopped = threading.Event()
        self._work = work
        self.result: T | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"voicetui-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._work(self._check)
        except BaseException as error:  # noqa: BLE001 - told by `problem`
            self.error = error

    def _check(self) -> None:
        if self._stopped.is_set():
            raise StopRequested("request")

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    @property
    def problem(self) -> str:
        """What went wrong, in words; "" when nothing did, or when it was stopped."""
        if self.error is None or isinstance(self.error, StopRequested):
            return ""
        return crashes.in_words(self.error)

    def stop(self) -> None:
        """Ask it to end; it does so at its next check."""
        self._stopped.set()
