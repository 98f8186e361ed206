"""Which words make a clip: the cheapest way to cut a run of words, by dynamic programming.

Costs are in points that only matter relative to each other: a cut at a sentence end is free, one
inside a sentence costs more the less of a pause there is, and so does a clip outside 3 to 9 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.marks import ends_clause, ends_sentence

# Sentences are not merged over a longer pause, and no clip holds a pause longer than the second.
MERGE_PAUSE = 0.6
MOST_PAUSE = 1.5
# Speech without words inside a clip would be audio without text.
_MOST_WORDLESS = 0.5
_SENTENCE_PAUSE = 0.1
_FULL_PAUSE = 0.5
# A clip whose text is too much is cut again into parts of up to this share.
_HALF = 0.6
# Of the longest clip: 3 s and 9 s where it is 11 s.
_PREFERRED = (3 / 11, 9 / 11)


def text_of(words: Sequence[Word]) -> str:
    """What the words say."""
    return " ".join("".join(word.text for word in words).split())


def group(
    words: Sequence[Word],
    spans: Sequence[Span],
    *,
    shortest: float,
    longest: float,
    fits: Callable[[str], bool] | None = None,
) -> Iterator[list[Word]]:
    """The words in groups of up to `longest` seconds whose texts fit; others are a single word."""
    for run in _runs(words, spans):
        for cut in _cut(run, shortest, longest):
            yield from _fitting(cut, shortest, fits) if fits else [cut]


def _fitting(
    words: list[Word], shortest: float, fits: Callable[[str], bool]
) -> Iterator[list[Word]]:
    """The words of a clip in parts whose texts fit."""
    if len(words) == 1 or fits(text_of(words)):
        yield words
        return
    most = max(_HALF * (words[-1].end - words[0].start), shortest)
    parts = list(_cut(words, shortest, most))
    if len(parts) == 1:
        parts = [words[: len(words) // 2], words[len(words) // 2 :]]
    for part in parts:
        yield from _fitting(part, shortest, fits)


def _runs(words: Sequence[Word], spans: Sequence[Span]) -> Iterator[list[Word]]:
    """Words that may share a clip."""
    run: list[Word] = []
    speech = _SpeechBetween(spans)
    for word in words:
        if run:
            pause = word.start - run[-1].end
            most = MERGE_PAUSE if ends_sentence(run[-1].text) else MOST_PAUSE
            if pause >= most or speech.seconds(run[-1].end, word.start) >= _MOST_WORDLESS:
                yield run
                run = []
        run.append(word)
    if run:
        yield run


class _SpeechBetween:
    """How much speech lies between two times; asked for with rising times."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._first = 0

    def seconds(self, start: float, end: float) -> float:
        while self._first < len(self._spans) and self._spans[self._first].end <= start:
            self._first += 1
        total = 0.0
        for index in range(self._first, len(self._spans)):
            span = self._spans[index]
            if span.start >= end:
                break
            total += min(end, span.end) - max(start, span.start)
        return total


def _cut(run: list[Word], shortest: float, longest: float) -> Iterator[list[Word]]:
    """The cheapest groups of a run."""
    cut_costs = [_cut_cost(left, right) for left, right in pairwise(run)] + [0.0]
    inner = [_inner_cost(left, right) for left, right in pairwise(run)]
    inner_sums = [0.0, *accumulate(inner)]
    pauses = [MERGE_PAUSE, *(right.start - left.end for left, right in pairwise(run)), MERGE_PAUSE]
    best = [0.0]
    previous = [0]
    for end in range(1, len(run) + 1):
        candidates = []
        for start in range(end - 1, -1, -1):
            seconds = run[end - 1].end - run[start].start
            if seconds > longest and start < end - 1:
                break
            room = (pauses[start] + pauses[end]) / 2
            cost = best[start] + _length_cost(seconds, room, shortest, longest)
            candidates.append((cost + inner_sums[end - 1] - inner_sums[start], start))
        cost, start = min(candidates)
        best.append(cost + cut_costs[end - 1])
        previous.append(start)
    yield from _walk_back(run, previous)


def _walk_back(run: list[Word], previous: list[int]) -> list[list[Word]]:
    groups = []
    end = len(run)
    while end:
        groups.append(run[previous[end] : end])
        end = previous[end]
    return groups[::-1]


def _cut_cost(left: Word, right: Word) -> float:
    pause = right.start - left.end
    share = min(pause, _FULL_PAUSE) / _FULL_PAUSE
    if ends_sentence(left.text):
        # Without a pause the mark is an abbreviation's, or the recogniser's fancy.
        return 5.0 * (1.0 - min(max(pause, 0.0), _SENTENCE_PAUSE) / _SENTENCE_PAUSE)
    return (4.0 - share if ends_clause(left.text) else 9.0 - 4.0 * share) + (
        0.0 if pause > 0.0 else 3.0
    )


def _inner_cost(left: Word, right: Word) -> float:
    pause = right.start - left.end
    return (1.0 if ends_sentence(left.text) else 0.0) + max(0.0, pause - _FULL_PAUSE) * 2.0


def _length_cost(seconds: float, room: float, shortest: float, longest: float) -> float:
    """What a length costs, where so many seconds of the silence around can be taken too."""
    low, high = (share * longest for share in _PREFERRED)
    if seconds < shortest:
        return 6.0 if seconds + room >= shortest else 20.0
    return 0.8 * (max(0.0, low - seconds) + max(0.0, seconds - high))
