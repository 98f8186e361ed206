"""The order of clips and the layout of a batch."""

from __future__ import annotations

import numpy as np
import pytest

from engine.xtts import batches
from engine.xtts.batches import Tokens

IDS = Tokens(text_start=90, text_stop=0, code_start=70, code_stop=71)


@pytest.mark.parametrize(("clips", "size"), [(1, 4), (7, 3), (64, 4), (200, 8)])
def test_an_epoch_holds_every_clip_once(clips: int, size: int) -> None:
    lengths = np.random.default_rng(0).integers(20, 300, clips).tolist()
    order = batches.epoch_order(lengths, size, seed=1, epoch=0)
    assert sorted(clip for batch in order for clip in batch) == list(range(clips))
    assert max(map(len, order)) <= size


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    lengths = np.random.default_rng(0).integers(20, 300, 100).tolist()
    first = batches.epoch_order(lengths, 4, seed=1, epoch=0)
    assert batches.epoch_order(lengths, 4, seed=1, epoch=0) == first
    assert batches.epoch_order(lengths, 4, seed=1, epoch=1) != first
    assert batches.epoch_order(lengths, 4, seed=2, epoch=0) != first
    companions = {frozenset(batch) for batch in first}
    later = {frozenset(batch) for batch in batches.epoch_order(lengths, 4, seed=1, epoch=1)}
    assert len(companions & later) < len(companions) / 2


def test_buckets_waste_little() -> None:
    lengths = np.random.default_rng(0).integers(50, 300, 400)
    order = batches.epoch_order(lengths.tolist(), 8, seed=1, epoch=0)
    padded = sum(max(lengths[batch]) * len(batch) for batch in order)
    assert padded < 1.15 * lengths.sum()


def test_held_out_batches_never_move() -> None:
    assert batches.held_out_order([30, 10, 20], 2) == [[1, 2], [0]]


def test_a_row_is_laid_out_without_holes() -> None:
    texts = [np.array([5, 6]), np.array([7, 8, 9])]
    codes = [np.array([1, 2, 3]), np.array([4])]
    made = batches.tables(texts, codes, IDS)
    pool = np.concatenate([np.tile(np.arange(1000, 1032), (2, 1)), made.text, made.codes], axis=1)
    rows = np.take_along_axis(pool, made.order, axis=1)
    assert rows[0, 32 : 32 + 10].tolist() == [90, 5, 6, 70, 1, 2, 3, 71, 71, 71]
    assert rows[1, 32 : 32 + 9].tolist() == [90, 7, 8, 9, 70, 4, 71, 71, 71]
    flat = rows.reshape(-1)
    assert flat[made.text_positions].tolist() == [90, 5, 6, 90, 7, 8, 9]
    assert made.text_targets.tolist() == [5, 6, 0, 7, 8, 9, 0]
    assert flat[made.mel_positions].tolist() == [70, 1, 2, 3, 71, 71, 71, 70, 4, 71, 71, 71]
    assert made.mel_targets.tolist() == [1, 2, 3, 71, 71, 71, 71, 4, 71, 71, 71, 71]
    assert batches.targets_of(2, 3) == (3, 7)


def test_conditioning_comes_from_inside_the_clip() -> None:
    for samples in (22_050, 70_000, 140_000, 255_995):
        for epoch in range(20):
            start, end = batches.conditioning_span(samples, batches.generator(1, epoch, "clip"))
            assert 0 <= start < end <= samples
            assert end - start <= batches.MAX_CONDITIONING
    assert batches.conditioning_span(200_000, None) == (0, 99_225)
    assert batches.conditioning_span(50_000, None) == (0, 25_000)


def test_a_budget_fills_batches_with_as_many_clips_as_fit() -> None:
    lengths = np.random.default_rng(0).integers(20, 300, 200)
    order = batches.epoch_order(lengths.tolist(), 4, seed=1, epoch=0, budget=2000)
    assert sorted(clip for batch in order for clip in batch) == list(range(200))
    padded = [len(batch) * (max(lengths[batch]) + 37) for batch in order]
    assert max(padded) <= 2000
    assert sum(total > 1500 for total in padded) > 0.8 * len(order)
    assert batches.held_out_order([500, 10, 20], 1, budget=150) == [[1, 2], [0]]


def test_a_clip_larger_than_the_budget_stands_alone() -> None:
    assert batches.held_out_order([900, 900, 10], 4, budget=100) == [[2], [0], [1]]


@pytest.mark.parametrize(
    ("masking", "last", "masked"),
    [
        ("none", True, range(0)),
        ("per_clip", False, range(4, 6)),
        ("per_clip", True, range(4, 6)),
        ("coqui", False, range(0)),
        # 4096 // 256, and not behind the clip's own targets
        ("coqui", True, range(16, 24)),
    ],
)
def test_targets_that_the_voice_sample_holds(masking: str, last: bool, masked: range) -> None:
    assert batches.masked_targets(masking, (4096, 7000), 20, last=last) == masked


def test_masked_targets_never_hold_the_stop() -> None:
    assert batches.masked_targets("per_clip", (0, 99_000), 20, last=True) == range(20)
