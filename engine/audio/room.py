"""How long a room answers, from how the voice dies away in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.audio.decode import Samples
from engine.audio.excerpt import Part

_HOP, _FRAME = 220, 512
# The octaves that rooms are judged by (ISO 3382-2: 500 and 1,000 Hz), and where a voice is strong.
_LOW, _HIGH = 500.0, 4_000.0
_SMOOTH = 5
# In dB: what the sound itself falls before the room is heard alone, how far it must fall then, how
# far over the background it must stay, and how far it may rise on the way.
_SKIP, _LEAST_FALL, _OVER_BACKGROUND, _RISE = 5.0, 10.0, 6.0, 1.0
_LEAST_FRAMES = 8
_STRAIGHT = 0.9
_LEAST_DECAYS = 4
_FAST = 25


def decay_seconds(parts: Sequence[Part]) -> float | None:
    """The time in which sound falls by 60 dB, like the RT60 of a room, without having measured it.

    Wherever the level between 500 and 4,000 Hz falls in a straight line by 10 dB or more after its
    first 5 dB, its slope gives a time. A voice never dies away faster than its room, but often more
    slowly, so the result is the time that a quarter of the falls stays under. A dry voice gives 0.1
    to 0.3 s, its own; a close microphone in a large room hides the room. None with fewer than four
    such falls.
    """
    levels = [_levels(part.samples, part.rate) for part in parts if part.speech]
    times: list[float] = []
    for part, part_levels in zip((part for part in parts if part.speech), levels, strict=True):
        times += _times(part_levels, _HOP / part.rate)
    return float(np.percentile(times, _FAST)) if len(times) >= _LEAST_DECAYS else None


def _levels(samples: Samples, rate: int) -> NDArray[np.float64]:
    """The level of the band every 10 ms, over the 50 ms around it."""
    if len(samples) < _FRAME:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    spectrum = np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)
    first, last = (round(hertz * _FRAME / rate) for hertz in (_LOW, _HIGH))
    power = (np.abs(spectrum[:, first:last]) ** 2).sum(axis=1)
    return 10 * np.log10(np.convolve(power, np.ones(_SMOOTH) / _SMOOTH, "same") + 1e-12)


def _times(levels: NDArray[np.float64], step: float) -> Iterator[float]:
    """The decay time of each straight fall."""
    floor = float(np.percentile(levels, 1)) + _OVER_BACKGROUND if len(levels) else 0.0
    rows = levels.tolist()
    place = 0
    while place < len(rows) - 1:
        end = _bottom(rows, place, floor)
        top = place
        while top < end and rows[top] > rows[place] - _SKIP:
            top += 1
        fall = levels[top : end + 1]
        if len(fall) >= _LEAST_FRAMES and fall[0] - fall[-1] >= _LEAST_FALL:
            time = np.arange(len(fall)) * step
            if np.corrcoef(time, fall)[0, 1] ** 2 > _STRAIGHT:
                yield float(-60.0 / np.polyfit(time, fall, 1)[0])
        place = max(end, place + 1)


def _bottom(rows: Sequence[float], place: int, floor: float) -> int:
    """Where a fall that begins at a place ends: where it rises again, or nears the background."""
    lowest = rows[place]
    end = place
    while end + 1 < len(rows) and floor < rows[end + 1] < lowest + _RISE * (end > place):
        end += 1
        lowest = min(lowest, rows[end])
    return end
