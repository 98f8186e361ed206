"""What was heard in a recording, kept in the cache chunk by chunk as the recogniser gives it.

One append-only file a recording: a first line with its speech and chunks, then one line a chunk,
and one for each that was heard a second time. A run that was killed goes on with what has
no line yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.hearing.chunks import Chunk
from engine.files import Appender, write_bytes

FORMAT_VERSION = 2
# What is less likely is not kept of the languages of a chunk.
_LEAST_LIKELY = 0.001


@dataclass(frozen=True)
class Segment:
    """Recognised text without a long pause. Times are seconds in the recording.

    `avg_logprob`, `no_speech_prob` and `compression_ratio` are as Whisper defines them; all
    segments of a chunk have the same.
    """

    start: float
    end: float
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


@dataclass(frozen=True)
class Heard:
    """What was heard in a chunk.

    `languages` are the probabilities of the spoken language by Whisper's code, the unlikely ones
    left out; none where the model does not tell them apart.
    """

    segments: tuple[Segment, ...]
    languages: Mapping[str, float] = field(default_factory=dict)


class Transcript:
    """The transcript of one recording.

    `heard` holds what was heard in the chunks done so far, `again` the segments of what was heard a
    second time.
    """

    def __init__(
        self,
        path: Path,
        seconds: float,
        spans: tuple[Span, ...],
        chunks: tuple[Chunk, ...],
        heard: dict[int, Heard],
        again: dict[Chunk, tuple[Segment, ...]],
    ) -> None:
        self.path = path
        self.seconds = seconds
        self.spans = spans
        self.chunks = chunks
        self.heard = heard
        self.again = again

    @property
    def missing(self) -> list[int]:
        """The chunks that were not recognised yet."""
        return [index for index in range(len(self.chunks)) if index not in self.heard]

    @property
    def speech_seconds(self) -> float:
        return sum(span.seconds for span in self.spans)

    @property
    def segments(self) -> list[Segment]:
        """All segments of the first hearing, in time order."""
        return [segment for index in sorted(self.heard) for segment in self.heard[index].segments]

    @property
    def languages(self) -> dict[str, float]:
        """How likely each language is spoken, 0 to 1; chunks count by their length."""
        likely: dict[str, float] = {}
        told = {index: heard for index, heard in self.heard.items() if heard.languages}
        seconds = sum(self.chunks[index].seconds for index in told)
        for index, heard in told.items():
            for language, probability in heard.languages.items():
                share = probability * self.chunks[index].seconds / seconds
                likely[language] = likely.get(language, 0.0) + share
        return likely

    def add(self, index: int, heard: Heard) -> None:
        """Keep what was heard in a chunk; it is on the disk when this returns."""
        likely = {k: round(p, 4) for k, p in heard.languages.items() if p >= _LEAST_LIKELY}
        self._append({"chunk": index, "segments": _rows(heard.segments), "languages": likely})
        self.heard[index] = Heard(heard.segments, likely)

    def add_again(self, chunk: Chunk, segments: tuple[Segment, ...]) -> None:
        """Keep what was heard the second time; see `add`."""
        self._append({"again": chunk.parts, "segments": _rows(segments)})
        self.again[chunk] = segments

    def _append(self, row: dict[str, Any]) -> None:
        file = Appender(self.path)
        try:
            file.append(_line(row), durable=True)
        finally:
            file.close()


def start(path: Path, seconds: float, spans: Sequence[Span], chunks: Sequence[Chunk]) -> Transcript:
    """Begin the transcript of a recording. Raises DiskFullError."""
    parts = [chunk.parts for chunk in chunks]
    write_bytes(
        path, _line({"v": FORMAT_VERSION, "seconds": seconds, "spans": spans, "chunks": parts})
    )
    return Transcript(path, seconds, tuple(spans), tuple(chunks), {}, {})


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
        chunks = tuple(Chunk(_spans(parts)) for parts in head["chunks"])
        made = Transcript(path, head["seconds"], _spans(head["spans"]), chunks, {}, {})
        for row in rows:
            segments = tuple(from_row(segment) for segment in row["segments"])
            if "again" in row:
                made.again[Chunk(_spans(row["again"]))] = segments
            else:
                made.heard[row["chunk"]] = Heard(segments, row["languages"])
    except (ValueError, KeyError, TypeError):
        # It is only a cache: what cannot be read is made again.
        return None
    if len(whole) < len(content):
        with path.open("rb+") as handle:
            handle.truncate(len(whole))
    return made


def _spans(rows: list[list[float]]) -> tuple[Span, ...]:
    return tuple(Span(*row) for row in rows)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _rows(segments: Sequence[Segment]) -> list[list[Any]]:
    return [as_row(segment) for segment in segments]


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
