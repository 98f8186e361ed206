"""The noise that a voice stands on: in its pauses, and between its harmonics while it sounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.audio.background import Background
from engine.audio.harmonics import FRAME_SECONDS, Voiced

# Every voice has harmonics here.
_LOW, _HIGH = 300.0, 4_000.0
# Speech is measured up to here, so noise is too.
_TOP = 8_000.0
_LEAST_FRAMES = 12
# Noise goes on under the voice: what is so much louder in pauses is breath, or no pause at all.
_MOST_APART = 10.0
# Where harmonics move they fill what is between them; noise fills the deepest tenth too.
_DEEPEST = 10.0
# How far the lowest tenth of noise's powers lies under their mean (exponential distribution).
_LOWEST_OF_NOISE = float(10 * np.log10(-np.log(1 - _DEEPEST / 100)))
# Of a Hann window of n samples: the power of noise in a bin over that of a sine of that level is
# 6 / n (Harris 1978: its noise bandwidth is 1.5 bins).
_NOISE_OF_HANN = 6.0


@dataclass(frozen=True)
class NoiseFloor:
    """Noise up to 8 kHz in dB relative to the voice; None where no pause, or no pitch, can tell.

    `between` is that between the harmonics of 300 to 4,000 Hz, as white noise of that power; breath
    and harmonics that move are a part of it.
    """

    pauses: float | None
    between: float | None


def noise_floor(background: Background, voice: Voiced) -> NoiseFloor:
    """Measure a sample: its levels at 16,000 Hz in speech and pauses, and its voiced frames."""
    if background.voice is None:
        return NoiseFloor(None, None)
    pauses, between = background.noise, _between(voice)
    if pauses is not None and between is not None and pauses > between + _MOST_APART:
        pauses = None
    return NoiseFloor(
        None if pauses is None else round(pauses - background.voice, 1),
        None if between is None else round(between - background.voice, 1),
    )


def _between(voice: Voiced) -> float | None:
    if len(voice.pitch) < _LEAST_FRAMES:
        return None
    pitch = voice.pitch[:, None]
    middles = (np.arange(1, int(_HIGH / voice.pitch.min()) + 1)[None, :] + 0.5) * pitch
    deepest = np.percentile(voice.at(middles)[(middles >= _LOW) & (middles <= _HIGH)], _DEEPEST)
    # The frame's samples up to 8 kHz, whatever the rate: 2 x 8,000 of them in a second.
    bins = FRAME_SECONDS * 2 * _TOP / _NOISE_OF_HANN
    return float(deepest - _LOWEST_OF_NOISE + 10 * np.log10(bins))
