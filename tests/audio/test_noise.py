from __future__ import annotations

import numpy as np
import pytest
from helpers_faults import RATE, spans_of, speech, voice_level, with_hiss, with_hum, with_music

from engine.audio.excerpt import excerpt
from engine.audio.noise import Spectrum, hiss_db, hum, pause_spectrum


def spectrum_of(samples: np.ndarray) -> Spectrum:
    found = pause_spectrum(excerpt(samples, RATE, spans_of(speech())))
    assert found is not None
    return found


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("level", [-20.0, -45.0])
@pytest.mark.parametrize("hiss", [-60.0, -40.0])
def test_hum_is_found_with_its_frequency_and_level(mains: int, level: float, hiss: float) -> None:
    # 60 Hz in a mains net is 59.9 at times.
    found, loud = hum(spectrum_of(with_hum(with_hiss(speech(), hiss), mains * 0.999, level)))
    assert found == mains
    assert loud is not None
    assert loud - voice_level(speech()) == pytest.approx(level, abs=2.0)


@pytest.mark.parametrize(
    "make", [lambda x: x, lambda x: with_hiss(x, -20), lambda x: with_music(x, -15)]
)
def test_without_hum_there_is_none(make) -> None:  # type: ignore[no-untyped-def]
    assert hum(spectrum_of(make(speech()))) == (0, None)


@pytest.mark.parametrize("level", [-50.0, -35.0, -20.0])
def test_hiss_has_the_level_of_the_noise_over_2000_hertz(level: float) -> None:
    found = hiss_db(spectrum_of(with_hiss(speech(), level)), 8_000.0)
    # White noise up to 11,025 Hz has 54 % of its power between 2,000 and 8,000 Hz.
    expected = level + 10 * np.log10(6_000 / 11_025)
    assert found is not None
    assert found - voice_level(speech()) == pytest.approx(expected, abs=2.0)


def test_hum_is_no_hiss_and_a_narrow_voice_has_none() -> None:
    clean, humming = spectrum_of(speech()), spectrum_of(with_hum(speech(), 50, -20.0))
    before, after = hiss_db(clean, 8_000.0), hiss_db(humming, 8_000.0)
    assert before is not None
    assert after == pytest.approx(before, abs=1.0)
    assert hiss_db(clean, 1_500.0) is None


def test_without_pauses_nobody_knows() -> None:
    assert pause_spectrum(()) is None
    assert (
        pause_spectrum(excerpt(speech(), RATE, [spans_of(speech())[0]._replace(start=0, end=30)]))
        is None
    )
