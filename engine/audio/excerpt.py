"""What is looked at of a recording: all of a short one, parts of a long one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.audio.background import pauses
from engine.audio.decode import Samples
from engine.audio.speech import Span

PART_SECONDS = 20.0
MOST_PARTS = 30


@dataclass(frozen=True)
class Part:
    """Samples of shape (n,) from `start` seconds of a recording on, and where somebody speaks.

    `speech` and `pauses` are seconds from the beginning of the part.
    """

    start: float
    samples: Samples
    rate: int
    speech: tuple[Span, ...]
    pauses: tuple[Span, ...]

    def between(self, span: Span) -> Samples:
        """The samples of a stretch of the part."""
        return self.samples[round(span.start * self.rate) : round(span.end * self.rate)]


def excerpt(samples: Samples, rate: int, spans: Sequence[Span]) -> tuple[Part, ...]:
    """Parts of 20 s, 10 minutes at most: of a longer recording spread evenly over its speech."""
    seconds = len(samples) / rate
    quiet = pauses(spans, seconds)
    parts = []
    for start in _starts(seconds, spans):
        end = min(start + PART_SECONDS, seconds)
        parts.append(
            Part(
                start,
                np.asarray(samples[round(start * rate) : round(end * rate)]),
                rate,
                tuple(_inside(spans, start, end)),
                tuple(_inside(quiet, start, end)),
            )
        )
    return tuple(parts)


def _starts(seconds: float, spans: Sequence[Span]) -> Iterator[float]:
    if seconds <= PART_SECONDS * MOST_PARTS:
        yield from np.arange(0.0, seconds, PART_SECONDS).tolist()
        return
    # Places as far into the speech as they would be into the recording without its pauses.
    edges = np.asarray(spans or [Span(0.0, seconds)])
    lengths = edges[:, 1] - edges[:, 0]
    before = np.concatenate([[0.0], np.cumsum(lengths)])
    after = 0.0
    for share in (np.arange(MOST_PARTS) + 0.5) / MOST_PARTS:
        place = share * before[-1]
        index = min(int(np.searchsorted(before, place, "right")) - 1, len(edges) - 1)
        middle = float(edges[index, 0] + place - before[index])
        start = max(after, middle - PART_SECONDS / 2)
        if start + PART_SECONDS <= seconds:
            yield start
            after = start + PART_SECONDS


def _inside(spans: Sequence[Span], start: float, end: float) -> Iterator[Span]:
    for span in spans:
        if span.start < end and span.end > start:
            yield Span(max(span.start, start) - start, min(span.end, end) - start)
