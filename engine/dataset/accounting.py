"""What became of every second of the recordings, `dataset/recordings.jsonl`: one line a source file.

The time of a recording that is used is shared out to the millisecond, and nothing is counted twice:

    kept + dropped + non-speech = its length        (suspect is a part of kept)

"kept" and "dropped" are the times of its clips of that state, "non-speech" is what lies outside of
all clips. Preparation writes the file, and an edit in the review writes it again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.dataset.clips import encode_row
from engine.dataset.metadata import Listed
from engine.dataset.pieces import Pieces, read_counts
from engine.errors import DatasetError
from engine.text import clean

if TYPE_CHECKING:
    from engine.audio.quality import RecordingQuality
    from engine.dataset.cutting import CutSource
    from engine.dataset.sources import Source

FILE_NAME = "recordings.jsonl"


@dataclass(frozen=True)
class Recording:
    """One source file. Times are seconds, to the millisecond; all 0 where it is not used.

    A duplicate holds the same bytes as `same_as`, which is used instead; `message` tells why a
    failed one cannot be used. `clips` counts its clips by state, `pieces` is how they were cut.
    `quality` has what else is in `measured`, nothing where it was not.
    """

    path: str
    sha256: str
    state: Literal["used", "duplicate", "failed"]
    same_as: str = ""
    message: str = ""
    rate: int = 0
    channels: int = 0
    format: str = ""
    seconds: float = 0.0
    kept_seconds: float = 0.0
    suspect_seconds: float = 0.0
    dropped_seconds: float = 0.0
    non_speech_seconds: float = 0.0
    clips: dict[str, int] = field(default_factory=dict)
    pieces: Pieces = field(default_factory=Pieces)
    quality: dict[str, Any] = field(default_factory=dict)

    @property
    def measured(self) -> RecordingQuality | None:
        """How it sounds. Raises TypeError when the line is of another version."""
        from engine.audio.quality import RecordingQuality

        if not self.quality:
            return None
        return RecordingQuality(
            rate=self.rate,
            channels=self.channels,
            format=self.format,
            seconds=self.seconds,
            **self.quality,
        )


def used(source: Source, cut: CutSource) -> Recording:
    """The line of a recording that gave clips; `accounted` fills in its times."""
    measured = asdict(cut.quality) if cut.quality is not None else {}
    measured.pop("seconds", None)
    return Recording(
        source.name,
        source.sha256,
        "used",
        rate=measured.pop("rate", 0),
        channels=measured.pop("channels", 0),
        format=measured.pop("format", ""),
        seconds=round(cut.seconds, 3),
        pieces=cut.pieces,
        quality=measured,
    )


def accounted(recordings: Iterable[Recording], clips: Iterable[Listed]) -> list[Recording]:
    """The lines with the times of these clips, of which those of a recording are in time order."""
    by_source: dict[str, list[Listed]] = {}
    for clip in clips:
        by_source.setdefault(clip.source.sha256, []).append(clip)
    return [
        _shared_out(each, by_source.get(each.sha256, ())) if each.state == "used" else each
        for each in recordings
    ]


def _shared_out(recording: Recording, clips: Sequence[Listed]) -> Recording:
    """The time of a recording, each millisecond to the first clip that holds it."""
    whole = round(recording.seconds * 1000)
    times: Counter[str] = Counter()
    reached = 0
    for clip in clips:
        start, end = round(clip.start * 1000), min(whole, round(clip.end * 1000))
        times[clip.state] += max(0, end - max(start, reached))
        reached = max(reached, end)
    kept = times["kept"] + times["suspect"]
    return replace(
        recording,
        kept_seconds=kept / 1000,
        suspect_seconds=times["suspect"] / 1000,
        dropped_seconds=times["dropped"] / 1000,
        non_speech_seconds=(whole - kept - times["dropped"]) / 1000,
        clips=dict(sorted(Counter(clip.state for clip in clips).items())),
    )


def totals(recordings: Sequence[Recording]) -> dict[str, float]:
    """The times of all recordings together: input = kept + dropped + non-speech, exactly."""
    return {
        name: _sum(getattr(each, f"{key}seconds") for each in recordings)
        for name, key in (
            ("input_seconds", ""),
            ("kept_seconds", "kept_"),
            ("suspect_seconds", "suspect_"),
            ("dropped_seconds", "dropped_"),
            ("non_speech_seconds", "non_speech_"),
        )
    }


def _sum(seconds: Iterable[float]) -> float:
    return sum(round(each * 1000) for each in seconds) / 1000


def encode(recordings: Iterable[Recording]) -> bytes:
    """The lines of the file."""
    return b"".join(encode_row(asdict(each)) for each in recordings)


def read(folder: Path) -> list[Recording]:
    """The recordings of a dataset folder; none before it was prepared. Raises DatasetError."""
    path = folder / FILE_NAME
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            found.append(Recording(**values | {"pieces": read_counts(values["pieces"])}))
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{clean(str(path))}, line {number} is no recording ({clean(str(error))}). "
                "Run 'voicetui prepare' again; it writes the file anew."
            ) from error
    return found
