"""Speech packed into chunks that the recogniser hears at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import FRAME_SECONDS
from engine.audio.speech import Span

# Whisper hears 30 s at a time, and each chunk costs as much as a full one.
FULL_SECONDS = 28.0
WORTH_SECONDS = 12.0
# Longer pauses inside a chunk make its word times drift.
MAX_PAUSE = 3.0
_MARGIN = 0.2
_SMOOTH_FRAMES = 20


def pack(spans: Sequence[Span], levels: Samples, seconds: float) -> list[Span]:
    """Pack speech into chunks of up to 28 s, cut at the longest pauses, in time order.

    `levels` are those of each 10 ms (`engine.audio.level.frame_levels`); speech without a pause is
    cut where it is quietest. Chunks begin and end up to 0.2 s outside the speech, never beyond the
    middle of a pause, on whole 10 ms.
    """
    pieces = [piece for span in spans for piece in _pieces(span, levels)]
    groups = [group for stretch in _stretches(pieces) for group in _groups(stretch)]
    if not groups:
        return []
    # Rounded down: a chunk must not end behind the last sample.
    seconds = math.floor(seconds / FRAME_SECONDS) * FRAME_SECONDS
    return [
        Span(_outside(before, group[0].start, -1), min(seconds, _outside(after, group[-1].end, 1)))
        for before, group, after in zip(
            [0.0, *(group[-1].end for group in groups[:-1])],
            groups,
            [*(group[0].start for group in groups[1:]), seconds],
            strict=True,
        )
    ]


def _pieces(span: Span, levels: Samples) -> Iterator[Span]:
    """A span in parts that fit into a chunk, cut where 0.2 s are quietest."""
    start = span.start
    while span.end - start > FULL_SECONDS:
        # The rest after the cut must be worth a chunk of its own too.
        latest = min(start + FULL_SECONDS, span.end - WORTH_SECONDS / 2)
        first = round((start + WORTH_SECONDS) / FRAME_SECONDS)
        window = levels[first : round(latest / FRAME_SECONDS) + _SMOOTH_FRAMES]
        smooth = np.convolve(window, np.ones(_SMOOTH_FRAMES), "valid")
        cut = (first + int(smooth.argmin()) + _SMOOTH_FRAMES // 2) * FRAME_SECONDS
        yield Span(start, cut)
        start = cut
    yield Span(start, span.end)


def _stretches(pieces: list[Span]) -> Iterator[list[Span]]:
    """Runs of speech without a pause that is too long for a chunk."""
    stretch: list[Span] = []
    for piece in pieces:
        if stretch and piece.start - stretch[-1].end > MAX_PAUSE:
            yield stretch
            stretch = []
        stretch.append(piece)
    if stretch:
        yield stretch


def _groups(stretch: list[Span]) -> Iterator[list[Span]]:
    """Fill chunks; each ends where the pause is long and the chunk is full."""
    while stretch and stretch[-1].end - stretch[0].start > FULL_SECONDS:
        start = stretch[0].start
        fitting = [i for i, piece in enumerate(stretch) if piece.end - start <= FULL_SECONDS]
        worth = [i for i in fitting if stretch[i].end - start >= WORTH_SECONDS] or fitting[-1:]
        last = max(worth, key=lambda i: _merit(stretch, i))
        yield stretch[: last + 1]
        stretch = stretch[last + 1 :]
    if stretch:
        yield stretch


def _merit(stretch: list[Span], last: int) -> float:
    """How good it is to end a chunk with a piece; half a second of pause is as good as any."""
    pause = stretch[last + 1].start - stretch[last].end
    return min(pause, 0.5) * (stretch[last].end - stretch[0].start)


def _outside(neighbour: float, edge: float, direction: int) -> float:
    """An edge moved outwards into the pause, rounded to 10 ms."""
    room = max(0.0, (neighbour - edge) * direction / 2)
    return round(edge + direction * min(_MARGIN, room), 2)
