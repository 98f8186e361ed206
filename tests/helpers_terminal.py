"""Children on a pseudo-terminal or on pipes, and waiting for what can be seen of them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_SECONDS = 20.0
HELPER = Path(__file__).parent / "helpers_jobs.py"


def wait_until(
    condition: Callable[[], object], what: str, within: float = DEADLINE_SECONDS
) -> None:
    """Wait until something can be seen; fails the test when it does not come."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def command(work: str, *arguments: str | bytes) -> list[str | bytes]:
    return [sys.executable, str(HELPER), work, *arguments]


class OnTerminal:
    """A child whose controlling terminal is a pseudo-terminal; `seen` is what it wrote there."""

    def __init__(self, arguments: list[str | bytes]) -> None:
        self.seen = b""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def read(self) -> bytes:
        """All that was written so far."""
        while self.master >= 0 and select.select([self.master], [], [], 0)[0]:
            try:
                piece = os.read(self.master, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            self.seen += piece
        return self.seen

    def wait_for(self, text: bytes) -> None:
        wait_until(lambda: text in self.read() or self.process.poll() is not None, repr(text))
        assert text in self.read(), self.seen

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def end(self, within: float = DEADLINE_SECONDS) -> int:
        """Its exit code, or minus the signal that ended it."""
        wait_until(lambda: (self.read(), self.process.poll())[1] is not None, "its end", within)
        self.read()
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
