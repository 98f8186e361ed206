from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers_audio import encode
from helpers_faults import RATE, clipped, speech

from engine.audio.clipping import clipped_share
from engine.audio.decode import read
from engine.audio.resample import resample


@pytest.mark.parametrize(("share", "least"), [(0.01, 0.6), (0.05, 0.85), (0.2, 0.9)])
def test_clipping_is_found_at_any_level(share: float, least: float) -> None:
    for gain in (1.0, 0.01):
        found = clipped_share(clipped(speech(), share) * np.float32(gain))
        assert least * share < found < 1.1 * share


def test_clipping_is_found_after_another_rate_and_an_mp3(tmp_path: Path) -> None:
    low = resample(speech(), RATE, 16_000)
    ceiling = np.quantile(np.abs(low), 0.95)
    cut = np.clip(low, -ceiling, ceiling)
    assert clipped_share(resample(cut, 16_000, RATE)) == pytest.approx(0.05, rel=0.25)
    encode(tmp_path / "x.mp3", resample(cut, 16_000, 44_100), 44_100, "libmp3lame")
    samples, rate = read(tmp_path / "x.mp3")
    assert clipped_share(resample(samples, rate, RATE)) == pytest.approx(0.05, rel=0.25)


def test_one_side_alone_is_found() -> None:
    ceiling = np.quantile(speech(), 0.97)
    assert clipped_share(np.minimum(speech(), ceiling)) == pytest.approx(0.03, rel=0.3)


def test_what_is_not_clipped_is_not_taken_for_it() -> None:
    whole = speech()
    seconds = [clipped_share(whole[at * RATE : (at + 3) * RATE]) for at in range(27)]
    assert max(clipped_share(whole), *seconds) < 0.001


def test_a_limiter_is_not_taken_for_clipping() -> None:
    # The gain of each 5 ms, smoothed over 5 ms, keeps all peaks at one level.
    length = RATE // 200
    tops = np.abs(speech()).reshape(-1)[: len(speech()) // length * length].reshape(-1, length)
    most = np.maximum.reduce([np.roll(tops.max(axis=1), shift) for shift in (-1, 0, 1)])
    gains = np.interp(
        np.arange(tops.size) / length, np.arange(len(most)) + 0.5, np.minimum(1, 0.15 / most)
    )
    assert clipped_share(speech()[: tops.size] * gains.astype(np.float32)) < 0.002


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(999, np.float32)])
def test_silence_is_not_clipped(samples: np.ndarray) -> None:
    assert clipped_share(samples) == 0.0
