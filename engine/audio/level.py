"""How loud audio is, in decibels relative to full scale."""

from __future__ import annotations

import numpy as np

from engine.audio.decode import Samples

SILENCE_DB = -120.0
FRAME_SECONDS = 0.01
_BLOCK_FRAMES = 60_000


def rms_db(samples: Samples) -> float:
    """Root mean square level; SILENCE_DB for digital silence."""
    return float(_decibels(np.asarray(np.mean(np.square(samples, dtype=np.float64)))))


def peak_db(samples: Samples) -> float:
    """Level of the largest sample; SILENCE_DB for digital silence."""
    return float(_decibels(np.asarray(np.max(np.abs(samples), initial=0.0), np.float64) ** 2))


def frame_levels(samples: Samples, rate: int) -> Samples:
    """RMS level in dB of each 10 ms, shape (ceil(n / (rate / 100)),); rate a multiple of 100 Hz."""
    frame = round(rate * FRAME_SECONDS)
    levels = []
    for start in range(0, len(samples), frame * _BLOCK_FRAMES):
        block = np.asarray(samples[start : start + frame * _BLOCK_FRAMES])
        padded = np.pad(block, (0, -len(block) % frame))
        power = np.square(padded.reshape(-1, frame), dtype=np.float64).mean(axis=1)
        levels.append(_decibels(power).astype(np.float32))
    return np.concatenate(levels) if levels else np.zeros(0, np.float32)


def fade(samples: Samples, length: int) -> Samples:
    """A copy whose first and last `length` samples rise from and fall to zero in a straight line."""
    faded = np.array(samples, np.float32)
    length = min(length, len(faded) // 2)
    if length:
        ramp = np.linspace(0.0, 1.0, length, endpoint=False, dtype=np.float32)
        faded[:length] *= ramp
        faded[-length:] *= ramp[::-1]
    return faded


def _decibels(power: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Samples:
    floor = 10.0 ** (SILENCE_DB / 10)
    return np.asarray(10.0 * np.log10(np.maximum(power, floor)), np.float32)
