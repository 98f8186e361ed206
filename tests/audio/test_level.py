from __future__ import annotations

import numpy as np
import pytest
from helpers_audio import tone

from engine.audio import level


def test_levels_of_a_sine() -> None:
    samples = tone(1.0, 16_000, hertz=1000.0, level=0.5)
    assert level.rms_db(samples) == pytest.approx(-9.03, abs=0.01)
    assert level.peak_db(samples) == pytest.approx(-6.02, abs=0.01)


def test_silence_has_a_level() -> None:
    assert level.rms_db(np.zeros(100, np.float32)) == level.SILENCE_DB
    assert level.peak_db(np.zeros(0, np.float32)) == level.SILENCE_DB


def test_frames_are_10_ms_and_the_last_may_be_short() -> None:
    samples = np.concatenate([tone(0.5, 16_000), np.zeros(16_000 // 2 + 5, np.float32)])
    levels = level.frame_levels(samples, 16_000)
    assert levels.shape == (101,)
    assert levels[:50] == pytest.approx(-9.0, abs=0.3)
    assert (levels[51:] == level.SILENCE_DB).all()


def test_long_audio_gives_the_same_levels_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    whole = level.frame_levels(samples, 16_000)
    monkeypatch.setattr(level, "_BLOCK_FRAMES", 7)
    assert np.array_equal(level.frame_levels(samples, 16_000), whole)


def test_fades_begin_and_end_at_zero_and_leave_the_middle() -> None:
    samples = np.ones(1000, np.float32)
    faded = level.fade(samples, 110)
    assert faded[0] == 0.0
    assert faded[-1] == 0.0
    assert (faded[110:-110] == 1.0).all()
    assert (np.diff(faded[:110]) > 0).all()
    assert (samples == 1.0).all()


def test_fades_of_very_short_audio_do_not_overlap() -> None:
    assert len(level.fade(np.ones(3, np.float32), 110)) == 3
