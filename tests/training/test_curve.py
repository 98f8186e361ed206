"""Noisy held-out losses whose course is known, made from formulas, and what is said of them."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from engine.training.curve import Curve
from engine.training.verdict import judge

NOISES = (0.001, 0.003, 0.01)
LENGTHS = (12, 24, 48)
SEEDS = range(3)

VERDICTS = {
    "falling": "falling",
    "falling with spikes": "falling",
    "falling slowly": "slow",
    "flat": "flat",
    "flat with spikes": "flat",
    "overtraining": "rising",
    "diverging": "diverging",
}


def made(course: str, count: int, noise: float, seed: int) -> list[float]:
    """`count` losses; `noise` is the standard deviation as a share of the loss."""
    rng = random.Random(f"{course} {count} {noise} {seed}")
    start = rng.uniform(2.5, 5.0)
    losses = [start * share for share in _shares(course, count, rng)]
    losses = [loss * (1 + rng.gauss(0.0, noise)) for loss in losses]
    if course.endswith("spikes"):
        for place in rng.sample(range(2, count), count // 10):
            losses[place] *= 1 + rng.uniform(0.1, 0.4)
    return losses


def _shares(course: str, count: int, rng: random.Random) -> list[float]:
    """The losses without noise, as shares of the first one or about that."""
    rate, slow = rng.uniform(0.006, 0.01), rng.uniform(0.001, 0.002)
    turn, depth = rng.uniform(0.35, 0.65), rng.uniform(0.15, 0.35)
    rise, apart = rng.uniform(0.04, 0.12), rng.uniform(0.6, 1.5)
    shares = []
    for place in range(count):
        part = place / (count - 1)
        late = max(0.0, (part - turn) / (1 - turn))
        early = min(1.0, part / turn)
        match course.partition(" with")[0]:
            case "falling":
                shares.append(math.exp(-rate * place))
            case "falling slowly":
                quick = 1 + 0.25 * math.exp(-16 * part)
                shares.append(quick * math.exp(-slow * place))
            case "flat":
                shares.append(1 + 0.35 * math.exp(-16 * part))
            case "overtraining":
                low = 1 - depth * (1 - (1 - early) ** 2)
                shares.append(low * (1 + rise * late))
            case "diverging":
                shares.append((1 - 0.1 * early) * (1 + apart * late**1.5))
    return shares


def _can_be_seen(course: str, count: int, noise: float) -> bool:
    """A slow fall of 0.1 % for each loss is lost in noise when it is short."""
    return course != "falling slowly" or noise * 1000 <= count / 12


CURVES = [
    (course, count, noise, seed)
    for course in VERDICTS
    for count in LENGTHS
    for noise in NOISES
    for seed in SEEDS
    if _can_be_seen(course, count, noise)
]


def test_at_least_ninety_five_of_a_hundred_are_judged_right() -> None:
    wrong = Counter(
        f"{course} ({count} losses, noise {noise}): {said}"
        for course, count, noise, seed in CURVES
        if (said := judge(made(course, count, noise, seed)).kind) != VERDICTS[course]
    )
    right = 1 - wrong.total() / len(CURVES)
    assert len(CURVES) >= 150
    assert right >= 0.95, f"{right:.1%} of {len(CURVES)}; {dict(wrong)}"


@pytest.mark.parametrize("course", VERDICTS)
def test_no_course_is_judged_badly(course: str) -> None:
    own = [each for each in CURVES if each[0] == course]
    right = sum(judge(made(*each)).kind == VERDICTS[course] for each in own)
    assert right >= 0.85 * len(own)


def test_the_rise_is_said_to_begin_at_the_bottom() -> None:
    for seed in range(5):
        losses = made("overtraining", 48, 0.003, seed)
        lowest = losses.index(min(losses))
        verdict = judge(losses)
        assert verdict.best_index == lowest
        assert abs(verdict.since_index - lowest) <= 8


def test_flat_is_said_since_the_fall_ended() -> None:
    losses = [3.0 - 0.1 * n for n in range(8)] + [2.2, 2.201, 2.199, 2.2, 2.2, 2.201]
    verdict = judge(losses)
    assert verdict.kind == "flat"
    assert 6 <= verdict.since_index <= 8


def test_a_fall_that_just_ended_is_seen_soon_when_there_is_little_noise() -> None:
    falling = [4.0 * 0.98**n for n in range(12)]
    assert judge(falling).kind == "falling"
    assert judge([*falling, *[falling[-1]] * 4]).kind == "flat"


def test_one_high_loss_at_the_end_says_nothing_yet() -> None:
    falling = [4.0 * 0.98**n for n in range(12)]
    assert judge([*falling, 4.5]).kind == "falling"
    assert judge([*falling, 4.5, 4.6]).kind in ("rising", "diverging")


def test_noise_is_measured_beside_a_steep_fall() -> None:
    rng = random.Random(5)
    clean = [3 + 2 * math.exp(-n / 6) for n in range(60)]
    assert Curve.of(clean).noise < 1e-6
    noisy = [loss + rng.gauss(0, 0.02) for loss in clean]
    assert Curve.of(noisy).noise == pytest.approx(0.02, rel=0.3)
    assert Curve.of(noisy).window > Curve.of(clean).window


def test_losses_of_zero_are_flat() -> None:
    assert judge([0.0] * 12).kind == "flat"


def test_a_thousand_losses_are_judged_at_once() -> None:
    assert judge(made("overtraining", 1000, 0.005, 1)).kind == "rising"
