"""Changes of the sample rate (soxr), for whole arrays and for streams of blocks."""

from __future__ import annotations

import numpy as np
import soxr

from engine.audio.decode import Samples


class Resampler:
    """Resamples blocks of shape (n,) from `source` Hz to `target` Hz without seams."""

    def __init__(self, source: int, target: int) -> None:
        same = source == target
        self._stream = None if same else soxr.ResampleStream(source, target, 1, dtype="float32")

    def push(self, block: Samples, *, last: bool = False) -> Samples:
        """The samples that are ready after this block; `last` gives all that remain."""
        if self._stream is None:
            return block
        return np.asarray(self._stream.resample_chunk(block, last=last), np.float32)


def resample(samples: Samples, source: int, target: int) -> Samples:
    """Samples of shape (n,) at another rate, shape (round(n * target / source),)."""
    return Resampler(source, target).push(samples, last=True)
