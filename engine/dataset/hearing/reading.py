"""One hearing of a piece of a recording, and how far it can be trusted."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, takewhile

from engine.audio.speech import Span
from engine.dataset.clips import Reason, Word
from engine.dataset.given.text import letters
from engine.dataset.hearing.likeness import MOST_REPEATS, repeats
from engine.dataset.hearing.transcripts import Segment
from engine.dataset.segment import Piece

# Whisper's own thresholds for a failed decoding (openai/whisper, transcribe.py).
LEAST_LOGPROB = -1.0
MOST_COMPRESSION = 2.4
MOST_NO_SPEECH = 0.6
# Geometric mean of the word probabilities. Texts that belong to their audio score 0.6 and more,
# with the smallest model too; under the second some of the words are wrong more often than not.
LEAST_CONFIDENCE = 0.4
SURE_CONFIDENCE = 0.7
_SURE_WORD = 0.15
# Letters that are spoken in a second; digits and Chinese characters count for several.
_SLOWEST, _FASTEST = 3.0, 25.0


@dataclass(frozen=True)
class Reading:
    """What was heard once in a piece: `words`, and the segments that they are from.

    `seconds` is how much of the piece is speech.
    """

    words: tuple[Word, ...]
    segments: tuple[Segment, ...]
    seconds: float

    @property
    def text(self) -> str:
        return " ".join("".join(word.text for word in self.words).split())

    @cached_property
    def confidence(self) -> float:
        """Geometric mean of the word probabilities, 0 to 1."""
        logs = [math.log(max(word.probability, 1e-6)) for word in self.words]
        return math.exp(sum(logs) / len(logs)) if logs else 0.0

    @property
    def scores(self) -> dict[str, float]:
        """Its numbers, as far as they are known."""
        scores = {"confidence": round(self.confidence, 4)}
        if self.segments:
            scores["logprob"] = min(segment.avg_logprob for segment in self.segments)
            scores["no_speech"] = max(segment.no_speech_prob for segment in self.segments)
            scores["compression"] = round(compression(self.text), 4)
        return scores

    @property
    def fault(self) -> Reason | None:
        """Why the text cannot be right."""
        if not self.words:
            return Reason.NO_WORDS
        if compression(self.text) > MOST_COMPRESSION or repeats(self.text) > MOST_REPEATS:
            return Reason.REPETITION
        unlikely = any(segment.avg_logprob < LEAST_LOGPROB for segment in self.segments)
        return Reason.LOW_CONFIDENCE if unlikely or self.confidence < LEAST_CONFIDENCE else None

    @property
    def is_doubtful(self) -> bool:
        """Whether the text should be heard again before it is trusted."""
        return (
            self.fault is not None
            or self.confidence < SURE_CONFIDENCE
            or min(word.probability for word in self.words) < _SURE_WORD
            or not _SLOWEST <= self._rate <= _FASTEST
            or any(_is_odd(segment) for segment in self.segments)
        )

    @property
    def _rate(self) -> float:
        spoken = sum(letters(word.text) for word in self.words)
        return spoken / max(self.seconds, 0.01)


def _is_odd(segment: Segment) -> bool:
    return segment.compression_ratio > MOST_COMPRESSION or segment.no_speech_prob > MOST_NO_SPEECH


def compression(text: str) -> float:
    """How much of a text is the same again: its size over its compressed size, as in Whisper."""
    content = text.encode()
    return len(content) / len(zlib.compress(content))


def readings(
    pieces: Sequence[Piece], segments: Sequence[Segment], spans: Sequence[Span]
) -> Iterator[Reading]:
    """What was heard in each piece. Pieces, segments and the speech are in order of their start."""
    first = first_span = 0
    for piece in pieces:
        while first < len(segments) and segments[first].end <= piece.start:
            first += 1
        last = first
        while last < len(segments) and segments[last].start < piece.end:
            last += 1
        while first_span < len(spans) and spans[first_span].end <= piece.start:
            first_span += 1
        yield Reading(
            piece.words,
            tuple(segment for segment in segments[first:last] if segment.end > piece.start),
            speech_within(islice(spans, first_span, None), piece.start, piece.end),
        )


def speech_within(spans: Iterable[Span], start: float, end: float) -> float:
    """How many seconds between two times are speech; `spans` are in time order."""
    within = takewhile(lambda span: span.start < end, spans)
    return sum(max(0.0, min(span.end, end) - max(span.start, start)) for span in within)
