"""The text of each piece of a recording, after a second hearing where the first looks wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.audio.speech import Span
from engine.dataset.clips import Reason
from engine.dataset.hearing.chunks import FULL_SECONDS, Chunk
from engine.dataset.hearing.reading import Reading, readings, speech_within
from engine.dataset.hearing.second import Take, choose, once
from engine.dataset.hearing.transcripts import Segment, Transcript
from engine.dataset.segment import Piece


@dataclass
class Counts:
    """Pieces that were heard a second time, see `engine.events.Retranscribed`."""

    suspects: int = 0
    changed: int = 0
    disagree: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Chosen:
    """The pieces of a recording with their texts, and what came of the second hearings."""

    takes: list[Take]
    counts: Counts = field(default_factory=Counts)


def first_only(
    transcript: Transcript, cut: Callable[[Sequence[Segment]], list[Piece]]
) -> list[Take]:
    """The pieces of a recording as they were heard once; `cut` makes them."""
    segments = transcript.segments
    pieces = cut(segments)
    heard = readings(pieces, segments, transcript.spans)
    return [once(piece, reading) for piece, reading in zip(pieces, heard, strict=True)]


def choose_all(
    transcript: Transcript,
    cut: Callable[[Sequence[Segment]], list[Piece]],
    hear_again: Callable[[Sequence[Chunk]], None],
) -> Chosen:
    """The pieces of a recording, each with the better one of its texts.

    Speech without words is heard again first, and what is found there is cut with the rest; then
    pieces whose text looks wrong. `cut` makes pieces of segments, `hear_again` puts what it hears
    into the transcript's `again`.
    """
    counts = Counts()
    found = _found(transcript, cut(transcript.segments), hear_again, counts)
    segments = sorted([*transcript.segments, *found], key=lambda segment: segment.start)
    pieces = cut(segments)
    first = list(readings(pieces, segments, transcript.spans))
    doubtful = {
        index: Chunk((Span(piece.start, piece.end),))
        for index, (piece, reading) in enumerate(zip(pieces, first, strict=True))
        if piece.reason is None and reading.is_doubtful
    }
    hear_again(list(doubtful.values()))
    takes = []
    for index, (piece, reading) in enumerate(zip(pieces, first, strict=True)):
        if index in doubtful:
            second = _reading(transcript.again[doubtful[index]], reading.seconds)
            takes.append(choose(piece, reading, second))
            _count(counts, takes[-1], reading)
        else:
            takes.append(once(piece, reading))
    return Chosen(takes, counts)


def _found(
    transcript: Transcript,
    pieces: Sequence[Piece],
    hear_again: Callable[[Sequence[Chunk]], None],
    counts: Counts,
) -> Iterator[Segment]:
    """The segments that can be trusted of what a second hearing finds in speech without words."""
    chunks = list(_bundles([piece for piece in pieces if piece.reason is Reason.NO_WORDS]))
    hear_again(chunks)
    for chunk in chunks:
        for part in chunk.parts:
            heard = [s for s in transcript.again[chunk] if part.start <= s.start < part.end]
            reading = _reading(heard, speech_within(transcript.spans, part.start, part.end))
            counts.suspects += 1
            if not reading.words:
                continue
            if reading.is_doubtful:
                counts.failed += 1
            else:
                counts.changed += 1
                yield from heard


def _bundles(pieces: Sequence[Piece]) -> Iterator[Chunk]:
    """Pieces as chunks to hear, as few as can be: each costs the same."""
    parts: list[Span] = []
    for piece in pieces:
        part = Span(piece.start, piece.end)
        if parts and sum(other.seconds for other in parts) + part.seconds > FULL_SECONDS:
            yield Chunk(tuple(parts))
            parts = []
        parts.append(part)
    if parts:
        yield Chunk(tuple(parts))


def _reading(segments: Sequence[Segment], seconds: float) -> Reading:
    words = tuple(word for segment in segments for word in segment.words if word.text.strip())
    return Reading(words, tuple(segments), seconds)


def _count(counts: Counts, take: Take, first: Reading) -> None:
    counts.suspects += 1
    counts.failed += take.fault is not None
    if take.fault is None:
        counts.disagree += take.doubt is Reason.DISAGREEMENT
        counts.changed += take.reading is not first and take.agreement != 1.0
