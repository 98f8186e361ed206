"""How loud clips are, in LUFS, and the gain that brings them all to one loudness."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import peak_db
from engine.audio.resample import resample

# The absolute gate of BS.1770: nothing under it counts as sound.
SILENT = -70.0
# EBU R 128 allows peaks up to here.
MOST_PEAK = -1.0
_RELATIVE_GATE = -10.0
_BLOCK_SECONDS = 0.4
_OVERSAMPLING = 4


class Meter:
    """Measures loudness after ITU-R BS.1770-4, with the filters and blocks of pyloudnorm."""

    def __init__(self, rate: int) -> None:
        self.rate = rate

    def blocks(self, samples: Samples) -> list[float]:
        """The loudness in LUFS of each 0.4 s of samples of shape (n,), one each 0.1 s.

        Shorter audio is one block; no audio gives none.
        """
        from pyloudnorm import Meter as Blocks

        if not len(samples):
            return []
        # Half a sample less, so that rounding never asks for more than there is.
        seconds = min(_BLOCK_SECONDS, (len(samples) - 0.5) / self.rate)
        # The filters that match the coefficients of the standard; pyloudnorm's own are 0.06 LU off.
        meter = Blocks(self.rate, filter_class="DeMan", block_size=seconds)
        meter.integrated_loudness(np.asarray(samples))
        return [float(block) for block in meter.blockwise_loudness]

    def loudness(self, samples: Samples) -> float:
        """Integrated loudness in LUFS; SILENT for what is under the absolute gate, or empty."""
        return integrated(self.blocks(samples))


def integrated(blocks: Sequence[float]) -> float:
    """The loudness in LUFS of audio from that of its blocks, gated as BS.1770-4 says.

    Of blocks over -70 LUFS, those count that are at most 10 LU under the mean of them. SILENT when
    there are none.
    """
    heard = np.asarray([block for block in blocks if block >= SILENT], np.float64)
    if not len(heard):
        return SILENT
    power = 10.0 ** (heard / 10)
    gate = 10 * math.log10(float(power.mean())) + _RELATIVE_GATE
    return max(SILENT, 10 * math.log10(float(power[heard > gate].mean())))


def true_peak_db(samples: Samples, rate: int) -> float:
    """Peak in dBTP: that of the samples at four times their rate (BS.1770-4, annex 2)."""
    return max(peak_db(samples), peak_db(resample(np.asarray(samples), rate, _OVERSAMPLING * rate)))


def gain_db(samples: Samples, rate: int, loudness: float, target: float) -> float:
    """The gain in dB that brings audio of a known loudness to a target, both in LUFS.

    Where a peak would come over -1 dBTP the gain is smaller, and the audio stays quieter than the
    target: there is no limiter and no compressor, whose traces a voice would learn. What is silent
    stays as it is.
    """
    if loudness <= SILENT:
        return 0.0
    return min(target - loudness, MOST_PEAK - true_peak_db(samples, rate))


def normalised(samples: Samples, rate: int, loudness: float, target: float) -> Samples:
    """The samples of shape (n,) with `gain_db` applied."""
    return amplified(samples, gain_db(samples, rate, loudness, target))


def amplified(samples: Samples, gain: float) -> Samples:
    """The samples with a gain in dB."""
    return np.asarray(samples, np.float32) * np.float32(10.0 ** (gain / 20))
