"""The second hearing: what is made of two texts of the same piece."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.dataset.clips import Reason
from engine.dataset.hearing.likeness import agreement
from engine.dataset.hearing.reading import Reading
from engine.dataset.segment import Piece

# From here on two texts say the same.
SAME = 0.9


@dataclass(frozen=True)
class Take:
    """A piece of a recording with the text that was chosen for it, which `reading` is from.

    `second` is the other text of two, and `agreement` how alike they are, 0 to 1. `doubt` tells why
    the piece is suspect, `fault` why it must be dropped.
    """

    piece: Piece
    reading: Reading
    second: str | None = None
    agreement: float | None = None
    doubt: Reason | None = None
    fault: Reason | None = None


def once(piece: Piece, reading: Reading) -> Take:
    """A piece that was heard once."""
    return Take(piece, reading, fault=reading.fault)


def choose(piece: Piece, first: Reading, second: Reading) -> Take:
    """A piece with the better one of two texts.

    Texts that say the same are kept; one that is clear replaces one that cannot be right. What is
    left is dropped when neither can be right, and suspect otherwise.
    """
    alike = agreement(first.text, second.text)
    take_second = second.fault is None and (
        first.fault is not None or second.confidence > first.confidence
    )
    taken, other = (second, first) if take_second else (first, second)
    settled = alike >= SAME or (first.fault is not None and not second.is_doubtful)
    return Take(
        replace(piece, words=taken.words),
        taken,
        other.text,
        round(alike, 4),
        doubt=None if settled else Reason.DISAGREEMENT,
        fault=taken.fault,
    )
