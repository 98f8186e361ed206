"""The process's stdout and stderr while jobs run.

Only one daemon thread writes to them, so no step of a run ever waits for a terminal that is slow,
frozen or gone. What libraries print on their own goes to a file instead: it would mix with our
lines and with `--json`, and a library that writes to a frozen terminal would stop the work.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from engine.eventlog import Record

OUT = 1
ERR = 2
_PIECE = 4096
# A terminal that takes nothing for this long at the end of a command is left behind.
PATIENCE_SECONDS = 1.0
# With more than this waiting for a frozen terminal, lines that are only of the moment are left out.
_CROWD = 10_000

Lines = Iterable[tuple[int, bytes]]
Renderer = Callable[[Record], Lines]


class Terminal:
    """Shows records and texts, in order. `render` gives the bytes of a record per stream.

    With `lossless`, every record is shown however many wait.
    """

    def __init__(self, render: Renderer, *, lossless: bool = False) -> None:
        self._render = render
        self._lossless = lossless
        self._queue: queue.SimpleQueue[Record | tuple[int, bytes] | None] = queue.SimpleQueue()
        self._copies: dict[int, int] = {}
        self._is_tty: dict[int, bool] = {}
        self._written = 0
        self._busy = OUT
        self._thread = threading.Thread(target=self._print, name="voicetui-printer", daemon=True)
        self.failure: Exception | None = None

    def put(self, record: Record) -> None:
        """Show a record soon. Never waits."""
        crowded = self._queue.qsize() > _CROWD and not self._lossless
        if record.event.durable or not crowded:
            self._queue.put(record)

    def write(self, stream: int, text: str) -> None:
        """Show a line soon, on OUT or ERR. Never waits."""
        self._queue.put((stream, encoded(text)))

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Take stdout and stderr, and give them back at the end when all is shown."""
        self._flush_python()
        for stream in (OUT, ERR):
            self._is_tty[stream] = os.isatty(stream)
            self._copies[stream] = os.dup(stream)
            _point(stream, os.devnull)
        self._thread.start()
        try:
            yield
        finally:
            self._close()

    @contextlib.contextmanager
    def strays_in(self, path: Path) -> Iterator[None]:
        """Put what libraries print into a file meanwhile."""
        for stream in (OUT, ERR):
            _point(stream, path)
        try:
            yield
        finally:
            self._flush_python()
            for stream in (OUT, ERR):
                _point(stream, os.devnull)

    def hang_up(self) -> None:
        """The terminal is gone: show nothing on it any more. Files and pipes stay."""
        for stream, copy in self._copies.items():
            if self._is_tty[stream]:
                _point(copy, os.devnull)

    def drain(self, patience: float, *, also_pipes: bool = False) -> bool:
        """Wait until all is shown; False when a terminal takes nothing for `patience` seconds.

        The reader of a pipe may take its time, unless `also_pipes`: what it gets is data.
        """
        self._queue.put(None)
        while self._thread.is_alive():
            before = self._written
            self._thread.join(patience)
            is_stuck = self._thread.is_alive() and self._written == before
            if is_stuck and (also_pipes or self._is_tty[self._busy]):
                return False
        return True

    def _close(self) -> None:
        self._flush_python()
        if self.drain(PATIENCE_SECONDS):
            for stream, copy in self._copies.items():
                os.dup2(copy, stream)
                os.close(copy)
        # Else the printer still sits in a write: stdout and stderr stay shut, so that nothing that
        # is said later waits for the same terminal.

    @staticmethod
    def _flush_python() -> None:
        sys.stdout.flush()
        sys.stderr.flush()

    def _print(self) -> None:
        while (item := self._queue.get()) is not None:
            if self.failure is not None:
                continue
            try:
                lines = self._render(item) if isinstance(item, Record) else [item]
                for stream, data in lines:
                    self._busy = stream
                    self._send(self._copies[stream], data)
            except Exception as error:  # noqa: BLE001 - this thread's boundary; the runner raises it
                self.failure = error

    def _send(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(descriptor, view[:_PIECE]) :]
            except BlockingIOError:
                select.select([], [descriptor], [])
            except OSError:
                # The reader went away (EPIPE), the terminal did (EIO), or a log's disk is full. The
                # work is worth more than its narration, which also stands in the event log.
                _point(descriptor, os.devnull)
            self._written += 1


def encoded(text: str) -> bytes:
    """A line for the terminal, in its encoding."""
    encoding = sys.stdout.encoding or "utf-8"
    return f"{text}\n".encode(encoding, "replace")


def _point(descriptor: int, path: str | Path) -> None:
    """Make a descriptor write to the end of a file."""
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    os.dup2(target, descriptor, inheritable=descriptor in (OUT, ERR))
    os.close(target)
