"""The batch that fits, from what measured steps took."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from engine.events import Planned
from engine.settings import TrainingSettings
from engine.training.memory import RESERVE_BYTES
from engine.training.plan import planned

GB = 1_000_000_000


def plan(free: float, peaks: tuple[float, ...] = (9, 10.5), **changed: Any) -> Planned:
    """7.5 GB whatever the batch, and 1.5 GB for each clip, unless other peaks are given."""
    settings = TrainingSettings(**{"batch_size": 8, "accumulation": 2} | changed)
    return planned(
        settings,
        [round(peak * GB) for peak in peaks],
        device="cuda",
        precision="bf16",
        longest_seconds=10.94,
        clips=100,
        wanted_batch=settings.batch_size,
        free=round(free * GB),
        total=24 * GB,
    )


def test_the_largest_batch_that_fits_keeps_the_effective_batch() -> None:
    found = plan(23)
    assert (found.fixed_bytes, found.clip_bytes) == (7.5 * GB, 1.5 * GB)
    # 7.5 GB, 8 x 1.5 GB and the reserve of 0.5 GB.
    assert (found.batch_size, found.accumulation, found.needed_bytes) == (8, 2, 19.5 * GB)
    assert plan(20).batch_size == 8
    assert (plan(19.99).batch_size, plan(19.99).accumulation) == (4, 4)
    assert plan(40).batch_size == 16, "more than was asked for at a time, and fewer batches"
    for free in range(8, 40):
        each = plan(free)
        assert each.batch_size * each.accumulation == 16
        if each.fits:
            assert each.needed_bytes + RESERVE_BYTES["cuda"] <= free * GB


def test_what_other_programs_hold_is_not_there() -> None:
    assert plan(23).batch_size > plan(23 - 8).batch_size
    assert "23.0 GB on the GPU are free" in plan(23).why


def test_where_not_one_clip_fits_the_plan_says_so() -> None:
    found = plan(9.4)
    assert (found.fits, found.batch_size, found.accumulation) == (False, 1, 16)
    assert "longest clips (10.9 s): one clip at a time take 9.0 GB" in found.why
    assert "gradient_checkpointing=true" in found.why


def test_without_a_second_measurement_one_clip_is_all() -> None:
    found = plan(23, peaks=(9,))
    assert (found.batch_size, found.accumulation, found.fits) == (1, 16, True)


def test_no_batch_is_larger_than_the_data() -> None:
    settings = TrainingSettings(batch_size=4, accumulation=8)
    found = planned(
        settings, [GB, GB], device="cpu", precision="fp32", longest_seconds=3.0, clips=6,
        wanted_batch=4, free=20 * GB, total=20 * GB,
    )  # fmt: skip
    assert (found.batch_size, found.accumulation) == (4, 8)


def test_a_token_budget_shrinks_with_the_batch() -> None:
    found = plan(15, batch_tokens=4_000)
    assert (found.batch_size, found.batch_tokens) == (4, 2_000)


@pytest.mark.parametrize("free", [9.4, 23])
def test_a_plan_is_plain_numbers(free: float) -> None:
    values = dataclasses.asdict(plan(free))
    assert Planned(**values) == plan(free)
