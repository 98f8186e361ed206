from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import voicetui.demo
from engine.audio.decode import read
from engine.audio.level import frame_levels
from engine.audio.resample import resample
from engine.audio.speech import RATE, Span, find_speech, quiet_level, without_silence

RECORDING = Path(voicetui.demo.__file__).parent / "speech" / "lighthouse.flac"


def test_speech_is_found_between_the_pauses() -> None:
    import torch

    samples, rate = read(RECORDING)
    speech = resample(samples[: 20 * rate], rate, RATE)
    threads = torch.get_num_threads()
    told: list[tuple[float, float]] = []
    spans = find_speech(speech, lambda done, total: told.append((done, total)))
    assert torch.get_num_threads() == threads
    assert told[-1] == (20.0, 20.0)
    assert len(told) > 1
    levels = frame_levels(speech, RATE)
    loud = levels > -45.0
    inside = np.zeros(len(levels), bool)
    for span in spans:
        inside[round(span.start * 100) : round(span.end * 100)] = True
    assert (loud & inside).sum() / loud.sum() > 0.95
    assert inside.mean() < 0.95, "the pauses are left out"
    assert all(left.end < right.start for left, right in pairwise(spans))


def test_blocks_leave_no_seams() -> None:
    from silero_vad import get_speech_timestamps_sequence, load_silero_vad

    samples, rate = read(RECORDING)
    speech = resample(samples[: 40 * rate], rate, RATE)
    whole = get_speech_timestamps_sequence(
        speech,
        load_silero_vad(sequence=True),
        min_speech_duration_ms=100,
        speech_pad_ms=0,
    )
    found = find_speech(speech, lambda done, total: None)
    assert [(round(s.start * RATE), round(s.end * RATE)) for s in found] == [
        (span["start"], span["end"]) for span in whole
    ]


def test_nobody_speaks_in_silence_and_hum() -> None:
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(5 * RATE) / RATE)
    assert find_speech(hum.astype(np.float32), lambda done, total: None) == []
    assert find_speech(np.zeros(0, np.float32), lambda done, total: None) == []


def test_quiet_lies_between_background_and_speech() -> None:
    levels = np.full(1000, -60.0, np.float32)
    levels[200:800] = -20.0
    assert quiet_level(levels, [Span(2.0, 8.0)]) == pytest.approx(-44.0)
    assert quiet_level(levels, []) < -100


def test_weak_ends_of_speech_stay_unless_they_are_long() -> None:
    levels = np.full(1000, -20.0, np.float32)
    levels[380:400] = -70.0
    levels[450:490] = -70.0
    spans = [Span(1.0, 4.0), Span(4.5, 6.0)]
    assert without_silence(spans, levels, -40.0) == [Span(1.0, 4.0), Span(4.9, 6.0)]


def test_silences_leave_the_spans_and_short_ones_stay() -> None:
    levels = np.full(1000, -20.0, np.float32)
    levels[300:320] = -70.0
    levels[500:510] = -70.0
    spans = [Span(1.0, 4.0), Span(4.5, 6.0)]
    assert without_silence(spans, levels, -40.0) == [
        Span(1.0, 3.0),
        Span(3.2, 4.0),
        Span(4.5, 6.0),
    ]
