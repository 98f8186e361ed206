"""Where clips begin and end: at sentence ends when possible, in the quiet of the pauses.

Nothing is lost here: each stretch of speech is in one of the pieces, with the reason when it
cannot be kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import FRAME_SECONDS
from engine.audio.speech import Span, quiet_level, without_silence
from engine.dataset.clips import Reason, Word
from engine.dataset.grouping import group, text_of
from engine.dataset.settle import settle
from engine.dataset.wordless import wordless

# What is kept of the pause on each side of a clip.
LEAST_PAD, MOST_PAD = 0.06, 0.15
# An edge is moved by 10 ms for so many dB.
_AS_QUIET = 0.3


@dataclass(frozen=True)
class Piece:
    """A part of a recording, in seconds; `reason` tells why it cannot be a clip, if so.

    `extended_from` are the seconds it had before it grew into the silence around it, if it did.
    """

    start: float
    end: float
    words: tuple[Word, ...]
    reason: Reason | None = None
    extended_from: float | None = None

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def text(self) -> str:
        return text_of(self.words)


def segment(
    words: Sequence[Word],
    spans: Sequence[Span],
    levels: Samples,
    seconds: float,
    *,
    shortest: float,
    longest: float,
    fits: Callable[[str], bool] | None = None,
) -> list[Piece]:
    """Cut a recording of `seconds` into pieces that do not overlap, in time order.

    `words` are the recogniser's, `spans` the speech that was found, `levels` those of each 10 ms
    (`engine.audio.pauses.pause_levels`). Pieces without a reason last `shortest` to `longest`
    seconds; their texts fit, as `fits` tells of a text, unless a single word does not. What of the
    speech lies outside of all pieces holds no word, and is silent or shorter than 0.25 s.
    """
    quiet = quiet_level(levels, spans)
    spans = without_silence(spans, levels, quiet)
    settled = settle([word for word in words if word.text.strip()], spans, levels, quiet)
    groups = group(settled, spans, shortest=shortest, longest=longest - 2 * MOST_PAD, fits=fits)
    pieces = [Piece(g[0].start, g[-1].end, tuple(g)) for g in groups]
    taken = [Span(piece.start, piece.end) for piece in pieces]
    rest = wordless(taken, spans, levels, longest - 2 * MOST_PAD)
    pieces += [Piece(span.start, span.end, ()) for span in rest]
    pieces.sort(key=lambda piece: piece.start)
    # To the millisecond, and not behind the last sample.
    seconds = math.floor(seconds * 1000) / 1000
    padded = _extend(_solid(_pad(pieces, levels, seconds)), seconds, shortest)
    return [replace(piece, reason=_reason(piece, shortest, longest)) for piece in padded]


def _reason(piece: Piece, shortest: float, longest: float) -> Reason | None:
    if not piece.words:
        return Reason.NO_WORDS
    if round(piece.seconds, 3) < shortest:
        return Reason.TOO_SHORT
    return Reason.TOO_LONG if piece.seconds > longest else None


def _pad(pieces: list[Piece], levels: Samples, seconds: float) -> list[Piece]:
    """Move the edges of all pieces into the pauses around them."""
    if not pieces:
        return []
    starts = [_edges(float("-inf"), pieces[0].start, levels)[1]]
    ends = []
    for left, right in pairwise(pieces):
        end, start = _edges(left.end, right.start, levels)
        ends.append(end)
        starts.append(start)
    ends.append(_edges(pieces[-1].end, float("inf"), levels)[0])
    return [
        replace(piece, start=min(seconds, start), end=min(seconds, end))
        for piece, start, end in zip(pieces, starts, ends, strict=True)
    ]


def _solid(pieces: list[Piece]) -> list[Piece]:
    """The pieces that last a millisecond; the words of others go to the one before, or after."""
    solid: list[Piece] = []
    words: tuple[Word, ...] = ()
    for piece in pieces:
        if round(piece.end * 1000) > round(piece.start * 1000):
            solid.append(replace(piece, words=words + piece.words))
            words = ()
        elif solid:
            solid[-1] = replace(solid[-1], words=solid[-1].words + piece.words)
        else:
            words += piece.words
    return solid


def _edges(left: float, right: float, levels: Samples) -> tuple[float, float]:
    """Where the sound that ends at `left` is cut off, and where the one from `right` on begins."""
    pause = right - left
    if pause < 2 * LEAST_PAD:
        cut = _quietest(left, right, (left + right) / 2, levels)
        return cut, cut
    if pause < 2 * MOST_PAD:
        cut = _quietest(left + LEAST_PAD, right - LEAST_PAD, (left + right) / 2, levels)
        return min(cut, round(left + MOST_PAD, 3)), max(cut, round(right - MOST_PAD, 3))
    return (
        _quietest(left + LEAST_PAD, left + MOST_PAD, left + MOST_PAD, levels),
        _quietest(right - MOST_PAD, right - LEAST_PAD, right - MOST_PAD, levels),
    )


def _quietest(start: float, end: float, best: float, levels: Samples) -> float:
    """The middle of the quietest 10 ms between two times, to the millisecond.

    Of places that are about as quiet, as in noise, that nearest to `best`.
    """
    total = len(levels) * FRAME_SECONDS
    start, end = max(0.0, min(start, total)), max(0.0, min(end, total))
    first = -int(-start // FRAME_SECONDS)
    window = levels[first : int(end // FRAME_SECONDS)]
    if not len(window):
        return round((start + end) / 2, 3)
    middles = first + np.arange(len(window)) + 0.5
    away = np.abs(middles - min(best, total) / FRAME_SECONDS)
    chosen = middles[int((window + _AS_QUIET * away).argmin())]
    return round(float(chosen) * FRAME_SECONDS, 3)


def _extend(pieces: list[Piece], seconds: float, shortest: float) -> list[Piece]:
    """Let pieces that are too short grow into the silence around them."""
    grown: list[Piece] = []
    for index, piece in enumerate(pieces):
        missing = shortest - piece.seconds
        if piece.words and missing > 0:
            before = piece.start - (grown[-1].end if grown else 0.0)
            after = (pieces[index + 1].start if index + 1 < len(pieces) else seconds) - piece.end
            if before + after >= missing:
                left = min(before, max(missing / 2, missing - after))
                start = round(piece.start - left, 3)
                was, end = round(piece.seconds, 3), round(start + shortest, 3)
                piece = replace(piece, start=start, end=end, extended_from=was)
        grown.append(piece)
    return grown
