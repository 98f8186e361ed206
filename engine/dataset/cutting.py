"""One recording cut into clips: its rows, its wavs, and a record of them in the cache."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.audio import wav
from engine.audio.decode import Samples
from engine.audio.level import fade
from engine.audio.loudness import normalised
from engine.audio.quality import RecordingQuality
from engine.dataset import clips
from engine.dataset.clips import MOST_SAMPLES, RATE, Clip, Reason, SourceRef
from engine.dataset.hearing.second import Take
from engine.dataset.judge import Tokenizer, judge
from engine.dataset.names import wav_name
from engine.dataset.pieces import Pieces, read_counts
from engine.dataset.sound import Sound
from engine.dataset.sources import Source
from engine.files import write_json

FORMAT_VERSION = 2
_FADE_SAMPLES = round(0.005 * RATE)


@dataclass(frozen=True)
class CutSource:
    """What one recording gave. `unknown` counts the clips with a character nobody can tokenise.

    `quality` is None where nobody measured it.
    """

    seconds: float
    speech_seconds: float
    clips: tuple[Clip, ...]
    unknown: Counter[str]
    pieces: Pieces = field(default_factory=Pieces)
    quality: RecordingQuality | None = None

    @property
    def kept(self) -> list[Clip]:
        """The clips that are used, suspect ones too."""
        return [clip for clip in self.clips if clip.state != "dropped"]

    @property
    def dropped(self) -> list[Clip]:
        return [clip for clip in self.clips if clip.state == "dropped"]


def describe(
    takes: Sequence[Take],
    source: Source,
    sound: Sound,
    *,
    stem: str,
    language: str,
    tokenizer: Tokenizer,
    most_tokens: int,
) -> tuple[tuple[Clip, ...], Counter[str]]:
    """The pieces of a recording as clips, judged and named, and the characters nobody knows."""
    rows: list[Clip] = []
    unknown: Counter[str] = Counter()
    number = 0
    for take in takes:
        piece = take.piece
        verdict = judge(take, tokenizer, most_tokens)
        unknown.update(verdict.unknown)
        if verdict.state != "dropped" and _samples(piece.start, piece.end)[1] > MOST_SAMPLES:
            verdict = replace(verdict, state="dropped", reason=Reason.TOO_LONG)
        verdict = sound.judge(verdict, piece.start, piece.end)
        used = verdict.state != "dropped"
        number += used
        # Ids stay unique even where a recogniser gives words no length.
        earliest = round(rows[-1].start * 1000) + 1 if rows else 0
        start = max(round(piece.start * 1000), earliest)
        rows.append(
            Clip(
                id=f"{source.id}-{start:08d}",
                source=SourceRef(source.name, source.sha256),
                start=start / 1000,
                end=max(start + 1, round(piece.end * 1000)) / 1000,
                wav=wav_name(stem, number) if used else "",
                text=piece.text,
                text_second=take.second,
                agreement=take.agreement,
                words=piece.words,
                language=language,
                speaker="",
                split="",
                state=verdict.state,
                reason=verdict.reason.value if verdict.reason else "",
                scores=verdict.scores,
            )
        )
    return tuple(rows), unknown


def write_wavs(
    folder: Path,
    rows: Sequence[Clip],
    samples: Samples,
    loudness: float,
    progress: Callable[[int, int], None],
) -> None:
    """Write the wavs of kept clips from the 22,050 Hz samples of their recording, with 5 ms fades.

    Each is brought to a loudness in LUFS first (`engine.audio.loudness`), with 0 to none.
    `progress` gets the clips done and in all before each. Raises DiskFullError.
    """
    kept = [clip for clip in rows if clip.wav]
    for done, clip in enumerate(kept):
        progress(done, len(kept))
        start, length = _samples(clip.start, clip.end)
        piece = samples[start : start + length]
        if loudness:
            piece = normalised(piece, RATE, clip.scores["level"], loudness)
        wav.write(folder / clip.wav, fade(piece, _FADE_SAMPLES), RATE)


def _samples(start: float, end: float) -> tuple[int, int]:
    """The first sample and the number of samples of a clip."""
    first = round(start * RATE)
    return first, round(end * RATE) - first


def save(record: Path, cut: CutSource) -> None:
    """Write what a recording gave into the cache, after its wavs. Raises DiskFullError."""
    write_json(
        record,
        {
            "v": FORMAT_VERSION,
            "seconds": cut.seconds,
            "speech_seconds": cut.speech_seconds,
            "unknown": cut.unknown,
            "pieces": asdict(cut.pieces),
            "quality": cut.quality and asdict(cut.quality),
            # The name may hold bytes that are not text; it is not part of what was computed.
            "clips": [
                clips.as_row(replace(c, source=replace(c.source, path=""))) for c in cut.clips
            ],
        },
    )


def load(record: Path, folders: Sequence[Path], source: Source) -> CutSource | None:
    """What a recording gave before, None when it must be cut again: no record, or a wav is gone.

    A wav may lie in any of the folders.
    """
    try:
        content: dict[str, Any] = json.loads(record.read_text("utf-8"))
        reference = SourceRef(source.name, source.sha256)
        rows = tuple(replace(clips.from_row(row), source=reference) for row in content["clips"])
        cut = CutSource(
            content["seconds"], content["speech_seconds"], rows, Counter(content["unknown"])
        )
        quality = content["quality"] and RecordingQuality(**content["quality"])
        cut = replace(cut, pieces=read_counts(content["pieces"]), quality=quality)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    whole = all(any(_whole(f / clip.wav, clip) for f in folders) for clip in cut.kept)
    return cut if whole and content["v"] == FORMAT_VERSION else None


def _whole(path: Path, clip: Clip) -> bool:
    expected = wav.file_size(_samples(clip.start, clip.end)[1])
    return path.is_file() and path.stat().st_size == expected
