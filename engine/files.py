"""The one place that writes durable files and joins foreign names to folders.

A durable write goes to a temporary name in the same folder, is flushed to the disk, gets its final
name by one rename, and the folder is flushed too, so that after a crash or a power cut the final
name holds either the old content or the new one, never a part.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from engine.errors import DiskFullError, InputError, VoicetuiError
from engine.text import clean

TEMPORARY_PREFIX = ".tmp-"
TRASH_PREFIX = ".trash-"
_CHUNK = 1 << 24
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# How safetensors writes an errno into its message.
_OS_ERROR = re.compile(r"os error (\d+)")
_NEARLY_FULL_BYTES = 1 << 20
# File systems take 255; a file that is still growing has a longer name than later.
_LONGEST_NAME_BYTES = 240


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn "no space" errors into DiskFullError, which names the path and the remedy.

    Libraries that write files themselves (torch, safetensors, soundfile) wrap the system's error in
    their own, or keep none of it.
    """
    try:
        yield
    except Exception as error:
        if not _is_no_space(error) and (isinstance(error, VoicetuiError) or not _is_full(path)):
            raise
        raise DiskFullError(
            f"No space left while writing {clean(str(path))}. "
            "What was there before is intact; free some space and run the command again."
        ) from error


def _is_no_space(error: BaseException | None) -> bool:
    while error is not None:
        named = _OS_ERROR.search(str(error))
        number = error.errno if isinstance(error, OSError) else int(named[1]) if named else None
        if number in _NO_SPACE:
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_full(path: Path) -> bool:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free < _NEARLY_FULL_BYTES


def sync_dir(folder: Path) -> None:
    """Flush the entries of a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_dirs(folder: Path) -> None:
    """Make a folder and those above it, and flush the entry of each new one. Raises DiskFullError."""
    if folder.is_dir():
        return
    make_dirs(folder.parent)
    with disk_errors(folder):
        folder.mkdir(exist_ok=True)
        sync_dir(folder.parent)


def commit_file(written: Path, final: Path) -> None:
    """Flush a finished file and rename it to `final` in the same folder. Raises DiskFullError."""
    with disk_errors(final):
        with written.open("rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(written, final)
        sync_dir(final.parent)


def commit_dir(written: Path, final: Path, *, replace: bool = False) -> None:
    """Flush a finished folder and rename it to `final`, which must not exist unless `replace`.

    Raises DiskFullError, with the old content in its place.
    """
    with disk_errors(final):
        for folder, _, names in os.walk(written):
            for name in names:
                with (Path(folder) / name).open("rb+") as handle:
                    os.fsync(handle.fileno())
            sync_dir(Path(folder))
        with _out_of_the_way(final) if replace else contextlib.nullcontext():
            os.rename(written, final)
            sync_dir(final.parent)


@contextlib.contextmanager
def _out_of_the_way(folder: Path) -> Iterator[None]:
    """Hide a folder while another takes its name; it comes back when that fails, else it goes."""
    if not folder.exists():
        yield
        return
    trash = folder.parent / f"{TRASH_PREFIX}{uuid.uuid4().hex}"
    os.rename(folder, trash)
    try:
        yield
    except BaseException:
        if not folder.exists():
            os.rename(trash, folder)
        raise
    shutil.rmtree(trash)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; on success it is flushed and becomes `path`.

    For writers that want a file name (safetensors, torch.save). Raises DiskFullError.
    """
    make_dirs(path.parent)
    temporary = path.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"
    try:
        with disk_errors(path):
            yield temporary
        commit_file(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Like `atomic_path`, for writers that want an open binary file."""
    with atomic_path(path) as temporary, temporary.open("xb") as handle:
        yield handle


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file durably. Raises DiskFullError."""
    with atomic_file(path) as handle:
        handle.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file durably. Raises DiskFullError."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file durably. Raises DiskFullError."""
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    # File names that are not UTF-8 hold lone surrogates; backslashed they are JSON's own escapes.
    write_bytes(path, text.encode(errors="backslashreplace"))


def move_file(source: Path, target: Path) -> None:
    """Rename a finished file into another folder of the same disk, over what had its name.

    The caller flushes the folder with `sync_dir` when all files are there.
    """
    with disk_errors(target):
        os.replace(source, target)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file durably; file systems that can share the blocks do. Raises DiskFullError."""
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


class Appender:
    """An append-only file. One `append` is one write; `durable` ones are on the disk when it returns."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Open the file, cut to its first `size` bytes when they are given."""
        self.path = path
        make_dirs(path.parent)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        with disk_errors(path):
            self._descriptor = os.open(path, flags, 0o644)
            if size is not None:
                os.ftruncate(self._descriptor, size)
            sync_dir(path.parent)

    def append(self, data: bytes, *, durable: bool) -> None:
        """Append `data` whole. Raises DiskFullError; a part that was written is taken back."""
        before = os.fstat(self._descriptor).st_size
        try:
            with disk_errors(self.path):
                view = memoryview(data)
                while view:
                    view = view[os.write(self._descriptor, view) :]
                if durable:
                    os.fdatasync(self._descriptor)
        except DiskFullError:
            os.ftruncate(self._descriptor, before)
            raise

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@contextlib.contextmanager
def atomic_dir(final: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder to fill; on success all of it is flushed and becomes `final`.

    `final` must not exist unless `replace`; its old content is then kept on any error. Raises
    DiskFullError.
    """
    make_dirs(final.parent)
    temporary = final.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"
    try:
        with disk_errors(final):
            temporary.mkdir()
            yield temporary
        commit_dir(temporary, final, replace=replace)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def remove_dir(folder: Path) -> None:
    """Remove a folder so that a crash in between never leaves a half of it under its name."""
    if not folder.exists():
        return
    trash = folder.parent / f"{TRASH_PREFIX}{uuid.uuid4().hex}"
    os.rename(folder, trash)
    sync_dir(folder.parent)
    shutil.rmtree(trash)


def sweep(folder: Path) -> None:
    """Remove what a killed writer left behind. Call it only while holding the project's lock."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.name.startswith((TEMPORARY_PREFIX, TRASH_PREFIX)):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raise DiskFullError before a write of `needed` bytes that cannot end well."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(
            f"{what} needs {needed / 1e6:,.0f} MB and {clean(str(folder))} has {free / 1e6:,.0f} MB "
            "left. Free some space, or move the folder to a larger disk, and run the command again."
        )


def sha256_file(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file as hex digits, read in pieces; `progress` gets the bytes of each piece."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as handle:
        while piece := handle.read(_CHUNK):
            digest.update(piece)
            if progress is not None:
                progress(len(piece))
    return digest.hexdigest()


def safe_join(root: Path, name: str) -> Path:
    """Join a foreign relative name to a folder. Raises InputError when it would lead outside."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    unsafe = (
        not posix.parts
        or "\x00" in name
        or posix.is_absolute()
        or windows.drive
        or windows.root
        or ".." in posix.parts
        or ".." in windows.parts
        or not all(map(_can_be_a_name, posix.parts))
    )
    joined = root / name
    if unsafe or not joined.resolve().is_relative_to(root.resolve()):
        raise InputError(
            f"The name {clean(name)!r} does not lead to a place inside {clean(str(root))}; it was not used."
        )
    return joined


def _can_be_a_name(part: str) -> bool:
    try:
        return len(os.fsencode(part)) <= _LONGEST_NAME_BYTES
    except UnicodeEncodeError:
        return False
