from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from engine.audio.speech import Span
from engine.dataset.hearing.chunks import FULL_SECONDS, Chunk, pack


def loud(seconds: float) -> np.ndarray:
    return np.full(round(seconds * 100) + 1, -20.0, np.float32)


LENGTHS = (0.3, 2.0, 5.0, 12.0, 31.0, 70.0)


def some_speech(seed: int, lengths: Sequence[float] = LENGTHS) -> tuple[list[Span], float]:
    choose = random.Random(seed)
    now, spans = choose.uniform(0, 5), []
    while now < 400:
        length = choose.choice(lengths)
        spans.append(Span(round(now, 3), round(now + length, 3)))
        now += length + choose.choice([0.1, 0.2, 0.5, 0.61, 0.7, 1.4, 4.0, 20.0])
    return spans, round(now, 3)


@pytest.mark.parametrize("seed", range(20))
def test_all_speech_is_in_chunks_that_the_recogniser_can_hear(seed: int) -> None:
    spans, seconds = some_speech(seed)
    chunks = pack(spans, loud(seconds), seconds)
    parts = [part for chunk in chunks for part in chunk.parts]
    assert all(0 <= part.start < part.end <= seconds for part in parts)
    assert all(chunk.seconds < 29.0 for chunk in chunks)
    for left, right in pairwise(parts):
        assert left.end <= right.start
    covered = np.zeros(round(seconds * 1000) + 1, bool)
    for part in parts:
        covered[round(part.start * 1000) : round(part.end * 1000)] = True
    for span in spans:
        missed = ~covered[round(span.start * 1000) : round(span.end * 1000)]
        assert missed.sum() <= 10, "only what rounding to 10 ms takes"


@pytest.mark.parametrize("seed", range(20))
def test_long_pauses_are_heard_for_six_tenths_of_a_second(seed: int) -> None:
    spans, seconds = some_speech(seed, LENGTHS[:3])
    inside = 0
    for chunk in pack(spans, loud(seconds), seconds):
        heard = [span for span in spans if chunk.start < span.end and span.start < chunk.end]
        inside += len(heard) - 1
        for left, right in pairwise(heard):
            pause = right.start - left.end
            silent = sum(
                max(0.0, min(part.end, right.start) - max(part.start, left.end))
                for part in chunk.parts
            )
            assert silent == pytest.approx(min(pause, 0.6), abs=0.025)
    assert inside > 20


def test_chunks_are_full_and_end_in_the_long_pause() -> None:
    # Pauses of 0.2 s everywhere, one of 0.5 s after 24 s.
    spans = [Span(i * 2.2, i * 2.2 + 2.0) for i in range(11)]
    spans += [Span(24.7 + i * 2.2, 26.7 + i * 2.2) for i in range(11)]
    chunks = pack(spans, loud(60), 60.0)
    assert [round(chunk.seconds) for chunk in chunks] == [24, 24]
    assert chunks[0].end == pytest.approx(24.2)
    assert chunks[1].start == pytest.approx(24.5)


def test_speech_between_long_silences_shares_a_chunk() -> None:
    (chunk,) = pack([Span(1.0, 3.0), Span(50.0, 52.0), Span(90.0, 92.0)], loud(100), 100.0)
    assert chunk.parts == (Span(0.8, 3.3), Span(49.7, 52.3), Span(89.7, 92.2))
    assert chunk.seconds == pytest.approx(7.6)


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    levels = loud(40)
    levels[1790:1820] = -50.0
    chunks = pack([Span(0.0, 40.0)], levels, 40.0)
    assert [chunk.end for chunk in chunks] == [pytest.approx(18.05, abs=0.1), 40.0]
    assert FULL_SECONDS == 28.0


def test_no_speech_is_no_chunks() -> None:
    assert pack([], loud(10), 10.0) == []


PARTS = Chunk((Span(10.0, 12.0), Span(30.0, 31.0), Span(60.0, 62.0)))


@pytest.mark.parametrize(
    ("heard", "there"),
    [
        ((0.0, 2.0), (0, Span(10.0, 12.0))),
        ((0.5, 0.75), (0, Span(10.5, 10.75))),
        ((2.0, 2.4), (1, Span(30.0, 30.4))),
        ((3.5, 4.0), (2, Span(60.5, 61.0))),
        ((1.5, 2.2), (0, Span(11.5, 12.0))),
        ((1.9, 2.2), (1, Span(30.0, 30.2))),
        ((1.9, 3.1), (1, Span(30.0, 31.0))),
        ((2.5, 2.5), (1, Span(30.5, 30.5))),
        ((4.9, 5.3), (2, Span(61.9, 62.0))),
        ((5.2, 5.3), (2, Span(62.0, 62.0))),
    ],
)
def test_what_is_heard_lies_in_one_part_of_the_recording(
    heard: tuple[float, float], there: tuple[int, Span]
) -> None:
    assert PARTS.place(*heard) == there
