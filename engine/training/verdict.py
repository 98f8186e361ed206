"""What the held-out losses say: whether more training helps.

The losses are of the same clips each time, so that small differences count. Few of them are judged
one by one, as the tables of the XTTS fine-tuning guide are; more of them by what stands out of their
noise (`engine.training.curve`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from engine.events import Evaluated
from engine.training.curve import Curve

# A loss is an improvement when it is lower by this share; and it is higher than the best only when
# it is so by the second one. The tables of the XTTS fine-tuning guide ("Understanding model
# training results") call 3.5, 3.5 no progress and 3.5, 3.6 a rise.
_IMPROVED = 0.005
_WORSE = 0.01
# One evaluation that is no better says nothing yet.
_PATIENCE = 2
# A rise this far above the first loss is no overtraining: the training has come apart.
_APART = 1.25
# From here on the noise of the losses can be told from their course.
_MANY = 8
# A fall by less than the first share for each evaluation is slow, by less than the second none.
_QUICK = _IMPROVED / _PATIENCE
_SLOWEST = 0.0003

Kind = Literal["early", "falling", "slow", "waiting", "flat", "rising", "diverging", "broken"]


@dataclass(frozen=True)
class Verdict:
    """What a list of losses says; the indices are those of the list.

    `kind`: "early" (fewer than two losses), "falling", "slow" (still falling, by less than counts
    each time), "waiting" (the newest is no better, which says nothing yet), "flat", "rising"
    (overtraining), "diverging" (risen far above the first), "broken" (the newest is not a finite
    number). `since_index` is where that began, the last one before the rise for "rising" and
    "diverging". `best_index` is the first of the lowest; None without a finite loss.
    """

    kind: Kind
    since_index: int
    best_index: int | None


def judge(losses: Sequence[float]) -> Verdict:
    """The verdict on held-out losses in their order; those that are not finite are passed over."""
    finite = [(index, loss) for index, loss in enumerate(losses) if math.isfinite(loss)]
    if not finite:
        return Verdict("broken" if losses else "early", 0, None)
    best_index, _ = min(finite, key=lambda pair: pair[1])
    newest_index = finite[-1][0]
    if newest_index != len(losses) - 1:
        return Verdict("broken", newest_index + 1, best_index)
    if len(finite) == 1:
        return Verdict("early", newest_index, best_index)
    if len(finite) < _MANY:
        kind, since = _of_few(finite)
    else:
        kind, place = _of_many([loss for _, loss in finite])
        since = finite[place][0]
    if kind == "rising" and finite[-1][1] > finite[0][1] + (_APART - 1) * abs(finite[0][1]):
        kind = "diverging"
    return Verdict(kind, since, best_index)


def _of_few(finite: list[tuple[int, float]]) -> tuple[Kind, int]:
    """The verdict on losses one by one, and the index since which it holds."""
    best_index, best = min(finite, key=lambda pair: pair[1])
    newest_index, newest = finite[-1]
    after_best = sum(index > best_index for index, _ in finite)
    if after_best >= _PATIENCE and newest > best + _WORSE * abs(best):
        near = [index for index, loss in finite if loss <= best + _IMPROVED * abs(best)]
        return "rising", near[-1]
    improved = _last_improvement(finite)
    stale = sum(index > improved for index, _ in finite)
    if stale >= _PATIENCE:
        if best_index == newest_index and _fell_each_time(finite[-_PATIENCE - 1 :]):
            return "slow", _fall_began(finite)
        return "flat", improved
    if stale and newest >= finite[-2][1]:
        return "waiting", improved
    return "falling", _fall_began(finite)


def _last_improvement(finite: list[tuple[int, float]]) -> int:
    """The index of the last loss that was clearly lower than all before."""
    index, lowest = finite[0]
    for at, loss in finite:
        if loss < lowest - _IMPROVED * abs(lowest):
            index, lowest = at, loss
    return index


def _fell_each_time(finite: list[tuple[int, float]]) -> bool:
    return all(before > loss for (_, before), (_, loss) in pairwise(finite))


def _fall_began(finite: list[tuple[int, float]]) -> int:
    place = len(finite) - 1
    while place and finite[place - 1][1] >= finite[place][1]:
        place -= 1
    return finite[place][0]


def _of_many(losses: list[float]) -> tuple[Kind, int]:
    """The verdict on losses by what stands out of their noise, and the place since which it holds."""
    curve = Curve.of(losses)
    if curve.has_risen(_WORSE):
        return "rising", curve.last_low()
    rate = curve.fall_rate()
    if rate < _SLOWEST:
        return "flat", curve.level_since(_IMPROVED)
    return ("falling" if rate >= _QUICK else "slow"), curve.highest()


def overtrained_at(evaluations: Sequence[Evaluated]) -> int | None:
    """The step after which the held-out loss rose; None while it does not."""
    verdict = judge([evaluation.loss for evaluation in evaluations])
    return evaluations[verdict.since_index].step if verdict.kind == "rising" else None
