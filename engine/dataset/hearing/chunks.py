"""Speech packed into chunks that the recogniser hears at once, with its long pauses shortened."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import FRAME_SECONDS
from engine.audio.speech import Span

# Whisper hears 30 s at a time, and each chunk costs as much as a full one.
FULL_SECONDS = 28.0
WORTH_SECONDS = 21.0
# Speech without a pause is cut behind this: the more room, the quieter the place.
_EARLIEST_CUT = 12.0
# What the recogniser hears of a longer pause: half behind the speech before it, half before the
# speech after it. Long pauses inside a chunk make its word times drift, and cost as speech does.
MOST_PAUSE = 0.6
_MARGIN = 0.2
_SMOOTH_FRAMES = 20


@dataclass(frozen=True)
class Chunk:
    """Parts of a recording, in time order, that are heard as if one followed the other."""

    parts: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """How long it is heard."""
        return sum(part.seconds for part in self.parts)

    @property
    def start(self) -> float:
        return self.parts[0].start

    @property
    def end(self) -> float:
        return self.parts[-1].end

    def place(self, start: float, end: float) -> tuple[int, Span]:
        """The part that a stretch of heard time is from, and where in the recording it lies.

        A stretch over several parts belongs to the one that holds most of it, and is cut off there,
        so that it never reaches into what was not heard.
        """
        offsets = [0.0, *accumulate(part.seconds for part in self.parts)]
        held = [min(end, after) - max(start, before) for before, after in pairwise(offsets)]
        index = held.index(max(held))
        part, offset = self.parts[index], offsets[index]
        times = (part.start + time - offset for time in (start, end))
        return index, Span(*(round(min(max(time, part.start), part.end), 3) for time in times))


def pack(spans: Sequence[Span], levels: Samples, seconds: float) -> list[Chunk]:
    """Pack speech into chunks of up to 28 s, divided at the longest pauses, in time order.

    `levels` are those of each 10 ms (`engine.audio.level.frame_levels`); speech without a pause is
    cut where it is quietest. Chunks begin and end up to 0.2 s outside the speech, never beyond the
    middle of a pause; parts lie on whole 10 ms.
    """
    pieces = [piece for span in spans for piece in _pieces(span, levels)]
    # Rounded down: a chunk must not end behind the last sample.
    last = math.floor(seconds / FRAME_SECONDS) * FRAME_SECONDS
    groups = list(_groups(pieces))
    befores = [0.0, *(group[-1].end for group in groups)]
    afters = [*(group[0].start for group in groups[1:]), last]
    return [
        Chunk(tuple(_parts(group, before, after)))
        for before, group, after in zip(befores, groups, afters, strict=False)
    ]


def _pieces(span: Span, levels: Samples) -> Iterator[Span]:
    """A span in parts that fit into a chunk, cut where 0.2 s are quietest."""
    start = span.start
    while span.end - start > FULL_SECONDS:
        # The rest after the cut must be worth hearing too.
        latest = min(start + FULL_SECONDS, span.end - _EARLIEST_CUT / 2)
        first = round((start + _EARLIEST_CUT) / FRAME_SECONDS)
        window = levels[first : round(latest / FRAME_SECONDS) + _SMOOTH_FRAMES]
        smooth = np.convolve(window, np.ones(_SMOOTH_FRAMES), "valid")
        cut = (first + int(smooth.argmin()) + _SMOOTH_FRAMES // 2) * FRAME_SECONDS
        yield Span(start, cut)
        start = cut
    yield Span(start, span.end)


def _groups(pieces: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """Fill chunks; each ends where the pause is long and the chunk is full."""
    while pieces:
        lengths = list(_lengths(pieces))
        if len(lengths) == len(pieces):
            yield pieces
            return
        worth = [i for i, length in enumerate(lengths) if length >= WORTH_SECONDS]
        last = max(worth or [len(lengths) - 1], key=lambda i: _merit(pieces, i, lengths[i]))
        yield pieces[: last + 1]
        pieces = pieces[last + 1 :]


def _lengths(pieces: Sequence[Span]) -> Iterator[float]:
    """How long a chunk of the first pieces would be, as long as it is not too long."""
    length = pieces[0].seconds
    yield length
    for before, piece in pairwise(pieces):
        length += min(piece.start - before.end, MOST_PAUSE) + piece.seconds
        if length > FULL_SECONDS:
            return
        yield length


def _merit(pieces: Sequence[Span], last: int, length: float) -> float:
    """How good it is to end a chunk with a piece; half a second of pause is as good as any."""
    return min(pieces[last + 1].start - pieces[last].end, 0.5) * length


def _parts(group: Sequence[Span], before: float, after: float) -> Iterator[Span]:
    """What is heard of a group that lies between two times of other speech."""
    start = _outside(before, group[0].start, -1)
    for piece, following in pairwise(group):
        if following.start - piece.end > MOST_PAUSE + 2 * FRAME_SECONDS:
            yield Span(start, round(piece.end + MOST_PAUSE / 2, 2))
            start = round(following.start - MOST_PAUSE / 2, 2)
    yield Span(start, _outside(after, group[-1].end, 1))


def _outside(neighbour: float, edge: float, direction: int) -> float:
    """An edge moved outwards into the pause, rounded to 10 ms."""
    room = max(0.0, (neighbour - edge) * direction / 2)
    return round(edge + direction * min(_MARGIN, room), 2)
