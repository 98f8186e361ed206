"""Command lines in children, on a pseudo-terminal or on pipes, and waiting for what is seen of them.

Children are forked, which spares them every import; `spawned` starts a fresh interpreter instead,
for what its beginning and its end do.
"""

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
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

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


def unsafe(shown: bytes) -> list[str]:
    """The characters that a terminal could act on; its own line ends are none."""
    text = shown.replace(b"\r\n", b"\n").decode()
    return [char for char in text if char != "\n" and not char.isprintable()]


class Child:
    """A forked child with the three descriptors as its stdin, stdout and stderr."""

    def __init__(self, call: Callable[[], int], streams: tuple[int, int, int]) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _be_child(call, streams)

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, within: float = DEADLINE_SECONDS) -> int:
        wait_until(lambda: self.poll() is not None, "the end of a child", within)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)
            self.wait()


def _be_child(call: Callable[[], int], streams: tuple[int, int, int]) -> None:
    code = 70
    try:
        os.setsid()
        for target, descriptor in enumerate(streams):
            os.dup2(descriptor, target)
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # The other ends of pipes and terminals too: only who closes them last is heard.
        os.closerange(3, 4096)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        code = call()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - the child's end; its code tells
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def command_line(work: str, *arguments: str) -> Callable[[], int]:
    """A command line whose jobs do `work` of helpers_jobs."""

    def call() -> int:
        import helpers_jobs

        from voicetui import cli

        helpers_jobs.install(work)
        return cli.run(arguments)

    return call


class OnPipes(Child):
    """A command line with pipes for stdout and stderr; `stdin` is empty."""

    def __init__(self, work: str, *arguments: str) -> None:
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        super().__init__(command_line(work, *arguments), (null, out_end, err_end))
        for descriptor in (null, out_end, err_end):
            os.close(descriptor)
        self.stdout: BinaryIO = os.fdopen(out, "rb")
        self.stderr: BinaryIO = os.fdopen(err, "rb")

    def communicate(self) -> tuple[bytes, bytes]:
        """All of stdout and stderr, which must fit into a pipe, and its end."""
        with self.stdout, self.stderr:
            out = self.stdout.read()
            err = self.stderr.read()
        self.wait()
        return out, err


class OnTerminal:
    """A child whose controlling terminal is a pseudo-terminal; `seen` is what it wrote there."""

    def __init__(self, start: Callable[[int], Child | subprocess.Popen[bytes]]) -> None:
        self.seen = b""
        self.master, slave = pty.openpty()
        self.process = start(slave)
        os.close(slave)

    @staticmethod
    def forked(work: str, *arguments: str) -> OnTerminal:
        return OnTerminal(lambda tty: Child(command_line(work, *arguments), (tty, tty, tty)))

    @staticmethod
    def spawned(work: str, *arguments: str) -> OnTerminal:
        line = [sys.executable, str(HELPER), work, *arguments]

        def start(tty: int) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                line,
                stdin=tty,
                stdout=tty,
                stderr=tty,
                start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            )

        return OnTerminal(start)

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
        assert self.process.returncode is not None
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.master >= 0:
            self.hang_up()
