from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_audio import tone
from helpers_faults import RATE, speech

from engine.audio.loudness import SILENT, Meter, gain_db, integrated, normalised, true_peak_db


def loudness(samples: np.ndarray) -> float:
    return Meter(RATE).loudness(samples)


def test_a_tone_has_the_loudness_that_the_standard_gives_it() -> None:
    # BS.1770-4: a 997 Hz sine at full scale in one channel is -3.01 LKFS.
    assert loudness(tone(5.0, RATE, 997.0, 1.0)) == pytest.approx(-3.01, abs=0.05)
    assert loudness(tone(5.0, RATE, 997.0, 0.1)) == pytest.approx(-23.01, abs=0.05)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_ffmpeg_measures_the_same(tmp_path: Path) -> None:
    samples = speech(30.0)[: 12 * RATE]
    soundfile.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    command = ["ffmpeg", "-nostats", "-i", tmp_path / "x.wav", "-af", "ebur128=peak=true"]
    told = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True).stderr
    heard = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1])
    peak = float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", told)[-1])
    assert loudness(samples) == pytest.approx(heard, abs=0.2)
    assert true_peak_db(samples, RATE) == pytest.approx(peak, abs=0.2)


def test_pauses_do_not_count() -> None:
    voice = speech(30.0)[: 5 * RATE]
    silence = np.zeros(10 * RATE, np.float32)
    assert loudness(np.concatenate([voice, silence])) == pytest.approx(loudness(voice), abs=0.3)
    quiet = np.concatenate([voice, voice * 0.01])
    assert loudness(quiet) == pytest.approx(loudness(voice), abs=0.3)


def test_loudness_of_parts_is_that_of_the_whole() -> None:
    samples = speech(30.0)[: 20 * RATE]
    meter = Meter(RATE)
    parts = [block for half in np.split(samples, 2) for block in meter.blocks(half)]
    assert integrated(parts) == pytest.approx(meter.loudness(samples), abs=0.1)


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.399, 0.4, 0.401])
def test_audio_shorter_than_a_block_is_measured_whole(seconds: float) -> None:
    expected = loudness(tone(5.0, RATE, 997.0, 0.1))
    # A millisecond is one period, on which the filters have hardly begun.
    assert loudness(tone(seconds, RATE, 997.0, 0.1)) == pytest.approx(expected, abs=2.0)


def test_what_is_too_quiet_to_measure_is_silent_and_stays_as_it_is() -> None:
    for samples in (
        np.zeros(0, np.float32),
        np.zeros(RATE, np.float32),
        tone(1.0, RATE, 440, 1e-5),
    ):
        assert loudness(samples) == SILENT
        assert gain_db(samples, RATE, SILENT, -23.0) == 0.0


def test_a_peak_between_samples_is_seen() -> None:
    # A quarter of the rate at 45 degrees: each sample is 3 dB under the peak.
    samples = (0.5 * np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4)).astype(np.float32)
    assert true_peak_db(samples, RATE) == pytest.approx(-6.02, abs=0.2)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-9.03, abs=0.01)


@pytest.mark.parametrize("gain", [1.0, 0.03])
def test_clips_come_to_one_loudness(gain: float) -> None:
    samples = speech(30.0)[: 6 * RATE] * np.float32(gain)
    before = samples.copy()
    made = normalised(samples, RATE, loudness(samples), -23.0)
    assert loudness(made) == pytest.approx(-23.0, abs=0.05)
    assert np.array_equal(samples, before)


def test_a_loud_peak_makes_the_gain_smaller_and_keeps_the_wave() -> None:
    samples = speech(30.0)[: 6 * RATE].copy() * np.float32(0.01)
    samples[RATE] = 0.5
    made = normalised(samples, RATE, loudness(samples), -23.0)
    assert loudness(made) < -25.0
    assert true_peak_db(made, RATE) == pytest.approx(-1.0, abs=0.05)
    assert np.allclose(made / samples.max(), samples / samples.max() * (made.max() / samples.max()))
