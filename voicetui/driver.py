"""How the console reads keys and writes frames, made safe against terminals that misbehave.

Textual's own driver ends the app on bytes that are not UTF-8 (textual #6668: a rebuilt terminal
sends raw mouse reports), spins when the terminal is gone, and waits for a frozen one.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import math
import os
import select
import termios
import threading
import time
from typing import Any, cast

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_WAIT_SECONDS = 0.2
# So long a frozen terminal may keep us from putting it back.
_RESET_SECONDS = 1.0
# What puts a terminal back when the app could not: mouse, focus reports, bracketed paste, line wrap,
# alternate screen, cursor, colours.
RESET = (
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?2048l"
    "\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
)


class Screen(io.TextIOBase):
    """The terminal that frames are written to, by a description of our own.

    A write waits for a slow terminal but ends when `leave` was called; a terminal that is gone
    swallows everything. `written` counts the bytes.
    """

    def __init__(self, descriptor: int, encoding: str) -> None:
        self._encoding = encoding
        self._left = threading.Event()
        self.written = 0
        self._fd = _reopened(descriptor)
        self._before = _attributes(descriptor)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    @property
    def gone(self) -> bool:
        return self._left.is_set()

    def leave(self) -> None:
        """Write nothing any more, and let a write that waits end."""
        self._left.set()

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def write(self, text: str) -> int:
        return self._write(text, math.inf)

    def _write(self, text: str, until: float) -> int:
        data = memoryview(text.encode(self._encoding, "replace"))
        while data and not self.gone and time.monotonic() < until:
            try:
                count = os.write(self._fd, data)
            except BlockingIOError:
                select.select([], [self._fd], [], _WAIT_SECONDS)
            except OSError:  # EIO: the terminal is gone
                self.leave()
            else:
                self.written += count
                data = data[count:]
        return len(text)

    def say(self, text: str) -> None:
        """Write to a terminal that the app has given back; one that takes no bytes for a second is
        left as it is."""
        self._write(text, time.monotonic() + _RESET_SECONDS)

    def reset(self, last_words: str = "") -> None:
        """Put the terminal back as it was, as well as can be without the app, and say a last line."""
        self.say(RESET + last_words)
        if self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._before)

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


def _reopened(descriptor: int) -> int:
    """The same terminal by a description of our own, so that it may be non-blocking for us alone."""
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return os.dup(descriptor)


def _attributes(descriptor: int) -> list[Any] | None:
    """How the terminal treats keys and lines; None when it is none."""
    try:
        return termios.tcgetattr(descriptor)
    except termios.error:
        return None


class Driver(LinuxDriver):
    """Textual's driver for Linux, writing to a `Screen` and lenient in what it reads."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._file = cast("Any", app.terminal)

    def _get_terminal_size(self) -> tuple[int, int]:
        # Of the terminal itself: stdout may be a file by now.
        try:
            width, height = os.get_terminal_size(self.fileno)
        except OSError:
            return 80, 24
        return width or 80, height or 24

    def start_application_mode(self) -> None:
        # At the start, and when the process goes on after it was stopped: the screen is empty.
        self._app.painted.forget()  # type: ignore[attr-defined]
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def run_input_thread(self) -> None:
        """Read keys until the app ends or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            ready, _, _ = select.select([self.fileno], [], [], 0.1)
            if ready:
                try:
                    data = os.read(self.fileno, 4096)
                except OSError:
                    data = b""
                if not data:
                    self._app.call_later(self._app.hung_up)  # type: ignore[attr-defined]
                    return
                for message in parser.feed(decode(data)):
                    self.process_message(message)
            for message in parser.tick():
                self.process_message(message)
