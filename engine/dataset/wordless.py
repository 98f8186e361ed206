"""Speech in which no words were recognised: accounted for in pieces that a person can listen to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import FRAME_SECONDS
from engine.audio.speech import Span
from engine.dataset.grouping import MERGE_PAUSE

# Shorter leftovers of speech without a word are breaths and the ends of sounds.
SLIVER = 0.25
_SMOOTH_FRAMES = 20


def wordless(
    taken: Sequence[Span], spans: Sequence[Span], levels: Samples, longest: float
) -> list[Span]:
    """The speech outside of what is taken, in stretches of up to `longest` seconds.

    `taken` and the `spans` of speech are in time order, `levels` those of each 10 ms. What is
    shorter than 0.25 s is left out.
    """
    stretches: list[Span] = []
    border = 0.0
    for span, before in _left(taken, spans):
        near = stretches and stretches[-1].end >= before and span.start - border < MERGE_PAUSE
        if near and span.end - stretches[-1].start <= longest:
            stretches[-1] = Span(stretches[-1].start, span.end)
        else:
            stretches.append(span)
        border = span.end
    return [part for stretch in stretches for part in _parts(stretch, levels, longest)]


def _left(taken: Sequence[Span], spans: Sequence[Span]) -> Iterator[tuple[Span, float]]:
    """What of the spans is not taken, and where what is taken before it ends."""
    index = 0
    before = 0.0
    for span in spans:
        start = span.start
        while index < len(taken) and taken[index].start < span.end:
            if taken[index].start - start >= SLIVER:
                yield Span(start, taken[index].start), before
            before = taken[index].end
            start = max(start, before)
            if before > span.end:
                break
            index += 1
        if span.end - start >= SLIVER:
            yield Span(start, span.end), before


def _parts(stretch: Span, levels: Samples, longest: float) -> Iterator[Span]:
    """A stretch cut where 0.2 s are quietest."""
    start = stretch.start
    while stretch.end - start > longest:
        latest = min(start + longest, stretch.end - longest / 4)
        first = round((start + longest / 2) / FRAME_SECONDS)
        window = levels[first : round(latest / FRAME_SECONDS)]
        smooth = np.convolve(window, np.ones(_SMOOTH_FRAMES), "valid")
        cut = (first + int(smooth.argmin()) + _SMOOTH_FRAMES // 2) * FRAME_SECONDS
        yield Span(start, round(cut, 3))
        start = round(cut, 3)
    yield Span(start, stretch.end)
