"""The harmonics of a voice: its spectra at the moments in which it has a pitch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.decode import Samples

Array = NDArray[np.float64]

FRAME_SECONDS = 0.064
# Of a longer sample as many frames, spread evenly.
_MOST_FRAMES = 400
# The spectra are padded, so that a place between two bins is known well enough.
_PADDING = 4
_LOWEST_PITCH, _HIGHEST_PITCH = 65.0, 1_000.0
# Pitch is told by what lies below, where every voice has harmonics.
_PITCH_BAND = (60.0, 3_000.0)
# A high voice has few harmonics there; so many say where its pitch is.
_LEAST_HARMONICS = 10
_LOUD_DB = 30.0
_LEAST_LIKENESS = 0.5
# How far harmonics stand over the middle between them, on average, in frames that count.
_LEAST_CONTRAST = 12.0
# First in steps of 0.4 %, then of 0.05 %.
_NEARER = tuple(1.0 + step * np.arange(-10, 11) for step in (0.004, 0.0005))
_TINY = 1e-20


@dataclass(frozen=True)
class Voiced:
    """Frames of 64 ms in which a voice has a pitch.

    `levels` are dB, shape (frames, bins), `step` Hz apart; `pitch` is Hz, shape (frames,).
    """

    levels: Samples
    step: float
    pitch: Array

    def at(self, hertz: Array) -> Array:
        """The levels at frequencies, shape (frames, n), in dB; the edge's where they lie outside."""
        places = np.clip(hertz / self.step, 0.0, self.levels.shape[1] - 1.001)
        bins = places.astype(int)
        low, high = (np.take_along_axis(self.levels, bins + more, axis=1) for more in (0, 1))
        return np.asarray(low + (high - low) * (places - bins), np.float64)


def voiced(samples: Samples, rate: int) -> Voiced:
    """The frames of samples of shape (n,) in which one voice has a pitch of 65 to 1,000 Hz.

    Pitch is where the autocorrelation is highest (Boersma 1993, which divides it by that of the
    window), then moved to where the harmonics are strongest. Frames whose harmonics stand less than
    12 dB over what is between them are left out: chords, creak, and pitch that moves fast.
    """
    size = round(FRAME_SECONDS * rate)
    padded = _PADDING * (1 << (size - 1).bit_length())
    step = rate / padded
    frames = _frames(samples, size)
    if not len(frames):
        return Voiced(np.zeros((0, padded // 2 + 1), np.float32), step, np.zeros(0))
    window = np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, padded)).astype(np.float32) ** 2
    pitch, likeness = _pitch(power, window, rate, padded)
    power *= np.float32((2.0 / float(window.sum())) ** 2)
    found = Voiced(10 * np.log10(power + np.float32(_TINY)), step, pitch)
    found = _only(found, likeness >= _LEAST_LIKENESS)
    found = Voiced(found.levels, step, _refined(found))
    return _only(found, _contrast(found) >= _LEAST_CONTRAST)


def _only(found: Voiced, chosen: NDArray[np.bool_]) -> Voiced:
    return Voiced(found.levels[chosen], found.step, found.pitch[chosen])


def _frames(samples: Samples, size: int) -> Samples:
    """The loud frames, shape (n, size)."""
    if len(samples) < size:
        return np.zeros((0, size), np.float32)
    every = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 2]
    level = 10 * np.log10(np.square(every, dtype=np.float32).mean(axis=1) + np.float32(_TINY))
    loud = np.flatnonzero(level > max(float(level.max()) - _LOUD_DB, -90.0))
    chosen = np.linspace(0, len(loud) - 1, min(len(loud), _MOST_FRAMES)).astype(int)
    return np.asarray(every[loud[chosen]], np.float32)


def _pitch(power: Samples, window: Samples, rate: int, padded: int) -> tuple[Array, Array]:
    """The pitch of each frame, and how alike it is to itself one period later, 0 to 1."""
    hertz = np.arange(power.shape[1]) * (rate / padded)
    inside = (hertz >= _PITCH_BAND[0]) & (hertz <= _PITCH_BAND[1])
    own = np.fft.irfft(np.abs(np.fft.rfft(window, padded)) ** 2)
    first, last = int(rate / _HIGHEST_PITCH), int(rate / _LOWEST_PITCH)
    lags = np.arange(first, last + 1)
    same = np.fft.irfft(power * inside, axis=1)
    ratio = same[:, first : last + 1] / (same[:, :1] + _TINY) / (own[lags] / own[0])
    # Two periods are as alike as one: the shortest that is nearly best is the period.
    best = ratio.max(axis=1, keepdims=True)
    tops = np.zeros(ratio.shape, bool)
    tops[:, 1:-1] = (ratio[:, 1:-1] >= ratio[:, :-2]) & (ratio[:, 1:-1] >= ratio[:, 2:])
    place = (tops & (ratio > 0.97 * best)).argmax(axis=1)
    place = np.where(place, place, ratio.argmax(axis=1))
    return rate / lags[place].astype(np.float64), np.asarray(best[:, 0], np.float64)


def _refined(found: Voiced) -> Array:
    """The pitch at which the harmonics up to 3,000 Hz are strongest, to 0.05 %."""
    pitch = found.pitch
    if not len(pitch):
        return pitch
    numbers = np.arange(1, int(_PITCH_BAND[1] / _LOWEST_PITCH) + 1)
    highest = np.maximum(_PITCH_BAND[1], _LEAST_HARMONICS * pitch)[:, None]
    inside = numbers[None, :] * pitch[:, None] <= highest
    floor = found.levels.max(axis=1, keepdims=True) - 60.0
    for shares in _NEARER:
        sums = [
            (np.maximum(found.at(pitch[:, None] * numbers * share), floor) * inside).sum(axis=1)
            for share in shares
        ]
        pitch = pitch * shares[np.stack(sums).argmax(axis=0)]
    return np.asarray(pitch)


def _contrast(found: Voiced) -> Array:
    """How far the harmonics up to 2,000 Hz stand over what is between them, in dB."""
    numbers = np.arange(1, int(2_000.0 / _LOWEST_PITCH) + 1)
    hertz = numbers[None, :] * found.pitch[:, None]
    inside = (hertz <= 2_000.0) | (numbers[None, :] <= 2)
    # At thirds too: else the third harmonic of a lower voice would pass for a pitch.
    thirds = np.where(found.pitch >= 3 * _LOWEST_PITCH, 1 / 3, 1 / 2)[:, None]
    between = [found.at(hertz + found.pitch[:, None] * part) for part in (thirds, 0.5, 1 - thirds)]
    over = found.at(hertz) - np.maximum.reduce(between)
    return np.asarray((over * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1))
