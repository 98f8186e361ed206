from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_audio import tone

from engine.audio.decode import read
from engine.audio.resample import resample
from engine.audio.spool import open_raw, spool
from engine.errors import SourceError


def test_one_pass_gives_both_rates_whole(tmp_path: Path) -> None:
    recording = tmp_path / "x.flac"
    soundfile.write(recording, tone(9.5, 44_100), 44_100)
    targets = {16_000: tmp_path / "16", 22_050: tmp_path / "22"}
    told: list[tuple[float, float]] = []
    assert spool(recording, targets, lambda done, total: told.append((done, total))) == 9.5
    samples, rate = read(recording)
    for target, path in targets.items():
        assert np.allclose(open_raw(path), resample(samples, rate, target), atol=1e-6)
    assert told == [(4.0, 9.5), (8.0, 9.5), (9.5, 9.5)]


def test_a_stop_in_between_ends_it(tmp_path: Path) -> None:
    recording = tmp_path / "x.wav"
    soundfile.write(recording, tone(9.5, 8_000), 8_000)

    def stop(done: float, total: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spool(recording, {16_000: tmp_path / "16"}, stop)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        spool(tmp_path / "none.wav", {16_000: tmp_path / "16"}, lambda done, total: None)
