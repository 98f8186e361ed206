"""Readings of this machine: cards, CPU, memory, disk. Cheap, and safe in a helper thread."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from engine import cgroups
from engine.nvml import Cards, Gpu, Nvml

__all__ = ["LOW_VRAM_BYTES", "Disk", "Gpu", "Memory", "Monitor", "Reading", "disk", "memory"]

# The XTTS fine-tuning guide: less VRAM free than this is a reason for concern.
LOW_VRAM_BYTES = 500_000_000


@dataclass(frozen=True)
class Memory:
    """RAM in bytes, as much of it as this process may use. `is_limited`: a container's limit."""

    total: int
    available: int
    is_limited: bool = False

    @property
    def used(self) -> int:
        return self.total - self.available


@dataclass(frozen=True)
class Disk:
    """Room on the disk of a folder, in bytes; `free` is what this person may use."""

    free: int
    total: int


@dataclass(frozen=True)
class Reading:
    """The machine at one moment (`time`: seconds since the epoch). What is not known is None.

    `cpu` is the load of the whole machine and `own_cpu` that of this process, both in percent of
    all cores; they cover the time since the last reading. Sizes are bytes; `own_ram` is what this
    process holds.
    """

    time: float
    gpus: tuple[Gpu, ...]
    cpu: float | None
    own_cpu: float | None
    ram: Memory
    own_ram: int | None
    disk: Disk | None
    swap_used: int | None
    swap_total: int | None


def memory(root: Path = Path("/")) -> Memory:
    """The RAM of this machine or of the container we run in; `root` is where /proc and /sys lie."""
    machine = psutil.virtual_memory()
    total, available, is_limited = int(machine.total), int(machine.available), False
    for limit, used in cgroups.memory_limits(root):
        if limit < machine.total:
            is_limited = True
            total = min(total, limit)
            available = min(available, max(0, limit - used))
    return Memory(total, available, is_limited)


def disk(folder: Path) -> Disk | None:
    """The disk of a folder, or of where it would be made; None when the system does not say."""
    place = Path(os.path.abspath(folder))
    with contextlib.suppress(OSError):
        while not place.exists() and place != place.parent:
            place = place.parent
        usage = shutil.disk_usage(place)
        return Disk(usage.free, usage.total)
    return None


class Monitor:
    """Takes readings; a context manager, which starts the driver's library once.

        with Monitor() as monitor:
            reading = monitor.read(project.folder)

    Without a driver there are no cards, and `no_gpus` says why ("" when there are some). `driver`
    is its version, `cuda` the newest CUDA it can serve, like (12, 8).
    """

    def __init__(self, nvml: Nvml | None = None, root: Path = Path("/")) -> None:
        self._cards = Cards(nvml)
        self._root = root
        self._process = psutil.Process()
        self._cores = psutil.cpu_count() or 1
        self._times = _cpu_times()

    def __enter__(self) -> Monitor:
        self._cards.open()
        # What comes first has no time to look back on.
        self._process.cpu_percent()
        self._times = _cpu_times()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cards.close()

    @property
    def no_gpus(self) -> str:
        return self._cards.absent

    @property
    def driver(self) -> str:
        return self._cards.driver

    @property
    def cuda(self) -> tuple[int, int] | None:
        return self._cards.cuda

    def gpus(self) -> tuple[Gpu, ...]:
        """The cards alone."""
        return self._cards.read()

    def read(self, folder: Path) -> Reading:
        """Everything now; `folder` names the disk. Takes a few milliseconds."""
        swap_used, swap_total = self._swap()
        return Reading(
            time.time(),
            self._cards.read(),
            self._load(),
            self._process.cpu_percent() / self._cores,
            memory(self._root),
            self._process.memory_info().rss,
            disk(folder),
            swap_used,
            swap_total,
        )

    def _load(self) -> float | None:
        """Percent of all cores since the last reading."""
        before, self._times = self._times, _cpu_times()
        busy, whole = (now - then for now, then in zip(self._times, before, strict=True))
        return max(0.0, min(100.0, 100 * busy / whole)) if whole > 0 else None

    def _swap(self) -> tuple[int | None, int | None]:
        # psutil's own reading warns on stderr where a container hides /proc/vmstat.
        found: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in (self._root / "proc/meminfo").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name in ("SwapTotal", "SwapFree"):
                    found[name] = int(rest.split()[0]) * 1024
        if len(found) < 2:
            return None, None
        return found["SwapTotal"] - found["SwapFree"], found["SwapTotal"]


def _cpu_times() -> tuple[float, float]:
    """Seconds that all cores were busy, and seconds in all."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Linux counts the time of virtual machines twice.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    whole = sum(times) - guests
    return whole - idle, whole
