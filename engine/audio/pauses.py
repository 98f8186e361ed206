"""The levels by which pauses are told from speech: hum and rumble do not fill them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import frame_levels

# From nothing to all over these frequencies in Hz: mains hum with its octave lies below, and of
# every voice enough above.
_RISE = (140.0, 240.0)
# A block, and what is filtered with it on both sides so that no seam shows.
_BLOCK_SECONDS = 15
_MARGIN_SECONDS = 0.25


def pause_levels(
    samples: Samples, rate: int, progress: Callable[[float, float], None] | None = None
) -> Samples:
    """RMS level in dB of each 10 ms of what lies above 200 Hz, shape (ceil(n / (rate / 100)),).

    `rate` is a multiple of 100 Hz. The samples, shape (n,), are taken block by block; `progress`
    gets the seconds done and in all after each.
    """
    block, margin = _BLOCK_SECONDS * rate, round(_MARGIN_SECONDS * rate)
    levels = [np.zeros(0, np.float32)]
    for start in range(0, len(samples), block):
        first = max(0, start - margin)
        part = _without_low(samples[first : start + block + margin], rate)
        levels.append(frame_levels(part[start - first : start - first + block], rate))
        if progress is not None:
            progress(min(start + block, len(samples)) / rate, len(samples) / rate)
    return np.concatenate(levels)


def _without_low(samples: Samples, rate: int) -> Samples:
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    share = np.clip((frequencies - _RISE[0]) / (_RISE[1] - _RISE[0]), 0.0, 1.0)
    spectrum *= np.sin(share * np.pi / 2) ** 2
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)
