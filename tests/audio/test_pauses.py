from __future__ import annotations

import numpy as np
import pytest
from helpers_audio import tone

from engine.audio.level import frame_levels
from engine.audio.pauses import pause_levels

RATE = 16_000


def test_hum_does_not_fill_the_pauses() -> None:
    hum = tone(3.0, RATE, 50.0, 0.1) + tone(3.0, RATE, 100.0, 0.05)
    voice = np.zeros(3 * RATE, np.float32)
    voice[RATE : 2 * RATE] = tone(1.0, RATE, 600.0, 0.1)
    levels = pause_levels(hum + voice, RATE)
    assert levels[120:180].mean() == pytest.approx(frame_levels(voice, RATE)[150], abs=0.5)
    assert levels[20:90].mean() < levels[120:180].mean() - 20
    assert levels[220:290].mean() < levels[120:180].mean() - 20


def test_blocks_leave_no_seams_and_the_last_frame_may_be_short() -> None:
    noise = np.random.default_rng(1).standard_normal(70 * RATE + 7).astype(np.float32)
    levels = pause_levels(noise, RATE)
    assert len(levels) == 7_001
    assert levels.std() < 1.0
    shifted = pause_levels(noise[RATE:], RATE)
    assert np.abs(shifted[100:-100] - levels[200:-100]).max() < 0.01


def test_nothing_has_no_levels() -> None:
    assert len(pause_levels(np.zeros(0, np.float32), RATE)) == 0
