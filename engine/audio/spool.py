"""A recording as raw float32 files, decoded once, so that a long one never lies in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from engine.audio.decode import Samples, open_stream
from engine.audio.resample import Resampler
from engine.files import disk_errors


def spool(
    recording: Path, targets: Mapping[int, Path], progress: Callable[[float, float], None]
) -> float:
    """Decode a recording into one raw mono float32 file for each rate in Hz; return its seconds.

    `progress` gets the seconds done and in all (0: unknown) after each block. Raises SourceError,
    and DiskFullError when the raw files do not fit.
    """
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
        return frames / stream.rate


def open_raw(path: Path) -> Samples:
    """The samples of a raw file, shape (n,), mapped from the disk."""
    if path.stat().st_size == 0:
        return np.zeros(0, np.float32)
    return np.memmap(path, np.float32, "r")
