"""Word times settled into the speech that was found.

Whisper's word times come from attention, in steps of 20 ms, and often reach into a pause or over
it. The pauses that voice activity detection found are facts; words are moved to them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import FRAME_SECONDS
from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.marks import ends_clause, ends_sentence

# A word reaches as far as this over speech that no other word explains; each digit in it is a
# spoken word of its own.
_REACH = 0.5
_REACH_PER_DIGIT = 0.4
# How far inside two words a quiet place between them is looked for, and one that is just quieter.
_SEARCH = 0.2
_SHIFT = 0.08
# The detector hears the end of speech late by 0.1 s at most, and its beginning never early.
_LAG = 0.1
# A border moves by 10 ms for so many dB.
_DIP_PER_FRAME = 0.5


def settle(
    words: Sequence[Word], spans: Sequence[Span], levels: Samples, quiet: float
) -> list[Word]:
    """The words with times that respect the pauses, in order, never overlapping.

    Pauses are those between spans, and the quiet near the borders of words; where there is none, a
    border goes to the quietest place near it. `levels` are those of each 10 ms, and what is under
    `quiet` dB is quiet.
    """
    settled = _reach(_in_order(_trim(words, _pauses(spans))), spans)
    return _find_borders(settled, spans, levels, quiet)


def _pauses(spans: Sequence[Span]) -> list[Span]:
    ends = [0.0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), float("inf")]
    return [Span(end, start) for end, start in zip(ends, starts, strict=True) if start > end]


def _trim(words: Sequence[Word], pauses: list[Span]) -> list[Word]:
    """Words cut off at the pauses that they overlap."""
    trimmed: list[Word] = []
    first = 0
    opens = True
    for word in words:
        start, end = word.start, max(word.start, word.end)
        while first < len(pauses) and pauses[first].end <= start:
            first += 1
        closes = ends_sentence(word.text) or ends_clause(word.text)
        for pause in pauses[first:]:
            if pause.start >= end:
                break
            start, end = _beside(start, end, pause, opens=opens, closes=closes)
        trimmed.append(word._replace(start=start, end=end))
        opens = ends_sentence(word.text)
    return trimmed


def _beside(
    start: float, end: float, pause: Span, *, opens: bool, closes: bool
) -> tuple[float, float]:
    """A word's times on one side of a pause that it overlaps.

    `opens` and `closes`: whether a sentence begins and whether a part of one ends with the word.
    """
    before, after = pause.start - start, end - pause.end
    if end <= pause.start or start >= pause.end:
        return start, end
    # Behind the last speech there is only one side.
    undecided = isfinite(pause.end) and (before > 0) == (after > 0)
    if closes if undecided and opens != closes else before >= after:
        return min(start, pause.start), pause.start
    return pause.end, max(end, pause.end)


def _in_order(words: list[Word]) -> list[Word]:
    ordered: list[Word] = []
    border = 0.0
    for word in words:
        start = max(word.start, border)
        border = max(start, word.end)
        ordered.append(word._replace(start=start, end=border))
    return ordered


def _reach(words: list[Word], spans: Sequence[Span]) -> list[Word]:
    """The outer words of each span extended over speech that no other word explains."""
    reached = list(words)
    index = 0
    for span in spans:
        first = index
        while index < len(words) and words[index].end <= span.end:
            index += 1
        if index == first:
            continue
        if 0 < reached[first].start - span.start <= _reach_of(reached[first]):
            reached[first] = reached[first]._replace(start=span.start)
        if 0 < span.end - reached[index - 1].end <= _reach_of(reached[index - 1]):
            reached[index - 1] = reached[index - 1]._replace(end=span.end)
    return reached


def _reach_of(word: Word) -> float:
    return _REACH + _REACH_PER_DIGIT * sum(character.isdigit() for character in word.text)


def _find_borders(
    words: list[Word], spans: Sequence[Span], levels: Samples, quiet: float
) -> list[Word]:
    """Words with their borders moved to the quiet between them."""
    moved = list(words)
    ends = [span.end for span in spans]
    for index, (left, right) in enumerate(pairwise(words)):
        gap = right.start - left.end
        apart = bisect_left(ends, left.end) != bisect_left(ends, right.end)
        if gap > _reach_of(left) + _reach_of(right) and not apart:
            continue
        first, last = _pause(left, right) if apart else _window(left, right, _SEARCH)
        begin, end = _longest_quiet(levels[first:last], quiet)
        # In noise a pause is not quiet, and the detector knows better.
        if apart and (end - begin) * FRAME_SECONDS < gap / 2:
            continue
        if begin == end:
            first, last = _window(left, right, _SHIFT)
            begin = end = _dip(levels[first:last], (left.end + right.start) / 2 - _time(first))
        if first < last:
            until, since = _time(first + begin), _time(first + end)
            # Speech further away is not the word's.
            if until - left.end <= _reach_of(left):
                moved[index] = moved[index]._replace(end=until)
            if right.start - since <= _reach_of(right):
                moved[index + 1] = moved[index + 1]._replace(start=since)
    return moved


def _pause(left: Word, right: Word) -> tuple[int, int]:
    """The frames where the pause between two words lies that the detector found."""
    return round((left.end - _LAG) / FRAME_SECONDS), round(right.start / FRAME_SECONDS)


def _window(left: Word, right: Word, reach: float) -> tuple[int, int]:
    """The frames where the border of two words may lie: up to `reach` inside, half of each at most."""
    earliest = max(left.end - reach, (left.start + left.end) / 2)
    latest = min(right.start + reach, (right.start + right.end) / 2)
    return round(earliest / FRAME_SECONDS), round(latest / FRAME_SECONDS)


def _time(frame: float) -> float:
    return round(frame * FRAME_SECONDS, 3)


def _dip(levels: Samples, border: float) -> float:
    """The middle of the quietest frame, unless one near `border` (in seconds) is as good."""
    if not len(levels):
        return 0.0
    middles = np.arange(len(levels)) + 0.5
    distance = np.abs(middles - border / FRAME_SECONDS)
    return float(middles[int((levels + _DIP_PER_FRAME * distance).argmin())])


def _longest_quiet(levels: Samples, quiet: float) -> tuple[float, float]:
    """Where the longest run of quiet frames begins and ends; two zeros when there is none."""
    edges = np.flatnonzero(np.diff((levels < quiet).astype(np.int8), prepend=0, append=0))
    if not len(edges):
        return 0.0, 0.0
    begins, ends = edges[::2], edges[1::2]
    longest = int((ends - begins).argmax())
    return float(begins[longest]), float(ends[longest])
