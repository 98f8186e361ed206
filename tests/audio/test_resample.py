from __future__ import annotations

import numpy as np
import pytest
from helpers_audio import tone

from engine.audio.resample import Resampler, resample


@pytest.mark.parametrize(
    ("source", "target"), [(48_000, 22_050), (8_000, 16_000), (44_100, 16_000)]
)
def test_a_tone_stays_a_tone(source: int, target: int) -> None:
    result = resample(tone(1.0, source), source, target)
    assert len(result) == pytest.approx(target, abs=1)
    middle = slice(target // 10, -target // 10)
    assert np.allclose(result[middle], tone(1.0, target)[: len(result)][middle], atol=0.01)


def test_blocks_give_what_the_whole_gives() -> None:
    samples = tone(1.0, 44_100)
    resampler = Resampler(44_100, 16_000)
    parts = [resampler.push(block) for block in np.array_split(samples, 7)]
    parts.append(resampler.push(samples[:0], last=True))
    assert np.allclose(np.concatenate(parts), resample(samples, 44_100, 16_000), atol=1e-6)


def test_the_same_rate_changes_nothing() -> None:
    samples = tone(0.1, 16_000)
    assert np.array_equal(resample(samples, 16_000, 16_000), samples)
