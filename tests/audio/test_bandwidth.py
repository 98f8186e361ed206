from __future__ import annotations

import numpy as np
import pytest
from helpers_faults import RATE, speech, through_phone, with_hiss

from engine.audio.bandwidth import MOST_HERTZ, band_powers, ceiling_hertz


def bandwidth(samples: np.ndarray) -> float:
    return ceiling_hertz([band_powers(samples)])


@pytest.mark.parametrize("hertz", [3_000, 4_000, 5_500])
def test_the_ceiling_is_where_the_voice_ends(hertz: int) -> None:
    # A resampler begins to fall off at nine tenths of what it can hold.
    assert 0.88 * hertz <= bandwidth(through_phone(speech(), hertz)) <= 1.02 * hertz


def test_a_whole_voice_reaches_as_far_as_its_recording() -> None:
    # The demo's speech was made at 16,000 Hz.
    assert 7_000 < bandwidth(speech()) < 8_000
    noise = np.random.default_rng(1).standard_normal(10 * RATE).astype(np.float32) / 8
    bursts = noise * (np.arange(10 * RATE) % RATE < RATE // 2)
    assert bandwidth(bursts) == pytest.approx(MOST_HERTZ, abs=1)


@pytest.mark.parametrize("level", [-60.0, -45.0, -35.0])
def test_hiss_over_a_phone_call_is_not_its_voice(level: float) -> None:
    assert bandwidth(with_hiss(through_phone(speech()), level)) == pytest.approx(4_000, abs=250)


def test_quiet_and_short_recordings_have_their_ceiling() -> None:
    phone = through_phone(speech())
    quiet = np.round(phone * 0.03 * 32767) / np.float32(32767)
    assert bandwidth(quiet.astype(np.float32)) == pytest.approx(4_000, abs=250)
    assert bandwidth(phone[2 * RATE : 3 * RATE]) == pytest.approx(4_000, abs=350)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(5_000, np.float32)])
def test_silence_has_no_bandwidth(samples: np.ndarray) -> None:
    assert bandwidth(samples) == 0.0
