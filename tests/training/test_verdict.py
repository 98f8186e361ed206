"""The verdict on held-out losses, with the tables of the XTTS fine-tuning guide."""

from __future__ import annotations

import math

import pytest

from engine.events import Evaluated
from engine.training.verdict import Verdict, judge, overtrained_at

GOOD_PROGRESSION = [4.0, 3.5, 3.0, 2.8]
OVERTRAINING = [2.7, 2.8, 2.9]
RECOGNIZING = [4.5, 3.8, 3.5, 3.5, 3.6]


def test_good_progression_of_the_guide() -> None:
    assert judge(GOOD_PROGRESSION) == Verdict("falling", 0, 3)


def test_overtraining_of_the_guide() -> None:
    assert judge(OVERTRAINING) == Verdict("rising", 0, 0)


def test_overtraining_seen_after_the_good_progression() -> None:
    assert judge(GOOD_PROGRESSION + OVERTRAINING) == Verdict("rising", 4, 4)


def test_recognizing_overtraining_of_the_guide() -> None:
    assert judge(RECOGNIZING[:3]) == Verdict("falling", 0, 2)
    assert judge(RECOGNIZING[:4]).kind == "waiting"
    # Epoch 3 is the best, epoch 4 as good; after that it rises.
    assert judge(RECOGNIZING) == Verdict("rising", 3, 2)


@pytest.mark.parametrize(
    ("losses", "kind", "since"),
    [
        ([], "early", 0),
        ([3.0], "early", 0),
        # The newest is the best and each one fell: slow, and not flat.
        ([3.0, 2.9, 2.899, 2.898], "slow", 0),
        ([3.0, 2.9, 2.9, 2.899], "flat", 1),
        ([3.0, 2.9, 2.91, 2.905, 2.902], "flat", 1),
        ([3.0, 2.9, 2.91, 2.905], "flat", 1),
        # A slow but steady fall is one.
        ([3.0 * 0.997**n for n in range(12)], "falling", 0),
        # A rise that wavers is still a rise.
        ([2.7, 2.9, 3.1, 3.3, 3.25], "rising", 0),
        ([4.0, 3.0, 3.2], "waiting", 1),
        ([4.0, 3.0, 3.2, 2.8], "falling", 2),
        ([0.0, 0.0, 0.0], "flat", 0),
    ],
)
def test_verdicts(losses: list[float], kind: str, since: int) -> None:
    verdict = judge(losses)
    assert (verdict.kind, verdict.since_index) == (kind, since)


def test_losses_that_are_no_numbers() -> None:
    assert judge([math.nan]) == Verdict("broken", 0, None)
    assert judge([3.0, 2.5, math.inf, math.nan]) == Verdict("broken", 2, 1)
    # What came before and is over does not count.
    assert judge([3.0, math.nan, 2.5]) == Verdict("falling", 0, 2)


def test_overtrained_at_names_the_step_before_the_rise() -> None:
    def evaluations(losses: list[float]) -> list[Evaluated]:
        return [
            Evaluated(40 * (n + 1), n + 1, loss, 0.02, loss - 0.02, 2.0, loss - 0.02, False, 1.0)
            for n, loss in enumerate(losses)
        ]

    assert overtrained_at(evaluations(RECOGNIZING)) == 160
    assert overtrained_at(evaluations(GOOD_PROGRESSION)) is None
    assert overtrained_at([]) is None
