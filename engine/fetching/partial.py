"""The bytes of a file that is still arriving, kept so that a killed download goes on where it was.

They stand in `<name>.part`; `<name>.part.json` says what they are the beginning of. Bytes get the
file's own name only through `commit`, which the caller calls once they are verified.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from engine.errors import BusyError
from engine.files import commit_file, disk_errors, sync_dir, write_json
from engine.text import clean


def path_of(target: Path) -> Path:
    """Where the bytes of a file stand before it is whole."""
    return target.with_name(target.name + ".part")


class Part:
    """The part of one file; `length` is in bytes. Made by `hold`."""

    def __init__(self, target: Path, path: Path, descriptor: int) -> None:
        self.path = path
        self.length = os.fstat(descriptor).st_size
        self._target = target
        self._record = path.with_name(path.name + ".json")
        self._descriptor = descriptor

    def begin(self, content: str, size: int | None) -> None:
        """Keep the bytes only if they began the same content, named by a hash or an entity tag."""
        record = {"content": content, "size": size}
        if content and self._read_record() == record:
            return
        self.restart()
        write_json(self._record, record)

    def _read_record(self) -> object:
        try:
            return json.loads(self._record.read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def write(self, data: bytes) -> None:
        """Append bytes. Raises DiskFullError, with what was written before still there."""
        with disk_errors(self._target):
            view = memoryview(data)
            while view:
                written = os.write(self._descriptor, view)
                self.length += written
                view = view[written:]

    def restart(self) -> None:
        """Forget the bytes."""
        os.ftruncate(self._descriptor, 0)
        self.length = 0

    def commit(self) -> None:
        """Give the bytes the file's own name, durably. Raises DiskFullError."""
        commit_file(self.path, self._target)
        self._record.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the bytes and their record."""
        self.path.unlink()
        self._record.unlink(missing_ok=True)
        sync_dir(self.path.parent)


def _open_alone(path: Path) -> int | None:
    """An open file that nobody else holds, or None when somebody does."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its last holder may have renamed it to its final name in between.
        if os.fstat(descriptor).st_ino == os.stat(path).st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


@contextlib.contextmanager
def hold(target: Path) -> Iterator[Part]:
    """The part of `target`, for one writer at a time. Raises BusyError, DiskFullError."""
    path = path_of(target)
    with disk_errors(target):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _open_alone(path)
    if descriptor is None:
        raise BusyError(
            f"{clean(str(target))} is being fetched by another process; wait for it, or stop it."
        )
    try:
        yield Part(target, path, descriptor)
    finally:
        os.close(descriptor)
