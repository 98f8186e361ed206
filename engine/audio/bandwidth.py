"""Up to which frequency a voice was recorded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.audio.decode import Samples

RATE = 22_050
_FRAME = 1024
# Bands of eight bins are even enough to compare; over the last one the resampler falls off.
_BINS, _BANDS = 8, 61
BAND_HERTZ = _BINS * RATE / _FRAME
MOST_HERTZ = BAND_HERTZ * _BANDS
# In dB. Fricatives lie some 30 under the strongest vowels, and the rounding of 16 bits 90.
_DEPTH = -65.0
_OVER_BACKGROUND = 8.0
# Fricatives could hide in noise that is louder.
_HIDING = -42.0
_TINY = 1e-20


def band_powers(samples: Samples) -> Samples:
    """Power in bands of 172 Hz of each 46 ms of 22,050 Hz samples, shape (frames, 61)."""
    frames = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    bands = spectrum[:, : _BINS * _BANDS].reshape(len(frames), _BANDS, _BINS)
    return np.asarray(bands.mean(axis=2), np.float32)


def ceiling_hertz(powers: Sequence[Samples]) -> float:
    """The top of the highest band that holds voice, in Hz: 10,508 at most, 0 for silence.

    A band holds voice when its loud moments (95th percentile) are less than 65 dB under those of
    the strongest band, and 8 dB or more over its own quiet ones (10th percentile), so that steady
    hiss over a narrow voice is not taken for voice. Noise less than 42 dB under the strongest band
    could hide a voice and counts as one, so that no noisy voice is taken for a narrow one. Phone
    calls end near 3,500 to 4,000 Hz, recordings at 16,000 Hz near 7,500.
    """
    frames = np.concatenate([np.zeros((0, _BANDS), np.float32), *powers])
    if not len(frames):
        return 0.0
    quiet, loud = 10 * np.log10(np.percentile(frames, (10, 95), axis=0) + _TINY)
    if loud.max() <= 10 * np.log10(2 * _TINY):
        return 0.0
    top = loud.max()
    voiced = (loud > top + _DEPTH) & ((loud > quiet + _OVER_BACKGROUND) | (quiet > top + _HIDING))
    return round((int(np.flatnonzero(voiced)[-1]) + 1) * BAND_HERTZ) if voiced.any() else 0.0
