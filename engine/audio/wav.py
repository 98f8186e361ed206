"""The wav files of a dataset: 16-bit mono."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from engine.audio.decode import Samples
from engine.errors import DatasetError
from engine.files import atomic_file
from engine.text import clean

HEADER_BYTES = 44


def write(path: Path, samples: Samples, rate: int) -> None:
    """Write samples of shape (n,) in -1..1 durably; louder ones are clipped. Raises DiskFullError."""
    whole = np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2")
    with atomic_file(path) as handle, wave.open(handle, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(whole.tobytes())


def read(path: Path, rate: int) -> NDArray[np.int16]:
    """The samples of a dataset's wav as they were written, shape (n,).

    Raises DatasetError when it cannot be read, or is not mono of that rate.
    """
    try:
        samples, found = soundfile.read(path, dtype="int16")
    except (soundfile.LibsndfileError, OSError) as error:
        raise DatasetError(
            f"{clean(str(path))} cannot be read ({clean(str(error))}). "
            "Run 'voicetui prepare' again; it is made anew from the recording."
        ) from error
    if found != rate or samples.ndim != 1:
        raise DatasetError(
            f"{clean(str(path))} is not {rate:,} Hz mono. "
            "Run 'voicetui prepare' again; it writes such files."
        )
    return np.asarray(samples, np.int16)


def file_size(samples: int) -> int:
    """Bytes of a file that `write` made from so many samples."""
    return HEADER_BYTES + 2 * samples
