from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_faults import RATE, levels_of, spans_of, speech, with_hum
from helpers_review import clip_of

from engine.audio.background import Background
from engine.audio.decode import Format
from engine.audio.loudness import Meter
from engine.audio.quality import measure
from engine.dataset import cutting
from engine.dataset.clips import Clip
from engine.dataset.cutting import CutSource
from engine.dataset.sound import measured
from engine.dataset.sources import Source

SOURCE = Source(Path("talk.wav"), "rec/talk.wav", "ab" * 32)
SPANS = ((0.5, 3.5), (4.0, 9.0), (10.0, 13.0))


def cut_clips(samples: np.ndarray) -> list[Clip]:
    clips = [clip_of(SOURCE, *span, number) for number, span in enumerate(SPANS, 1)]
    return [
        replace(clip, scores=measured(samples[round(clip.start * RATE) : round(clip.end * RATE)]))
        for clip in clips
    ]


def written(folder: Path, samples: np.ndarray, loudness: float) -> list[np.ndarray]:
    rows = cut_clips(samples)
    cutting.write_wavs(folder, rows, samples, loudness, lambda done, total: None)
    return [soundfile.read(folder / clip.wav, dtype="float32")[0] for clip in rows]


def test_clips_are_written_in_one_loudness(tmp_path: Path) -> None:
    samples = speech().copy()
    samples[4 * RATE : 9 * RATE] *= np.float32(0.05)
    for made, (start, end) in zip(written(tmp_path, samples, -23.0), SPANS, strict=True):
        assert Meter(RATE).loudness(made) == pytest.approx(-23.0, abs=0.1)
        assert len(made) == round(end * RATE) - round(start * RATE)
        assert made[0] == made[-1] == 0.0


def test_without_a_loudness_clips_stay_as_they_are(tmp_path: Path) -> None:
    for made, (start, end) in zip(written(tmp_path, speech(), 0.0), SPANS, strict=True):
        there = speech()[round(start * RATE) : round(end * RATE)]
        assert np.abs(made - there)[200:-200].max() < 1e-4


def test_a_record_gives_back_what_was_cut(tmp_path: Path) -> None:
    hum = with_hum(speech(), 50.0, -20.0)
    spans = spans_of(speech())
    quality = measure(hum, Background(levels_of(hum), spans), spans, Format(8_000, 1, "mp3"))
    assert (quality.hum, quality.rate, quality.format) == (50, 8_000, "mp3")
    written(tmp_path, speech(), -23.0)
    rows = tuple(cut_clips(speech()))
    for known in (quality, None):
        cut = CutSource(30.0, 25.0, rows, Counter("é"), quality=known)
        cutting.save(tmp_path / "record.json", cut)
        back = cutting.load(tmp_path / "record.json", [tmp_path], SOURCE)
        assert back is not None
        assert (back.quality, back.clips, back.unknown) == (known, rows, cut.unknown)


def test_records_of_an_older_version_are_cut_anew(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    cutting.save(record, CutSource(1.0, 1.0, (), Counter()))
    assert cutting.load(record, [tmp_path], SOURCE) is not None
    values = json.loads(record.read_text())
    for older in (values | {"v": 1}, {k: v for k, v in values.items() if k != "quality"}):
        record.write_text(json.dumps(older))
        assert cutting.load(record, [tmp_path], SOURCE) is None
