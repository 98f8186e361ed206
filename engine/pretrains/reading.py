"""Reads a stranger's weights file, in a process of its own: `python -m engine.pretrains.reading`.

The process is asked by `engine.pretrains.reader`. Before it opens the file it gives up what reading
does not need: memory and time beyond a measure of the file's size, and every way to start a program,
to reach the network or to write elsewhere. The answer is `{"facts": {…}}`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import child, weights
from engine.events import Event
from engine.files import disk_errors
from engine.pretrains.content import Content, content_of
from engine.pretrains.describe import describe
from engine.pretrains.facts import Facts
from engine.weights_form import MAX_PICKLE_BYTES, MAX_RECORDS, check_file, damaged, unsafe

if TYPE_CHECKING:
    from collections.abc import Callable

# Above what Python and torch hold: the file, mapped or read; its tensors again as they are written;
# and as much for copies of some.
_MEMORY_TIMES = 3
_MEMORY_MORE = 256 << 20
_SECONDS = 30
# A slow disk under a slow processor.
_BYTES_PER_SECOND = 10 << 20
_OPEN_FILES = 64
# Tied tensors are written as often as they are named; see `weights.load`.
_WRITTEN_TIMES = 4
_WRITTEN_MORE = 1 << 20
_FORBIDDEN = (
    "socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "os.spawn", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink",
    "os.chmod", "os.chown", "os.truncate", "os.kill", "shutil.", "pty.", "urllib.", "http.",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SAFETENSORS_START = b"{"


def read(path: Path, target: Path | None = None) -> Facts:
    """The facts of a weights file; its model tensors go to `target` as safetensors when given.

    Raises UnsafeFileError and DamagedError, as `reader.inspect` does, and DiskFullError.
    """
    try:
        content = _content(path)
        if target is not None:
            _write(content, target, path)
        return describe(content)
    except MemoryError as error:
        raise unsafe(path, "what takes far more memory than a file of its size needs") from error


def _content(path: Path) -> Content:
    check_file(path)
    if _is_safetensors(path):
        return Content(_safetensors(path))
    read = weights.load(path, checksums=True)
    try:
        return content_of(read)
    except ValueError as error:
        raise damaged(path, error) from error


def _is_safetensors(path: Path) -> bool:
    """Whether it begins as safetensors do: the length of a header, and the brace of one."""
    with path.open("rb") as handle:
        length, brace = int.from_bytes(handle.read(8), "little"), handle.read(1)
    return brace == _SAFETENSORS_START and length < path.stat().st_size


def _safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        _check_header(path)
        with safe_open(path, framework="pt") as opened:
            names = list(opened.keys())
            if len(names) > MAX_RECORDS:
                raise unsafe(path, f"{len(names):,} tensors")
            return {name: opened.get_tensor(name) for name in names}
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise damaged(path, error) from error


def _check_header(path: Path) -> None:
    """Refuse what safetensors lets through: large headers, and names that stand there twice."""
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if length > MAX_PICKLE_BYTES:
            raise unsafe(path, "a header that is larger than any model's")
        json.loads(handle.read(length), object_pairs_hook=_only_once)


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a name stands twice in its header")
    return table


def _write(content: Content, target: Path, path: Path) -> None:
    """Write the model's tensors, each with values of its own, under the names that they have."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    if not content.state:
        raise damaged(path, "it holds no tensors")
    plain, taken = {}, set()
    for name, tensor in content.state.items():
        storage = tensor.untyped_storage()
        if storage.data_ptr() in taken or storage.nbytes() != tensor.nbytes:
            tensor = tensor.clone()
        taken.add(storage.data_ptr())
        plain[name] = tensor.contiguous()
    try:
        with disk_errors(target.parent):
            save_file(plain, target, metadata={"format": "pt"})
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise damaged(path, error) from error


def confine(path: Path, target: Path | None) -> None:
    """Bind this process to what reading `path` and writing `target` needs; for good.

    torch is imported before, so that its own appetite does not count.
    """
    import safetensors.torch
    import torch

    # One thread: others would take stacks.
    torch.set_num_threads(1)
    assert safetensors.torch is not None
    size = path.stat().st_size if path.exists() else 0
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    written = 0 if target is None else _WRITTEN_TIMES * size
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, held + _MEMORY_TIMES * size + _MEMORY_MORE)
    _limit(resource.RLIMIT_CPU, _SECONDS + size // _BYTES_PER_SECOND)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_FSIZE, written + _WRITTEN_MORE)
    sys.dont_write_bytecode = True
    sys.addaudithook(_warden(target))


def _limit(which: int, wanted: int) -> None:
    _, hard = resource.getrlimit(which)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(which, (most, most))


def _warden(target: Path | None) -> Callable[[str, tuple[Any, ...]], None]:
    """A hook on what Python does, which ends everything that is not reading."""

    def forbid(event: str, details: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = details
            if isinstance(flags, int) and flags & _WRITING and str(path) != str(target):
                raise PermissionError("a reader of weights writes nowhere else")
        elif event.startswith(_FORBIDDEN):
            raise PermissionError(f"a reader of weights has no use for {event}")

    return forbid


def answer(request: dict[str, Any], _emit: Callable[[Event], None]) -> dict[str, Any]:
    """Confine this process, then read the file that the request names."""
    path = Path(request["path"])
    target = Path(request["target"]) if request["target"] else None
    confine(path, target)
    return {"facts": dataclasses.asdict(read(path, target))}


if __name__ == "__main__":
    child.serve(answer)
