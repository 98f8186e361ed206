"""Given words placed in time: over the speech that was found, in proportion to their length."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.given.text import GivenWord, letters
from engine.dataset.marks import ends_clause, ends_sentence

# Letters in a second of speech. People speak 10 to 20; what is outside of these limits is not
# what is said.
MOST_PACE, LEAST_PACE = 40.0, 3.0
# Shorter pauses are inside words too: the closures of stops.
_SHORT_PAUSE = 0.15
_FULL_PAUSE = 0.5
# How far a subtitle's times are from the pause that they mean.
_SNAP = 0.3
# How many words the border of two spans may lie beside the place where an even pace puts it.
_BAND = 20
# How far a stretch of speech is from an even pace: some seconds, and a share of its length.
_STRAY_SECONDS, _STRAY_SHARE = 0.15, 0.2
# Points, as `engine.dataset.grouping` counts them: a pause inside a sentence, one inside a clause,
# and a sentence's end without a pause.
_CLAUSE_COST, _WORD_COST, _RUN_ON_COST = 1.0, 3.0, 1.0

Floats = NDArray[np.float64]


def spread(words: Sequence[GivenWord], spans: Sequence[Span]) -> list[Word]:
    """Words placed over spans of speech, in order and never outside of them.

    Each pause of 0.15 s and more falls between two words, at the end of a sentence where the pace
    allows it. All spans must lie in time order. Without any span there is no place: no words.
    """
    spans = _joined(spans)
    if not words or not spans:
        return []
    lengths = np.cumsum([0.0, *(letters(word.text) for word in words)])
    borders = _borders(words, lengths, spans)
    placed: list[Word] = []
    for span, first, last in zip(spans, borders, borders[1:], strict=False):
        if first < last:
            shares = (lengths[first : last + 1] - lengths[first]) / (lengths[last] - lengths[first])
            times = np.round(span.start + shares * span.seconds, 3).clip(span.start, span.end)
            placed += [
                Word(word.text, float(start), float(end), 1.0)
                for word, start, end in zip(words[first:last], times, times[1:], strict=False)
            ]
    return placed


def _joined(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start - joined[-1].end < _SHORT_PAUSE:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        elif span.seconds > 0:
            joined.append(span)
    return joined


def _borders(words: Sequence[GivenWord], lengths: Floats, spans: Sequence[Span]) -> list[int]:
    """How many words lie before each span, and before the end: the cheapest way to divide them."""
    count = len(words)
    if len(spans) == 1:
        return [0, count]
    seconds = np.array([span.seconds for span in spans])
    pace = lengths[-1] / seconds.sum()
    ends = np.array([0, *accumulate(ends_sentence(word.text) for word in words)])
    after_word = np.array([_WORD_COST, *(_pause_cost(word.text) for word in words)])
    # Where an even pace puts the border behind each span but the last.
    even = np.searchsorted(lengths, np.cumsum(seconds)[:-1] * pace)
    before, costs = np.zeros(1, np.int64), np.zeros(1)
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for index, span in enumerate(spans):
        last = index == len(spans) - 1
        reach = (count, count) if last else (even[index] - _BAND, even[index] + _BAND)
        behind = np.arange(max(0, reach[0]), min(count, reach[1]) + 1)
        said = (lengths[behind][None] - lengths[before][:, None]) / pace
        stray = (said - span.seconds) / (_STRAY_SECONDS + _STRAY_SHARE * span.seconds)
        # Ends of sentences inside the span, not the one at its end.
        inside = ends[np.maximum(behind - 1, 0)][None] - ends[before][:, None]
        total = costs[:, None] + stray**2 + _RUN_ON_COST * np.maximum(inside, 0)
        total[before[:, None] > behind[None]] = np.inf
        chosen = total.argmin(axis=0)
        costs = total[chosen, np.arange(len(behind))]
        if not last:
            pause = min(spans[index + 1].start - span.end, _FULL_PAUSE) / _FULL_PAUSE
            costs = costs + after_word[behind] * pause
        steps.append((before, chosen))
        before = behind
    borders = [count]
    place = 0
    for known, chosen in reversed(steps):
        place = int(chosen[place])
        borders.append(int(known[place]))
    return borders[::-1]


def _pause_cost(word: str) -> float:
    if ends_sentence(word):
        return 0.0
    return _CLAUSE_COST if ends_clause(word) else _WORD_COST


def within(spans: Sequence[Span], start: float, end: float) -> list[Span]:
    """The parts of spans between two times."""
    first = bisect_right(spans, start, key=lambda span: span.end)
    parts = []
    for span in spans[first:]:
        if span.start >= end:
            break
        parts.append(Span(max(start, span.start), min(end, span.end)))
    return parts


def snapped(time: float, spans: Sequence[Span]) -> float:
    """A subtitle's time, moved out of the speech that it cuts where a pause is near."""
    index = bisect_left(spans, time, key=lambda span: span.end)
    if index == len(spans) or spans[index].start >= time:
        return time
    span = spans[index]
    edge = span.start if time - span.start <= span.end - time else span.end
    return edge if abs(time - edge) <= _SNAP else time


def seconds(spans: Iterable[Span]) -> float:
    return math.fsum(span.seconds for span in spans)


def fits(words: Iterable[GivenWord], spoken: float) -> bool:
    """Whether so many words can be said in so many seconds of speech."""
    total = sum(letters(word.text) for word in words)
    # A short word may be drawn out.
    return LEAST_PACE * (spoken - 2.0) <= total <= MOST_PACE * (spoken + 0.2)
