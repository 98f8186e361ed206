from __future__ import annotations

import numpy as np
import pytest
from helpers_faults import (
    RATE,
    in_room,
    spans_of,
    speech,
    voice_level,
    with_hiss,
    with_hum,
    with_music,
)

from engine.audio.excerpt import excerpt
from engine.audio.music import music_share


def share(samples: np.ndarray, hum: int = 0) -> float | None:
    return music_share(excerpt(samples, RATE, spans_of(speech())), hum, voice_level(speech()))


@pytest.mark.parametrize("level", [-10.0, -30.0])
@pytest.mark.parametrize("hiss", [-60.0, -35.0])
def test_music_under_speech_is_found(level: float, hiss: float) -> None:
    found = share(with_hiss(with_music(speech(), level), hiss))
    assert found is not None
    assert found > 0.9


def test_music_under_a_part_is_a_share() -> None:
    half = 15 * RATE
    found = share(np.concatenate([speech()[:half], with_music(speech(), -20.0)[half:]]))
    assert found == pytest.approx(0.5, abs=0.2)


def test_what_is_no_music_is_not_taken_for_it() -> None:
    assert share(speech()) == 0.0
    assert share(with_hiss(speech(), -20.0)) == 0.0
    assert share(in_room(speech(), 0.6)) == 0.0
    assert share(with_hum(speech(), 50, -20.0), hum=50) == 0.0


def test_music_that_nobody_hears_does_not_count() -> None:
    assert share(with_music(speech(), -70.0)) == 0.0


def test_without_pauses_nobody_knows() -> None:
    assert music_share((), 0, -20.0) is None
