"""The course of a noisy curve of losses: its noise, where it is, and how fast it still falls.

Spikes are taken out first. The noise is what is left over by the best curve that only falls and
then only rises. The newest losses are then compared with those before in windows that are as wide as
the noise asks for: a few losses of a calm curve, many of a noisy one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean, median

# A loss is a spike when it stands above its neighbours by both of these: a share of their height,
# and a multiple of what is usual between neighbours.
_SPIKE_SHARE = 0.03
_SPIKE_TIMES = 5.0
# The median of absolute deviations is this share of a normal standard deviation.
_MEDIAN_SHARE = 0.6745
# A difference counts from so many of its standard errors on, and a single loss a little later.
_COUNTS = 3.0
_COUNTS_ALONE = 3.5
# The window is wide enough to see a fall of the second share for each loss at this significance.
_WINDOW_COUNTS = 5.0
_WINDOW_FALL = 0.001
_NARROWEST = 3
# The fall has ended when the newest losses fell by less than this share of what they would have.
_ENDED = 0.2


@dataclass(frozen=True)
class Curve:
    """Losses without spikes; `noise` is their standard deviation, `window` a number of losses.

    `means` are those of all windows in their order.
    """

    losses: tuple[float, ...]
    noise: float
    window: int
    means: tuple[float, ...]

    @classmethod
    def of(cls, losses: Sequence[float]) -> Curve:
        """At least six finite losses, oldest first."""
        calm = _without_spikes(losses)
        noise = _noise(calm)
        # The standard error of a fall over a window of w is noise x sqrt(2 / w), and the fall w x rate.
        least = _WINDOW_FALL * abs(fmean(calm[-_NARROWEST:]))
        wanted = (_WINDOW_COUNTS * math.sqrt(2) * noise / least) ** (2 / 3) if least else math.inf
        window = max(_NARROWEST, math.ceil(min(wanted, len(calm) // 3)))
        sums = [0.0, *accumulate(calm)]
        means = [(sums[i + window] - sums[i]) / window for i in range(len(calm) - window + 1)]
        return cls(tuple(calm), noise, window, tuple(means))

    @property
    def _error(self) -> float:
        """The standard error of a difference between two windows."""
        return self.noise * math.sqrt(2 / self.window)

    def has_risen(self, share: float) -> bool:
        """Whether the newest losses are above the lowest window by the share, and by more than noise."""
        low = min(self.means)
        least = share * abs(low)
        window_rose = self.means[-1] - low > max(least, _COUNTS_ALONE * self._error)
        both_rose = min(self.losses[-2:]) - low > max(least, _COUNTS_ALONE * self.noise)
        return window_rose or both_rose

    def last_low(self) -> int:
        """The place of the last loss that is as low as the lowest window."""
        low = min(self.means)
        return max(place for place, loss in enumerate(self.losses) if loss <= low)

    def fall_rate(self) -> float:
        """The fall for each loss at the end, as a share of the loss; 0 when it is only noise."""
        before, recent = self.means[-1 - self.window], self.means[-1]
        fall = before - recent
        if fall <= _COUNTS * self._error or self._has_ended(fall / self.window):
            return 0.0
        return fall / self.window / abs(recent) if recent else math.inf

    def _has_ended(self, rate: float) -> bool:
        """Whether the newest losses stand still, though noise would let a fall of `rate` be seen."""
        half = max(4, self.window + 1) // 2
        fell = fmean(self.losses[-2 * half : -half]) - fmean(self.losses[-half:])
        expected = rate * half
        missing = expected - fell
        return fell < _ENDED * expected and missing > _COUNTS * self.noise * math.sqrt(2 / half)

    def level_since(self, share: float) -> int:
        """The place since which all windows are as high as the newest one, within share and noise."""
        recent = self.means[-1]
        margin = max(share * abs(recent), _COUNTS * self._error)
        away = [place for place, mean in enumerate(self.means) if abs(mean - recent) > margin]
        return away[-1] + 1 if away else 0

    def highest(self) -> int:
        return self.losses.index(max(self.losses))


def _without_spikes(losses: Sequence[float]) -> list[float]:
    """Losses that stand out above their neighbours, lowered to them. The first one is left."""
    usual = [median(losses[max(0, i - 2) : i + 3]) for i in range(len(losses))]
    # What comes after the newest one is not known yet: one high loss alone is no rise.
    usual[0], usual[-1] = losses[0], max(losses[-3:-1])
    inner = [abs(loss - here) for loss, here in zip(losses[1:-1], usual[1:-1], strict=True)]
    scale = _SPIKE_TIMES * median(inner) / _MEDIAN_SHARE
    return [
        here if loss - here > max(scale, _SPIKE_SHARE * abs(here)) else loss
        for loss, here in zip(losses, usual, strict=True)
    ]


def _noise(losses: Sequence[float]) -> float:
    """The standard deviation around the best curve that only falls and then only rises."""
    falling, rising = _misfits(losses), _misfits(losses[::-1])
    squares, pieces = min(
        (left[0] + right[0], left[1] + right[1])
        for left, right in zip(falling, reversed(rising), strict=True)
    )
    return math.sqrt(squares / max(1, len(losses) - pieces))


def _misfits(losses: Sequence[float]) -> list[tuple[float, int]]:
    """For the first 0, 1, 2 … losses: how far the best falling steps are from them, and how many.

    Isotonic regression by pooling adjacent violators; that all beginnings come out of one pass is
    Stout's observation ("Unimodal regression via prefix isotonic regression", 2008).
    """
    found = [(0.0, 0)]
    steps: list[tuple[int, float, float, float]] = []
    misfit = 0.0
    for loss in losses:
        count, total, squares = 1, loss, loss * loss
        while steps and steps[-1][1] / steps[-1][0] <= total / count:
            pooled = steps.pop()
            misfit -= pooled[3]
            count, total, squares = count + pooled[0], total + pooled[1], squares + pooled[2]
        own = max(0.0, squares - total * total / count)
        steps.append((count, total, squares, own))
        misfit += own
        found.append((max(0.0, misfit), len(steps)))
    return found
