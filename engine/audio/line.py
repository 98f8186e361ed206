"""A thin tone that sounds all the time at about 8 kHz: a line across the whole spectrogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.audio.decode import Samples

LOW, HIGH = 7_700.0, 8_300.0
# Bins of about 12 Hz, so that a tone stands far out of noise.
_BIN_HERTZ = 12.0
_MOST_FRAMES = 800
_LEAST_FRAMES = 12
# The level that a frequency keeps for nine tenths of the time: speech and whistles pause.
_STEADY = 10.0
# Harmonics of a voice that never pauses have neighbours as high as themselves, 1,000 Hz away at most.
_AROUND, _OWN = 1_050.0, 45.0
# What is so far under the sample's mean power is silence, or the rounding of 16 bits.
_DEPTH = 85.0
_TINY = 1e-20


@dataclass(frozen=True)
class Line:
    """The steadiest tone at 7.7 to 8.3 kHz.

    `hertz` is where; `over` how many dB it stands over the highest of all else within 1,050 Hz,
    `level` dB relative to the mean power of the sample.
    """

    hertz: float
    over: float
    level: float


def steady_line(samples: Samples, rate: int) -> Line | None:
    """The tone near 8 kHz that sounds for nine tenths of the time, of samples of shape (n,).

    None when the rate has no 8 kHz, when nothing is heard, or when it is shorter than half a second.
    """
    size = 1 << round(float(np.log2(rate / _BIN_HERTZ)))
    if rate < 2 * (HIGH + _AROUND) or len(samples) < size * (_LEAST_FRAMES + 1) // 2:
        return None
    every = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 2]
    chosen = np.linspace(0, len(every) - 1, min(len(every), _MOST_FRAMES)).astype(int)
    # All that is never louder than the window's own sidelobes is nothing.
    window = np.blackman(size).astype(np.float32)
    mean = float(np.square(samples, dtype=np.float64).mean())
    if mean < _TINY:
        return None
    first, last = (round(hertz * size / rate) for hertz in (LOW - _AROUND, HIGH + _AROUND))
    power = np.stack(
        [np.abs(np.fft.rfft(every[index] * window)[first : last + 1]) ** 2 for index in chosen]
    )
    power *= 2.0 / float(window.sum()) ** 2
    steady = 10 * np.log10(np.percentile(power, _STEADY, axis=0) / mean + 10 ** (-_DEPTH / 10))
    hertz = np.arange(first, last + 1) * rate / size
    inside = np.flatnonzero((hertz >= LOW) & (hertz <= HIGH))
    place = int(inside[steady[inside].argmax()])
    away = np.abs(hertz - hertz[place])
    around = steady[(away > _OWN) & (away <= _AROUND)]
    return Line(float(hertz[place]), float(steady[place] - around.max()), float(steady[place]))
