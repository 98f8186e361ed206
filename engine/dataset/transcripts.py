"""What was heard in a recording, kept in the cache chunk by chunk as the recogniser gives it.

One append-only file a recording: a first line with its speech and chunks, then one line a chunk.
A run that was killed goes on with the chunks that have no line yet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.files import Appender, write_bytes

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Segment:
    """Recognised text of one chunk. Times are seconds in the recording.

    `avg_logprob`, `no_speech_prob` and `compression_ratio` are as Whisper defines them.
    """

    start: float
    end: float
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


class Transcript:
    """The transcript of one recording. `heard` holds the segments of the chunks done so far."""

    def __init__(
        self,
        path: Path,
        seconds: float,
        spans: tuple[Span, ...],
        chunks: tuple[Span, ...],
        heard: dict[int, tuple[Segment, ...]],
    ) -> None:
        self.path = path
        self.seconds = seconds
        self.spans = spans
        self.chunks = chunks
        self.heard = heard

    @property
    def missing(self) -> list[int]:
        """The chunks that were not recognised yet."""
        return [index for index in range(len(self.chunks)) if index not in self.heard]

    @property
    def speech_seconds(self) -> float:
        return sum(span.seconds for span in self.spans)

    @property
    def segments(self) -> list[Segment]:
        """All segments in time order."""
        return [segment for index in sorted(self.heard) for segment in self.heard[index]]

    def add(self, index: int, segments: tuple[Segment, ...]) -> None:
        """Keep what was heard in a chunk; it is on the disk when this returns."""
        file = Appender(self.path)
        try:
            line = {"chunk": index, "segments": [as_row(segment) for segment in segments]}
            file.append(_line(line), durable=True)
        finally:
            file.close()
        self.heard[index] = segments


def start(path: Path, seconds: float, spans: list[Span], chunks: list[Span]) -> Transcript:
    """Begin the transcript of a recording. Raises DiskFullError."""
    head = {"v": FORMAT_VERSION, "seconds": seconds, "spans": spans, "chunks": chunks}
    write_bytes(path, _line(head))
    return Transcript(path, seconds, tuple(spans), tuple(chunks), {})


def load(path: Path) -> Transcript | None:
    """The transcript in a file, as far as it goes; None when there is none.

    A last line that a crash tore is cut off.
    """
    if not path.exists():
        return None
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        head, *rows = [json.loads(line) for line in whole.splitlines()]
        if head["v"] != FORMAT_VERSION:
            return None
        heard = {row["chunk"]: tuple(from_row(s) for s in row["segments"]) for row in rows}
        spans = tuple(Span(*span) for span in head["spans"])
        chunks = tuple(Span(*chunk) for chunk in head["chunks"])
    except (ValueError, KeyError, TypeError):
        # It is only a cache: what cannot be read is made again.
        return None
    if len(whole) < len(content):
        with path.open("rb+") as handle:
            handle.truncate(len(whole))
    return Transcript(path, head["seconds"], spans, chunks, heard)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def as_row(segment: Segment) -> list[Any]:
    """A segment as plain JSON values."""
    return [
        segment.start,
        segment.end,
        segment.words,
        segment.avg_logprob,
        segment.no_speech_prob,
        segment.compression_ratio,
    ]


def from_row(row: list[Any]) -> Segment:
    """A segment from its JSON values. Raises TypeError or ValueError when it is not one."""
    start, end, words, *scores = row
    return Segment(start, end, tuple(Word(*word) for word in words), *scores)
