"""A given text put in time by the recogniser's words, which tell when something is said.

The recogniser's spelling does not count, only its times: where both say the same the given word
takes the time, and what lies between two such words is spread over the speech between them.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.given import placing
from engine.dataset.given.text import GivenWord, letters, words
from engine.dataset.hearing.likeness import units

# So many words that stand once in both texts are the same place; shorter runs where these lack.
_RUNS = (4, 3, 2, 1)
# Between two such places words are compared one by one; what is longer has nothing in common.
_MOST_COMPARED = 400
# A stretch of words is in doubt when fewer than four in ten were heard.
_WINDOW, _LEAST_HEARD = 10, 0.4
# Words that would have to be said this much faster than the others are not said.
_RUSH = 3.0
# A word or two between others may have gone into the times of its neighbours.
_FEW = 2


class Match(NamedTuple):
    """Words of both texts that are the same: where they begin, and how many."""

    given: int
    heard: int
    length: int


@dataclass(frozen=True)
class Aligned:
    """Given words in time. `share` of them, or of the words heard if those are fewer, are the same.

    `doubts` are the stretches that the recogniser heard otherwise, `unspoken` the lines of stretches
    that are not said and were left out, `unsure` the lines where doubts begin.
    """

    words: list[Word]
    share: float
    doubts: list[Span]
    unspoken: list[int]
    unsure: list[int]


def align(given: Sequence[GivenWord], heard: Sequence[Word], spans: Sequence[Span]) -> Aligned:
    """Give each word of a text its time. All times are seconds, `spans` is the speech."""
    ours = [_key(word.text) for word in given]
    # The recogniser's words may hold several characters of a script without spaces.
    parts = [(part, word) for word in heard for part in _parted(word)]
    matches = _matches(ours, [_key(part.text) for part, _ in parts])
    times: list[Span | None] = [None] * len(given)
    for match in matches:
        for step in range(match.length):
            part, _ = parts[match.heard + step]
            times[match.given + step] = Span(part.start, part.end)
    matched = sum(match.length for match in matches)
    share = matched / max(1, min(len(given), len(parts)))
    filled, unspoken = _filled(given, times, spans)
    said = [(index, word) for index, word in enumerate(filled) if word is not None]
    doubts = list(_doubts([times[index] is not None for index, _ in said]))
    return Aligned(
        [word for _, word in said],
        share,
        [Span(said[first][1].start, said[last - 1][1].end) for first, last in doubts],
        unspoken,
        [given[said[first][0]].line for first, _ in doubts],
    )


def _key(word: str) -> str:
    return "".join(units(word))


def _parted(word: Word) -> Iterator[Word]:
    parts = list(words(word.text, 0))
    total = sum(letters(part.text) for part in parts)
    start = word.start
    for part in parts:
        end = start + (word.end - word.start) * letters(part.text) / total
        yield Word(part.text, start, end, word.probability)
        start = end


def _matches(ours: list[str], theirs: list[str]) -> list[Match]:
    """The words that are the same, in order in both texts."""
    found: list[Match] = []
    open_parts = [(0, len(ours), 0, len(theirs), 0)]
    while open_parts:
        i1, i2, j1, j2, level = open_parts.pop()
        if i1 == i2 or j1 == j2:
            continue
        if max(i2 - i1, j2 - j1) <= _MOST_COMPARED:
            matcher = difflib.SequenceMatcher(None, ours[i1:i2], theirs[j1:j2], autojunk=False)
            found += [
                Match(i1 + block.a, j1 + block.b, block.size)
                for block in matcher.get_matching_blocks()
                if block.size
            ]
            continue
        if level == len(_RUNS):
            continue
        anchors = _anchors(ours[i1:i2], theirs[j1:j2], _RUNS[level])
        i, j = i1, j1
        for a, b in anchors:
            open_parts.append((i, i1 + a, j, j1 + b, level + 1))
            i, j = i1 + a + 1, j1 + b + 1
            found.append(Match(i1 + a, j1 + b, 1))
        open_parts.append((i, i2, j, j2, level + 1))
    return sorted(found)


def _anchors(ours: list[str], theirs: list[str], run: int) -> list[tuple[int, int]]:
    """Where runs of words begin that stand once in each text, in order in both (patience diff)."""
    mine, other = _once(ours, run), _once(theirs, run)
    pairs = sorted((i, other[words]) for words, i in mine.items() if words in other)
    return _rising(pairs)


def _once(keys: list[str], run: int) -> dict[tuple[str, ...], int]:
    runs = list(zip(*(keys[offset:] for offset in range(run)), strict=False))
    counts = Counter(runs)
    return {words: index for index, words in enumerate(runs) if counts[words] == 1}


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs in which the second numbers rise too."""
    ends: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place = bisect_left(ends, j)
        before.append(tops[place - 1] if place else -1)
        if place == len(ends):
            ends.append(j)
            tops.append(index)
        else:
            ends[place], tops[place] = j, index
    chain: list[tuple[int, int]] = []
    index = tops[-1] if tops else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _filled(
    given: Sequence[GivenWord], times: list[Span | None], spans: Sequence[Span]
) -> tuple[list[Word | None], list[int]]:
    """All words in time, and the lines where words begin that are not said (None)."""
    filled: list[Word | None] = []
    unspoken: list[int] = []
    pace = _pace(given, times)
    border = 0.0
    index = 0
    while index < len(given):
        time = times[index]
        if time is not None:
            start = max(border, time.start)
            border = max(start, time.end)
            filled.append(Word(given[index].text, start, border, 1.0))
            index += 1
            continue
        last = next((i for i in range(index, len(given)) if times[i] is not None), len(given))
        until = _start(times, last)
        run = given[index:last]
        room = placing.within(spans, border, until)
        needed = sum(letters(word.text) for word in run) / pace
        outer = index == 0 or last == len(given)
        if placing.seconds(room) * _RUSH < needed and (outer or len(run) > _FEW):
            filled += [None] * len(run)
            unspoken.append(run[0].line)
        else:
            # Without any room they have no length.
            filled += placing.spread(run, room) or [Word(w.text, border, border, 1.0) for w in run]
        index = last
    return filled, unspoken


def _start(times: list[Span | None], index: int) -> float:
    time = times[index] if index < len(times) else None
    return time.start if time is not None else float("inf")


def _pace(given: Sequence[GivenWord], times: list[Span | None]) -> float:
    """How many letters were said in a second of the words that were heard."""
    known = [(letters(word.text), time) for word, time in zip(given, times, strict=True) if time]
    spoken = sum(time.seconds for _, time in known)
    return sum(length for length, _ in known) / spoken if spoken > 0 else placing.LEAST_PACE


def _doubts(heard: list[bool]) -> Iterator[tuple[int, int]]:
    """The stretches of words in which too few were heard; they begin and end with such words."""
    count = len(heard)
    window = min(_WINDOW, count)
    sums = [0, *accumulate(heard)]
    doubtful = bytearray(count)
    for first in range(count - window + 1):
        if sums[first + window] - sums[first] < _LEAST_HEARD * window:
            doubtful[first : first + window] = b"\1" * window
    first = 0
    while (first := doubtful.find(b"\1", first)) >= 0:
        last = doubtful.find(b"\0", first)
        last = count if last < 0 else last
        missing = [index for index in range(first, last) if not heard[index]]
        yield missing[0], missing[-1] + 1
        first = last
