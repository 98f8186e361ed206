"""How much memory a container may use: the limits of this process's control groups.

Inside a container the system still tells the memory of the whole machine; the kernel ends what
takes more than the control group allows. Linux keeps the limits in version 1 or 2 of its files
(kernel documentation, admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class _Version:
    """Names of the files of a version, and of the file cache that can be given up at any time."""

    limit: str
    used: str
    cache: str


_V1 = _Version("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = _Version("memory.max", "memory.current", "inactive_file")


def memory_limits(root: Path = Path("/")) -> Iterator[tuple[int, int]]:
    """(limit, bytes in use) of every group around this process that has a limit.

    `root` is where /proc and /sys lie.
    """
    for folder, version in _groups(root):
        with contextlib.suppress(OSError, ValueError):
            # "max" stands for no limit and is no number.
            limit = int((folder / version.limit).read_text())
            used = int((folder / version.used).read_text())
            yield limit, max(0, used - _cache_bytes(folder, version))


def _groups(root: Path) -> Iterator[tuple[Path, _Version]]:
    """The folders of this process's groups, inner ones first."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    top = root / "sys/fs/cgroup"
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            yield from _upward(top, path, _V2)
        elif "memory" in controllers.split(","):
            yield from _upward(top / "memory", path, _V1)


def _upward(top: Path, path: str, version: _Version) -> Iterator[tuple[Path, _Version]]:
    # In a container the path is often that of the machine; then only `top` exists here.
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    for count in range(len(parts), -1, -1):
        yield top.joinpath(*parts[:count]), version


def _cache_bytes(folder: Path, version: _Version) -> int:
    for line in (folder / "memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == version.cache:
            return int(value)
    return 0
