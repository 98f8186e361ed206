"""What sounds all the time behind a voice: mains hum and hiss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.decode import Samples
from engine.audio.excerpt import Part

# 0.19 s, as long as pauses are; padded, so that lines can be placed between the bins.
_FRAME, _LENGTH = 4096, 16_384
_MOST_FRAMES = 400
_MAINS = (50.0, 60.0)
_HARMONICS = 10
# In dB over what lies between two harmonics.
_LINE, _CLEAR_LINE = 6.0, 10.0
_LEAST_CLEAR = 2
_HISS_HERTZ = 2_000.0
# The median of the powers that noise has is smaller than their mean by this factor (exponential
# distribution: ln 2).
_MEDIAN_OF_NOISE = float(np.log(2.0))


@dataclass(frozen=True)
class Spectrum:
    """The power of what stays in the pauses. `steady` is the median of each bin of `hertz`,
    scaled so that a line of a power shows that power."""

    hertz: NDArray[np.float64]
    steady: NDArray[np.float64]


def pause_spectrum(parts: Sequence[Part]) -> Spectrum | None:
    """The spectrum of the pauses; None when none lasts 0.19 s. Words and breaths hardly count."""
    window = np.hanning(_FRAME).astype(np.float32)
    frames = list(_frames(parts))
    if not frames:
        return None
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), _MOST_FRAMES)).astype(int)
    powers = [
        np.abs(np.fft.rfft(frames[index] * window, _LENGTH)).astype(np.float32) ** 2
        for index in chosen
    ]
    steady = np.median(np.stack(powers), axis=0).astype(np.float64)
    hertz = np.arange(len(steady), dtype=np.float64) * (parts[0].rate / _LENGTH)
    return Spectrum(hertz, steady * (2.0 / float(window.sum()) ** 2))


def _frames(parts: Sequence[Part]) -> Iterator[Samples]:
    for part in parts:
        for pause in part.pauses:
            samples = part.between(pause)
            for start in range(0, len(samples) - _FRAME + 1, _FRAME // 2):
                yield samples[start : start + _FRAME]


def hum(spectrum: Spectrum) -> tuple[int, float | None]:
    """The mains frequency, 50 or 60 Hz, whose harmonics stand out, and their power in dB.

    (0, None) when there is no hum. At least two harmonics of the first ten must lie 10 dB over what
    is halfway to the next ones. It cannot tell hum from an even tone at the same frequencies.
    """
    found = max((_lines(spectrum, mains) for mains in _MAINS), key=lambda lines: lines[1])
    mains, _, clear, power = found
    if clear < _LEAST_CLEAR:
        return 0, None
    return round(mains), float(10 * np.log10(power))


def _lines(spectrum: Spectrum, mains: float) -> tuple[float, float, int, float]:
    """How much the harmonics stand out together, how many do clearly, and their power."""
    harmonics = mains * np.arange(1, _HARMONICS + 1)
    # The mains drift by some tenths of a percent.
    peaks = np.array([_most(spectrum, hz - 3, hz + 3) for hz in harmonics])
    floors = np.array(
        [_most(spectrum, hz - 3, hz + 3) for hz in mains * np.arange(_HARMONICS + 1) + mains / 2]
    )
    over = 10 * np.log10(peaks / np.maximum(floors[:-1], floors[1:]))
    standing = over > _LINE
    return (
        mains,
        float(over[standing].sum()),
        int((over > _CLEAR_LINE).sum()),
        float(peaks[standing].sum()),
    )


def _most(spectrum: Spectrum, low: float, high: float) -> float:
    first, last = np.searchsorted(spectrum.hertz, (low, high))
    return float(spectrum.steady[first:last].max()) + 1e-20


def hiss_db(spectrum: Spectrum, bandwidth: float) -> float | None:
    """The power in dB of the steady noise over 2,000 Hz, as far up as the voice reaches.

    None when the voice does not reach over 2,000 Hz.
    """
    inside = (spectrum.hertz >= _HISS_HERTZ) & (spectrum.hertz <= bandwidth)
    if not inside.any():
        return None
    # A line's power is spread over the window's 1.5 bins, each of them four times by the padding.
    power = spectrum.steady[inside].sum() / (1.5 * _LENGTH / _FRAME) / _MEDIAN_OF_NOISE
    return float(10 * np.log10(power + 1e-20))
