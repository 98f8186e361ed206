from __future__ import annotations

import numpy as np
import pytest

from engine.audio.excerpt import MOST_PARTS, PART_SECONDS, excerpt
from engine.audio.speech import Span

RATE = 100


def recording(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE), dtype=np.float32)


def test_a_short_recording_is_taken_whole() -> None:
    samples = recording(65.0)
    parts = excerpt(samples, RATE, [Span(10.0, 25.0), Span(50.0, 60.0)])
    assert np.array_equal(np.concatenate([part.samples for part in parts]), samples)
    assert [part.start for part in parts] == [0.0, 20.0, 40.0, 60.0]
    assert parts[0].speech == (Span(10.0, 20.0),)
    assert parts[1].speech == (Span(0.0, 5.0),)
    ((first, last),) = parts[1].pauses
    assert (first, last) == pytest.approx((5.1, 20.0))
    assert (parts[1].between(Span(5.0, 6.0)) == samples[2500:2600]).all()


def test_of_a_long_one_parts_are_taken_where_somebody_speaks() -> None:
    spans = [Span(3600.0 + 10 * n, 3606.0 + 10 * n) for n in range(100)] + [Span(35_000, 35_030)]
    parts = excerpt(recording(36_000.0), RATE, spans)
    assert 0.8 * MOST_PARTS <= len(parts) <= MOST_PARTS
    assert all(len(part.samples) == PART_SECONDS * RATE for part in parts)
    assert all(part.speech for part in parts)
    starts = [part.start for part in parts]
    assert min(np.diff(starts)) >= PART_SECONDS
    assert parts[0].start < 3700
    assert parts[-1].start > 34_900


@pytest.mark.parametrize("seconds", [0.0, 0.5, 600.0, 600.5, 5_000.0])
def test_recordings_without_speech_are_spread_evenly(seconds: float) -> None:
    parts = excerpt(recording(seconds), RATE, [])
    assert sum(len(part.samples) for part in parts) <= PART_SECONDS * MOST_PARTS * RATE
    assert bool(parts) == bool(seconds)
    assert all(part.start + len(part.samples) / RATE <= seconds + 1e-6 for part in parts)
    if seconds > 1_000:
        assert parts[-1].start > 0.9 * seconds
