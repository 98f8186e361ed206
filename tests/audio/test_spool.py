from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from helpers_audio import tone

from engine.audio.decode import Format, read
from engine.audio.resample import resample
from engine.audio.spool import Spooled, open_raw, spool
from engine.errors import DiskFullError, SourceError


def test_one_pass_gives_both_rates_whole(tmp_path: Path) -> None:
    recording = tmp_path / "x.flac"
    soundfile.write(recording, tone(9.5, 44_100), 44_100)
    targets = {16_000: tmp_path / "16", 22_050: tmp_path / "22"}
    told: list[tuple[float, float]] = []
    spooled = spool(recording, targets, lambda done, total: told.append((done, total)))
    assert spooled == Spooled(9.5, Format(44_100, 1, "flac pcm_16"))
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


# Raw files of such a rate fit on no disk.
HUGE = 10**15


def minute(path: Path) -> Path:
    soundfile.write(path, np.zeros(60 * 8_000, np.float32), 8_000)
    return path


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    recording = minute(tmp_path / "x.flac")
    with pytest.raises(DiskFullError, match=r"Preparing .*x\.flac needs [\d,]+ MB and .*work has"):
        spool(recording, {HUGE: tmp_path / "work" / "raw"}, lambda done, total: None)
    assert not list((tmp_path / "work").iterdir())


def test_a_header_that_lies_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    recording = minute(tmp_path / "x.flac")
    content = bytearray(recording.read_bytes())
    # The number of frames is in the last 36 bits of these.
    head = int.from_bytes(content[18:26]) >> 36 << 36
    content[18:26] = (head | 1000 * 3600 * 8_000).to_bytes(8)
    recording.write_bytes(content)
    with pytest.raises(SourceError, match="is damaged"):
        spool(recording, {HUGE: tmp_path / "raw"}, lambda done, total: None)


def test_what_was_read_does_not_stay_in_memory(tmp_path: Path) -> None:
    size = 64 << 20
    (tmp_path / "raw").touch()
    os.truncate(tmp_path / "raw", size)
    samples = open_raw(tmp_path / "raw")
    before = psutil.Process().memory_info().rss
    step = len(samples) // 32
    for start in range(0, len(samples), step):
        assert not samples[start : start + step].any()
    assert psutil.Process().memory_info().rss - before < size / 4
