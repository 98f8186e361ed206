"""Calls that the screens make in helper threads, so that they keep answering keys.

asyncio's own threads keep the process from ending until the last call is done: of a disk that does
not answer, or of a long log, that would be a console that neither a signal nor a lost terminal
closes. These are given a moment to finish, and then left behind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
# Longer than a small file takes to get to the disk.
_PATIENCE_SECONDS = 1.0


class Asides(ThreadPoolExecutor):
    """What `asyncio.to_thread` uses; of the pool that asyncio wants there is only the type."""

    def __init__(self) -> None:
        super().__init__(1)
        self._calls: set[threading.Thread] = set()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        call = threading.Thread(target=_call, args=(done, fn, args, kwargs), daemon=True)
        self._calls = {call, *(other for other in self._calls if other.is_alive())}
        call.start()
        return done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Wait a moment for the calls that have not ended."""
        until = time.monotonic() + _PATIENCE_SECONDS
        for call in self._calls if wait else ():
            call.join(max(0.0, until - time.monotonic()))


def _call(
    done: Future[T], fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - whoever awaits it gets it
        done.set_exception(error)
    else:
        done.set_result(result)
