"""Made recordings as the segmenting rooms see them: words, speech, levels."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.speech import Span
from engine.dataset.clips import Word

LOUD, QUIET = -20.0, -80.0


@dataclass(frozen=True)
class Spoken:
    """`words` as they are spoken, `spans` as the detector finds them, `levels` of each 10 ms."""

    words: list[Word]
    spans: list[Span]
    levels: NDArray[np.float32]
    seconds: float


def spoken(timed: Sequence[tuple[str, float, float]], seconds: float) -> Spoken:
    """Words at given times, with silence between them."""
    words = [Word(f" {text}", start, end, 0.9) for text, start, end in timed]
    spans: list[Span] = []
    levels = np.full(round(seconds * 100), QUIET, np.float32)
    for word in words:
        levels[round(word.start * 100) : round(word.end * 100)] = LOUD
        if spans and word.start - spans[-1].end < 0.1:
            spans[-1] = Span(spans[-1].start, word.end)
        else:
            spans.append(Span(word.start, word.end))
    return Spoken(words, spans, levels, seconds)


def in_a_row(text: str, *, at: float = 1.0, word: float = 0.4, pause: float = 0.3) -> Spoken:
    """A text spoken evenly; each `|` is a pause, the words between follow without one."""
    timed = []
    now = at
    for part in text.split("|"):
        for piece in part.split():
            timed.append((piece, round(now, 3), round(now + word, 3)))
            now += word
        now += pause
    return spoken(timed, round(now + 1.0, 3))


def at_random(seed: int) -> Spoken:
    """Some minutes of sentences of all lengths with pauses of all lengths."""
    choose = random.Random(seed)
    now = choose.choice([0.0, 0.05, 2.0])
    timed = []
    while now < 120:
        for number in range(count := choose.choice([1, 2, 6, 12, 40])):
            length = choose.choice([0.05, 0.1, 0.25, 0.4, 0.7])
            last = number == count - 1
            mark = choose.choice([".", "?", "", ","]) if last else choose.choice(["", "", "", ","])
            timed.append((f"w{len(timed)}{mark}", round(now, 2), round(now + length, 2)))
            now += length
            if mark and not last:
                now += choose.choice([0.0, 0.05, 0.2])
        now += choose.choice([0.02, 0.1, 0.16, 0.4, 0.9, 3.0])
    return spoken(timed, round(now, 2))


def as_recognised(words: Sequence[Word], seed: int, jitter: float = 0.1) -> list[Word]:
    """Words with times as wrong as a recogniser's."""
    choose = random.Random(seed)
    moved = []
    border = 0.0
    for word in words:
        start = max(border, word.start + choose.uniform(-jitter, jitter))
        end = max(start, word.end + choose.uniform(-jitter, jitter))
        moved.append(word._replace(start=round(start, 2), end=round(end, 2)))
        border = end
    return moved
