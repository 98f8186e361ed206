"""What became of the speech of a recording while it was cut: counts for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.dataset.clips import Reason
from engine.dataset.marks import ends_sentence

if TYPE_CHECKING:
    from engine.dataset.segment import Piece


@dataclass(frozen=True)
class Pieces:
    """Counts of one recording.

    `spans` of speech were found and became `pieces`; `merged` sentences joined the one before them
    in its piece. `extended` has (start, seconds before, seconds after) of each piece that grew into
    the silence around it. `too_short` and `too_long` pieces could not be mended.
    """

    spans: int = 0
    pieces: int = 0
    merged: int = 0
    extended: tuple[tuple[float, float, float], ...] = ()
    too_short: int = 0
    too_long: int = 0


def count_pieces(pieces: Sequence[Piece], spans: int) -> Pieces:
    """The counts of the pieces that `spans` stretches of speech became."""
    return Pieces(
        spans=spans,
        pieces=len(pieces),
        merged=sum(_joints(piece) for piece in pieces),
        extended=tuple(
            (piece.start, piece.extended_from, round(piece.seconds, 3))
            for piece in pieces
            if piece.extended_from is not None
        ),
        too_short=sum(piece.reason is Reason.TOO_SHORT for piece in pieces),
        too_long=sum(piece.reason is Reason.TOO_LONG for piece in pieces),
    )


def read_counts(values: dict[str, Any]) -> Pieces:
    """The counts from their JSON values. Raises KeyError, TypeError or ValueError."""
    extended = tuple((start, before, after) for start, before, after in values["extended"])
    return Pieces(**values | {"extended": extended})


def _joints(piece: Piece) -> int:
    """How many sentences end inside a piece."""
    return sum(ends_sentence(word.text) for word in piece.words[:-1])
