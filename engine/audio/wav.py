"""The wav files of a dataset: 16-bit mono."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from engine.audio.decode import Samples
from engine.files import atomic_file

HEADER_BYTES = 44


def write(path: Path, samples: Samples, rate: int) -> None:
    """Write samples of shape (n,) in -1..1 durably; louder ones are clipped. Raises DiskFullError."""
    whole = np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2")
    with atomic_file(path) as handle, wave.open(handle, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(whole.tobytes())


def file_size(samples: int) -> int:
    """Bytes of a file that `write` made from so many samples."""
    return HEADER_BYTES + 2 * samples
