"""A recording as raw float32 files, decoded once, so that a long one never lies in memory."""

from __future__ import annotations

import contextlib
import mmap
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.audio.decode import Format, Samples, open_stream
from engine.audio.resample import Resampler
from engine.files import disk_errors, require_space
from engine.text import clean


@dataclass(frozen=True)
class Spooled:
    """What was decoded: how long it is, and how it was stored."""

    seconds: float
    format: Format


def spool(
    recording: Path, targets: Mapping[int, Path], progress: Callable[[float, float], None]
) -> Spooled:
    """Decode a recording into one raw mono float32 file for each rate in Hz.

    `progress` gets the seconds done and in all (0: unknown) after each block. Raises SourceError,
    and DiskFullError when the raw files do not fit, before they are written where that is known.
    """
    _check_room(recording, targets, progress)
    with open_stream(recording) as stream, contextlib.ExitStack() as stack:
        files = {rate: stack.enter_context(path.open("wb")) for rate, path in targets.items()}
        resamplers = {rate: Resampler(stream.rate, rate) for rate in targets}
        frames = 0

        def write(block: Samples, *, last: bool = False) -> None:
            for rate, path in targets.items():
                with disk_errors(path):
                    files[rate].write(resamplers[rate].push(block, last=last).tobytes())

        for block in stream.blocks:
            frames += len(block)
            write(block)
            progress(frames / stream.rate, stream.seconds)
        write(np.zeros(0, np.float32), last=True)
        for rate, path in targets.items():
            with disk_errors(path):
                files[rate].flush()
        return Spooled(frames / stream.rate, stream.format)


def _check_room(
    recording: Path, targets: Mapping[int, Path], progress: Callable[[float, float], None]
) -> None:
    """Raise DiskFullError when the raw files of a recording cannot fit; see `spool`."""
    folder = next(iter(targets.values())).parent

    def needed(seconds: float) -> int:
        return round(seconds * sum(targets) * np.dtype(np.float32).itemsize)

    with open_stream(recording) as stream:
        if needed(stream.seconds) <= shutil.disk_usage(folder).free:
            return
        # A header may lie: the recording is blamed where it is shorter than that, the disk where
        # it is not.
        frames = 0
        for block in stream.blocks:
            frames += len(block)
            progress(frames / stream.rate, stream.seconds)
    what = f"Preparing {clean(str(recording))}"
    require_space(folder, needed(frames / stream.rate), what)


class _Mapped(np.memmap[Any, np.dtype[np.float32]]):
    """A mapped file whose slices are copies, so that what was read does not stay in memory."""

    def __getitem__(self, part: Any) -> Any:
        taken = np.array(super().__getitem__(part))
        self._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
        return taken


def open_raw(path: Path) -> Samples:
    """The samples of a raw file, shape (n,), read from the disk slice by slice."""
    if path.stat().st_size == 0:
        return np.zeros(0, np.float32)
    return _Mapped(path, np.float32, "r")
