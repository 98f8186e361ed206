"""How much of a recording is clipped: waves whose tops were cut off flat."""

from __future__ import annotations

import numpy as np

from engine.audio.decode import Samples

_BINS = 200
# Flat tops are never quite flat after a change of the rate or an mp3: they ripple by some percent.
_WIDTH = 14
# Under this share of the peak nobody looks for a ceiling: a click may be so much louder.
_LOWEST = 60
_MOST_CHANCE = 3.0
_LEAST_RATIO = 1.5


def clipped_share(samples: Samples) -> float:
    """The share of samples of shape (n,), 0 to 1, whose wave was cut off at a ceiling.

    Speech has ever fewer samples the higher the level. Where a band of levels (7 % of the peak
    wide) holds many more than the band below it, the samples in excess were pushed there by a
    ceiling. So it is found at any level, also when a clipped recording was made quieter, resampled
    or encoded later, and on one side of the wave alone. Shares under 1 % come out too small by a
    third, and below about 0.2 % they cannot be told from chance. A limiter's or compressor's work
    is not taken for clipping, but a steady tone is: its own tops are flat.
    """
    return sum(_excess(side[side > 0]) for side in (samples, -samples)) / max(1, len(samples))


def _excess(levels: Samples) -> float:
    """How many samples more than speech has lie under a ceiling, 0 where there is none."""
    peak = float(np.max(levels, initial=0.0))
    if peak == 0.0:
        return 0.0
    places = np.minimum((levels * (_BINS / peak)).astype(np.int32), _BINS - 1)
    below = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=_BINS))])
    starts = np.arange(_LOWEST, _BINS - _WIDTH + 1)
    inside = below[starts + _WIDTH] - below[starts]
    before = below[starts] - below[starts - _WIDTH]
    # Counts scatter by their square root.
    excess = inside - before - _MOST_CHANCE * np.sqrt(inside + before)
    excess[inside < _LEAST_RATIO * before] = 0.0
    best = int(np.argmax(excess))
    return float(inside[best] - before[best]) if excess[best] > 0.0 else 0.0
