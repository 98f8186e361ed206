from __future__ import annotations

import numpy as np
import pytest
from helpers_faults import RATE, in_room, spans_of, speech, with_hiss

from engine.audio.excerpt import excerpt
from engine.audio.room import decay_seconds


def decay(samples: np.ndarray) -> float | None:
    return decay_seconds(excerpt(samples, RATE, spans_of(speech())))


@pytest.mark.parametrize("seconds", [0.4, 0.9])
@pytest.mark.parametrize("hiss", [-60.0, -40.0])
def test_rooms_are_told_by_their_decay(seconds: float, hiss: float) -> None:
    assert decay(with_hiss(in_room(speech(), seconds), hiss)) == pytest.approx(seconds, rel=0.2)


def test_a_long_decay_is_long() -> None:
    found = decay(in_room(speech(60.0), 1.2))
    assert found is not None
    assert 0.75 < found < 1.4


def test_dry_voices_die_away_fast() -> None:
    for dry in (speech(), with_hiss(speech(), -40.0), in_room(speech(), 0.2)):
        found = decay(dry)
        assert found is not None
        assert found < 0.3


def test_too_few_falls_tell_nothing() -> None:
    assert decay_seconds(()) is None
    assert decay_seconds(excerpt(np.zeros(200, np.float32), RATE, [])) is None
    steady = np.random.default_rng(0).standard_normal(10 * RATE).astype(np.float32)
    assert decay(steady) is None
