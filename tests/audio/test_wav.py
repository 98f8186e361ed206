from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from helpers_audio import tone

from engine.audio import wav


def test_wavs_are_16_bit_mono_at_the_given_rate(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "clip.wav"
    samples = tone(0.5, 22_050)
    wav.write(path, samples, 22_050)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (22_050, 1, "PCM_16")
    assert np.allclose(soundfile.read(path, dtype="float32")[0], samples, atol=1e-4)
    assert path.stat().st_size == wav.file_size(len(samples))
    assert [entry.name for entry in path.parent.iterdir()] == ["clip.wav"]


def test_what_is_too_loud_is_clipped_instead_of_wrapped(tmp_path: Path) -> None:
    wav.write(tmp_path / "loud.wav", np.array([1.5, -1.5], np.float32), 22_050)
    assert soundfile.read(tmp_path / "loud.wav", dtype="int16")[0].tolist() == [32767, -32767]
