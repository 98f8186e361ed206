from __future__ import annotations

import time

import numpy as np
import pytest
from helpers_faults import RATE, clipped, levels_of, spans_of, speech, through_phone, with_hiss

from engine.audio.background import Background
from engine.audio.loudness import Meter
from engine.dataset.clips import Reason, State
from engine.dataset.judge import Verdict
from engine.dataset.sound import MUCH_CLIPPING, SOME_CLIPPING, Sound, measured

KEPT = Verdict("kept", None, {"confidence": 0.9}, set())


def sound_of(samples: np.ndarray) -> Sound:
    background = Background(levels_of(samples), spans_of(speech()))
    return Sound(samples, background, Meter(RATE).loudness(samples))


def judged(samples: np.ndarray, verdict: Verdict = KEPT) -> Verdict:
    return sound_of(samples).judge(verdict, 4.0, 10.0)


def test_a_good_clip_stays_and_has_its_numbers() -> None:
    verdict = judged(with_hiss(speech(), -35.0))
    assert (verdict.state, verdict.reason) == ("kept", None)
    assert list(verdict.scores) == ["confidence", "bandwidth", "clipping", "level", "snr"]
    assert verdict.scores["level"] == pytest.approx(Meter(RATE).loudness(speech()), abs=3.0)
    assert verdict.scores["snr"] == pytest.approx(36.5, abs=3.0)
    assert verdict.scores["clipping"] < 0.001
    assert verdict.scores["bandwidth"] == pytest.approx(7_500, abs=500)


def test_numbers_tell_what_is_wrong() -> None:
    assert measured(through_phone(speech()))["bandwidth"] == pytest.approx(4_000, abs=250)
    assert measured(clipped(speech(), 0.05))["clipping"] == pytest.approx(0.05, rel=0.15)
    quiet = measured(speech() * np.float32(10.0 ** (-30 / 20)))
    assert quiet["level"] == pytest.approx(measured(speech())["level"] - 30, abs=0.1)


@pytest.mark.parametrize(
    ("share", "state", "reason"),
    [
        (0.0005, "kept", None),
        (3 * SOME_CLIPPING, "suspect", Reason.CLIPPING),
        (3 * MUCH_CLIPPING, "dropped", Reason.CLIPPING),
    ],
)
def test_clipping_decides(share: float, state: State, reason: Reason | None) -> None:
    verdict = judged(clipped(speech(), share))
    assert (verdict.state, verdict.reason) == (state, reason)


def test_a_piece_with_hardly_any_sound_is_dropped() -> None:
    faint = speech().copy()
    faint[4 * RATE : 10 * RATE] *= np.float32(0.005)
    assert judged(faint).reason is Reason.SILENCE
    assert judged(np.zeros_like(speech())).reason is Reason.SILENCE
    assert judged(speech() * np.float32(0.03)).state == "kept", "all of it is quiet"


def test_what_was_wrong_before_is_told_first() -> None:
    doubt = Verdict("suspect", Reason.DISAGREEMENT, {}, set())
    assert judged(clipped(speech(), 0.015), doubt).reason is Reason.DISAGREEMENT
    assert judged(clipped(speech(), 0.15), doubt).reason is Reason.CLIPPING
    lost = Verdict("dropped", Reason.NO_WORDS, {}, set())
    verdict = judged(np.zeros_like(speech()), lost)
    assert (verdict.state, verdict.reason) == ("dropped", Reason.NO_WORDS)
    assert verdict.scores["level"] == -70.0


def test_numbers_that_nobody_knows_are_absent() -> None:
    sound = Sound(speech(), Background(levels_of(speech()), []), -20.0)
    assert set(sound.scores(1.0, 2.0)) == {"bandwidth", "clipping", "level"}


def test_thousands_of_clips_take_seconds() -> None:
    sound = sound_of(speech())
    sound.scores(0.0, 6.0)
    began = time.process_time()
    for start in range(20):
        sound.scores(float(start), start + 6.0)
    # 3 ms each where nothing else runs.
    assert time.process_time() - began < 20 * 0.015
