from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.audio.level import SILENCE_DB
from engine.audio.peaks import waveform
from engine.errors import DatasetError


def test_no_spike_vanishes(tmp_path: Path) -> None:
    samples = np.zeros(22_050, np.float32)
    samples[[100, 11_000, 22_049]] = (0.5, -0.75, 0.25)
    soundfile.write(tmp_path / "x.wav", samples, 22_050, subtype="PCM_16")
    wave = waveform(tmp_path / "x.wav", 70)
    assert wave.seconds == 1.0
    assert len(wave.low) == len(wave.high) == len(wave.levels) == 70
    assert max(wave.high) == pytest.approx(0.5, abs=1e-4)
    assert min(wave.low) == pytest.approx(-0.75, abs=1e-4)
    assert wave.low.index(min(wave.low)) == 11_000 * 70 // 22_050
    assert wave.high[-1] == pytest.approx(0.25, abs=1e-4)
    assert wave.peak_db == pytest.approx(20 * np.log10(0.75), abs=0.01)


def test_levels_are_those_of_the_samples(tmp_path: Path) -> None:
    time = np.arange(22_050) / 22_050
    samples = 0.5 * np.sin(2 * np.pi * 220 * time) * (time < 0.5)
    soundfile.write(tmp_path / "x.wav", samples, 22_050)
    wave = waveform(tmp_path / "x.wav", 10)
    assert wave.levels[:5] == pytest.approx([-9.03] * 5, abs=0.05)
    assert wave.levels[6:] == pytest.approx([SILENCE_DB] * 4)
    assert wave.rms_db == pytest.approx(-12.04, abs=0.05)


def test_few_samples_fill_all_columns(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.asarray([0.1, -0.2, 0.3]), 22_050)
    wave = waveform(tmp_path / "x.wav", 7)
    assert wave.high == pytest.approx((0.1, 0.1, 0.1, -0.2, -0.2, 0.3, 0.3), abs=1e-4)
    soundfile.write(tmp_path / "e.wav", np.zeros(0), 22_050)
    assert waveform(tmp_path / "e.wav", 7).low == ()
    assert waveform(tmp_path / "e.wav", 7).rms_db == SILENCE_DB


def test_what_is_no_wav_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"nothing")
    for name in ("x.wav", "y.wav"):
        with pytest.raises(DatasetError, match=rf"{name} cannot be read"):
            waveform(tmp_path / name, 5)
