from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from engine.audio.speech import Span
from engine.dataset.chunks import FULL_SECONDS, pack


def loud(seconds: float) -> np.ndarray:
    return np.full(round(seconds * 100) + 1, -20.0, np.float32)


def some_speech(seed: int) -> tuple[list[Span], float]:
    choose = random.Random(seed)
    now, spans = choose.uniform(0, 5), []
    while now < 400:
        length = choose.choice([0.3, 2.0, 5.0, 12.0, 31.0, 70.0])
        spans.append(Span(round(now, 3), round(now + length, 3)))
        now += length + choose.choice([0.1, 0.2, 0.5, 1.4, 4.0, 20.0])
    return spans, round(now, 3)


@pytest.mark.parametrize("seed", range(20))
def test_all_speech_is_in_chunks_that_the_recogniser_can_hear(seed: int) -> None:
    spans, seconds = some_speech(seed)
    chunks = pack(spans, loud(seconds), seconds)
    assert all(0 <= chunk.start < chunk.end <= seconds for chunk in chunks)
    assert all(chunk.seconds < 29.0 for chunk in chunks)
    for left, right in pairwise(chunks):
        assert left.end <= right.start
    covered = np.zeros(round(seconds * 1000) + 1, bool)
    for chunk in chunks:
        covered[round(chunk.start * 1000) : round(chunk.end * 1000)] = True
    for span in spans:
        missed = ~covered[round(span.start * 1000) : round(span.end * 1000)]
        assert missed.sum() <= 10, "only what rounding to 10 ms takes"


def test_chunks_are_full_and_end_in_the_long_pause() -> None:
    # Pauses of 0.2 s everywhere, one of 0.5 s after 24 s.
    spans = [Span(i * 2.2, i * 2.2 + 2.0) for i in range(11)]
    spans += [Span(24.7 + i * 2.2, 26.7 + i * 2.2) for i in range(11)]
    chunks = pack(spans, loud(60), 60.0)
    assert [round(chunk.seconds) for chunk in chunks] == [24, 24]
    assert chunks[0].end == pytest.approx(24.2)
    assert chunks[1].start == pytest.approx(24.5)


def test_long_silence_is_not_heard() -> None:
    chunks = pack([Span(1.0, 3.0), Span(10.0, 12.0)], loud(100), 100.0)
    assert chunks == [Span(0.8, 3.2), Span(9.8, 12.2)]


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    levels = loud(40)
    levels[1790:1820] = -50.0
    chunks = pack([Span(0.0, 40.0)], levels, 40.0)
    assert [chunk.end for chunk in chunks] == [pytest.approx(18.05, abs=0.1), 40.0]
    assert FULL_SECONDS == 28.0


def test_no_speech_is_no_chunks() -> None:
    assert pack([], loud(10), 10.0) == []
