"""Mirrored harmonics: images of a voice, folded around a frequency where its harmonics are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.audio.harmonics import Array, Voiced

# Half the rates inside of the usual vocoders: 4, 8 (RVC at 32k), 5, 10 (40k), 6, 12 kHz (48k).
FOLDS = (4_000.0, 5_000.0, 6_000.0, 8_000.0, 10_000.0, 12_000.0)
_BAND_HERTZ = 1_000.0
# An image says nothing where it falls on a harmonic, or midway between two: there it cannot be told
# from a voice that jumps an octave. In parts of the pitch, and the least distance in Hz.
_NEAREST, _FARTHEST = 0.15, 0.42
_LEAST_HERTZ = 12.0
# A pitch that stays cannot be told from other tones that stay, as those of a chord: so alike are
# the places of the images then (1: all the same).
_MOST_ALIKE = 0.93
_LEAST_LINES = 2
_LEAST_FRAMES = 12
# One strong line of something else must not speak for all.
_MOST_DB = 12.0
_FOOT_HERTZ = 18.0
# What is so far under the strongest harmonic of its frame is silence for any ear.
_DEPTH = 85.0


@dataclass(frozen=True)
class Mirror:
    """The clearest mirror that was looked for.

    `hertz` is the frequency around which the harmonics are folded; `over` how many dB the images
    stand over what lies as far from the voice's own harmonics, `surety` that in standard errors;
    `low` and `high` Hz are where they are heard best. `frames` were looked at.
    """

    hertz: float
    over: float
    surety: float
    low: float
    high: float
    frames: int


def mirrored(voice: Voiced) -> Mirror | None:
    """The mirror whose images stand out most; None when too little voice has a pitch to tell.

    The image of harmonic k is looked for at 2 x fold - k x pitch, and compared with the places on
    the other side of the voice's own harmonics, which lie as far from these. A voice without images
    is the same on both sides.
    """
    found = [mirror for fold in FOLDS for mirror in _of(voice, fold)]
    return max(found, key=lambda mirror: min(mirror.over, mirror.surety / 2), default=None)


def _of(voice: Voiced, fold: float) -> Iterator[Mirror]:
    top = voice.step * (voice.levels.shape[1] - 1)
    if fold > 0.9 * top:
        return
    # Where the images fall between the harmonics: -0.5 to 0.5 of the pitch.
    phase = (2 * fold / voice.pitch + 0.5) % 1.0 - 0.5
    apart = np.abs(phase)
    clear = np.minimum(2 * apart, 1 - 2 * apart) * voice.pitch >= _LEAST_HERTZ
    usable = clear & (apart >= _NEAREST) & (apart <= _FARTHEST)
    if usable.sum() < _LEAST_FRAMES:
        return
    if np.abs(np.exp(2j * np.pi * phase[usable]).mean()) > _MOST_ALIKE:
        return
    chosen = Voiced(voice.levels[usable], voice.step, voice.pitch[usable])
    highest = min(2 * fold, 0.96 * top)
    for low in np.arange(fold - 2_000.0, highest - _BAND_HERTZ / 2, _BAND_HERTZ):
        high = min(low + _BAND_HERTZ, highest)
        over = _over(chosen, phase[usable], fold, low, high)
        over = over[:, np.isfinite(over[0])]
        if over.shape[1] >= _LEAST_FRAMES:
            error = float(over[0].std() / np.sqrt(over.shape[1])) + 0.05
            mean = float(over.mean(axis=1).min())
            yield Mirror(fold, mean, mean / error, float(low), float(high), over.shape[1])


def _over(voice: Voiced, phase: Array, fold: float, low: float, high: float) -> Array:
    """How far the images in a band stand out in each frame, in dB, shape (2, frames).

    First over the places that they are compared with, then over their own feet; NaN where a frame
    has too few lines.
    """
    pitch = voice.pitch[:, None]
    first = np.ceil((2 * fold - high) / pitch)
    numbers = first + np.arange(int(_BAND_HERTZ / voice.pitch.min()) + 1)[None, :]
    hertz = 2 * fold - numbers * pitch
    inside = (hertz >= low) & (hertz <= high) & (numbers >= 1)
    floor = voice.levels.max(axis=1, keepdims=True) - _DEPTH
    side = 2 * phase[:, None]
    other = side - np.sign(side)

    def level(place: Array) -> Array:
        return np.asarray(np.maximum(voice.at(place), floor))

    beside = (level(hertz - side * pitch) + level(hertz - other * pitch)) / 2
    # A harmonic that moves is a broad hill; its foot is no line of its own.
    foot = (level(hertz - _FOOT_HERTZ) + level(hertz + _FOOT_HERTZ)) / 2
    count = inside.sum(axis=1)
    means = [
        (np.clip(level(hertz) - lower, -_MOST_DB, _MOST_DB) * inside).sum(axis=1)
        / np.maximum(count, 1)
        for lower in (beside, foot)
    ]
    return np.asarray(np.where(count >= _LEAST_LINES, np.stack(means), np.nan))
