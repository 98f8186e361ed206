"""A program on a real pseudo-terminal, as a benchmark sees it: bytes, times, CPU, memory."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

_ENVIRONMENT = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": ""}


class Tty:
    """A command on a terminal of `columns` x `rows`. Everything that it writes is counted."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 120, rows: int = 40, home: Path
    ) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {key: value for key, value in os.environ.items() if key != "COLORTERM"}
        self.written = 0
        self.seen = b""
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment | _ENVIRONMENT | {"HOME": str(home)},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def read(self, seconds: float) -> int:
        """Read for at most `seconds`, until something comes; gives the bytes that came."""
        if not select.select([self.master], [], [], seconds)[0]:
            return 0
        try:
            piece = os.read(self.master, 1 << 16)
        except OSError:
            return 0
        self.written += len(piece)
        self.seen = (self.seen + piece)[-(1 << 18) :]
        return len(piece)

    def watch(self, seconds: float) -> int:
        """Read all that comes in so many seconds; gives the bytes."""
        before, end = self.written, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)
        return self.written - before

    def wait_for(self, text: bytes, within: float = 60.0) -> float:
        """Wait until a text was written; gives the seconds since the start."""
        return self.wait_until(lambda: text in self.seen, repr(text), within)

    def wait_until(self, condition: Callable[[], bool], what: str, within: float = 60.0) -> float:
        end = time.perf_counter() + within
        while not condition():
            self.read(0.02)
            if time.perf_counter() > end or self.process.poll() is not None:
                raise RuntimeError(f"waited in vain for {what}: {self.seen[-2000:]!r}")
        return time.perf_counter() - self.begun

    def settle(self, quiet: float = 0.3, within: float = 10.0) -> float:
        """Read until nothing came for `quiet` seconds; gives when the last bytes came."""
        last, end = time.perf_counter(), time.perf_counter() + within
        while time.perf_counter() < end:
            if self.read(quiet):
                last = time.perf_counter()
            elif time.perf_counter() - last >= quiet:
                break
        return last - self.begun

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def latency(self, keys: bytes, within: float = 2.0) -> float:
        """Seconds from a key to the first bytes that it makes the program write."""
        while self.read(0):
            pass
        begun = time.perf_counter()
        self.press(keys)
        if not self.read(within):
            raise RuntimeError(f"{keys!r} changed nothing on the screen")
        return time.perf_counter() - begun

    def cpu(self) -> float:
        """Seconds of processor time that the program has used, its children's too."""
        process = psutil.Process(self.process.pid)
        times = [process, *process.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in times)

    def memory(self) -> int:
        """Resident bytes of the program."""
        rss: int = psutil.Process(self.process.pid).memory_info().rss
        return rss

    def has_mapped(self, name: str) -> bool:
        """Whether a library with this name is loaded."""
        return name in Path(f"/proc/{self.process.pid}/maps").read_text()

    def end(self, within: float = 30.0) -> int:
        """Wait for its end; gives the exit code."""
        end = time.perf_counter() + within
        while self.process.poll() is None and time.perf_counter() < end:
            self.read(0.05)
        if self.process.poll() is None:
            self.close()
        return self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
