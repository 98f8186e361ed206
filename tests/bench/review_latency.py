"""How soon the review answers a key, with many clips, through a real pseudo-terminal.

    python tests/bench/review_latency.py [--clips 50000] [--size 80x24] [--presses 200]

Prints the time until the clips are there, the memory of the console, and for each kind of key the
median and the 95th percentile in milliseconds from the key to the first changed cell, and to the
last one before the screen is quiet for 60 ms (the clip below the list follows the cursor so late).
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers_clips import clips_project

_QUIET_SECONDS = 0.06
_SLOW_SECONDS = 60.0
KEYS = {
    "cursor down": b"j",
    "page down": b"\x1b[6~",
    "end": b"G",
    "home": b"g",
    "select": b" ",
}


class Terminal:
    """The console on a pseudo-terminal of its own."""

    def __init__(self, project: Path, columns: int, rows: int) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [sys.executable, __file__, "--child", str(project)])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, timeout: float) -> bytes:
        """What comes within so many seconds, at most one block."""
        ready, _, _ = select.select([self.master], [], [], timeout)
        return os.read(self.master, 1 << 16) if ready else b""

    def until(self, wanted: bytes) -> None:
        """Read until a text comes."""
        seen = b""
        deadline = time.monotonic() + _SLOW_SECONDS
        while wanted not in seen:
            if time.monotonic() > deadline:
                raise SystemExit(f"waited in vain for {wanted!r}; the end was {seen[-2000:]!r}")
            seen = seen[-(1 << 20) :] + self.read(0.1)

    def drain(self) -> float:
        """Read until it is quiet; gives when the last bytes came."""
        last = time.perf_counter()
        while self.read(_QUIET_SECONDS):
            last = time.perf_counter()
        return last

    def press(self, key: bytes) -> tuple[float, float, int]:
        """Seconds from a key to the first and to the last byte, and how many came first."""
        self.drain()
        begun = time.perf_counter()
        os.write(self.master, key)
        block = self.read(2.0)
        first = time.perf_counter()
        last = self.drain()
        return first - begun, max(first, last) - begun, len(block)


def measure(clips: int, columns: int, rows: int, presses: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": folder}
        for name in ("DATA", "CONFIG", "STATE", "CACHE"):
            os.environ[f"XDG_{name}_HOME"] = str(Path(folder) / name.lower())
        project = Path(folder) / "voice"
        clips_project(project, clips, wavs=False)
        begun = time.perf_counter()
        terminal = Terminal(project, columns, rows)
        terminal.until(f"{clips:,} clips".encode())
        ready = time.perf_counter() - begun
        terminal.drain()
        memory = psutil.Process(terminal.pid).memory_info().rss / 1e6
        print(f"{clips:,} clips at {columns}x{rows}: ready in {ready:.2f} s, {memory:.0f} MB")
        print(f"{'key':<14}{'first ms':>10}{'p95':>8}{'last ms':>10}{'p95':>8}{'bytes':>8}")
        for name, key in KEYS.items():
            pairs = []
            for _ in range(presses):
                if name in ("end", "home"):
                    terminal.press(b"g" if key == b"G" else b"G")
                pairs.append(terminal.press(key))
            firsts, lasts, sizes = ([pair[i] for pair in pairs] for i in range(3))
            cells = [_median(firsts), _p95(firsts), _median(lasts), _p95(lasts)]
            first, first95, last, last95 = (f"{1000 * cell:.1f}" for cell in cells)
            size = statistics.median(sizes)
            print(f"{name:<14}{first:>10}{first95:>8}{last:>10}{last95:>8}{size:>8.0f}")
        os.write(terminal.master, b"q")
        terminal.drain()
        os.waitpid(terminal.pid, 0)


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def child(project: str) -> None:
    """Be the console."""
    from voicetui.console import open_console

    raise SystemExit(open_console(lambda console: console.open_dataset(Path(project))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=50_000)
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
    else:
        measure(options.clips, *map(int, options.size.split("x")), options.presses)
