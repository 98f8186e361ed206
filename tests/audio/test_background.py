from __future__ import annotations

import numpy as np
import pytest
from helpers_faults import levels_of, spans_of, speech, voice_level, with_hiss

from engine.audio.background import MOST_SNR, Background, pauses
from engine.audio.speech import Span


@pytest.mark.parametrize("level", [-40.0, -25.0, -12.0])
def test_snr_is_that_of_added_noise(level: float) -> None:
    background = Background(levels_of(with_hiss(speech(), level)), spans_of(speech()))
    assert background.snr is not None
    # Half a decibel for what of the noise lies over 8,000 Hz, more for where speech begins.
    assert background.snr == pytest.approx(-level + 1.5, abs=2.0)
    assert background.voice == pytest.approx(voice_level(speech()), abs=1.5)


def test_snr_of_a_clip_is_that_of_its_neighbourhood() -> None:
    noisy = np.concatenate([with_hiss(speech(), -40.0), with_hiss(speech(), -15.0)])
    spans = [*spans_of(speech()), *(Span(a + 30, b + 30) for a, b in spans_of(speech()))]
    background = Background(levels_of(noisy), spans)
    quiet, loud = (background.snr_of(at, at + 5.0) for at in (10.0, 45.0))
    assert quiet is not None
    assert loud is not None
    assert quiet - loud == pytest.approx(25.0, abs=4.0)


def test_more_than_an_ear_can_tell_is_not_told() -> None:
    silent = speech() * (np.abs(speech()) > 0.001)
    background = Background(levels_of(silent.astype(np.float32)), spans_of(speech()))
    assert background.snr == MOST_SNR


def test_without_speech_or_pauses_nobody_knows() -> None:
    levels = levels_of(speech())
    assert Background(levels, []).snr is None
    assert Background(np.zeros(0, np.float32), []).noise is None
    steady = np.full(500, -20.0, np.float32)
    assert Background(steady, [Span(0.0, 5.0)]).snr is None
    assert Background(steady, [Span(0.0, 5.0)]).snr_of(1.0, 2.0) is None


def test_words_that_the_detector_missed_are_not_noise() -> None:
    spans = spans_of(speech())
    missed = [span for number, span in enumerate(spans) if number % 6]
    whole, less = (Background(levels_of(with_hiss(speech(), -40.0)), s) for s in (spans, missed))
    assert whole.snr is not None
    assert less.snr == pytest.approx(whole.snr, abs=1.0)


def test_pauses_keep_away_from_speech() -> None:
    spans = [Span(1.0, 2.0), Span(2.15, 3.0), Span(4.0, 5.0)]
    found = [(round(a, 2), round(b, 2)) for a, b in pauses(spans, 5.0)]
    assert found == [(0.1, 0.9), (3.1, 3.9)]
