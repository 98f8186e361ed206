"""The table of clips, `dataset/clips.jsonl`: every clip, kept or dropped, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NamedTuple

from engine.errors import DatasetError
from engine.files import write_bytes
from engine.text import clean

FILE_NAME = "clips.jsonl"
# What clips' wavs are sampled at in Hz, and the longest that coqui's recipes and demo train
# (`max_wav_length`): 11.6 s.
RATE = 22_050
MOST_SAMPLES = 255_995

Split = Literal["train", "eval", ""]
State = Literal["kept", "dropped", "suspect"]


class Reason(StrEnum):
    """Why a clip was dropped, or is suspect; the last ones are a person's."""

    NO_WORDS = "no_words"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_MANY_TOKENS = "too_many_tokens"
    UNKNOWN_CHARACTERS = "unknown_characters"
    LOW_CONFIDENCE = "low_confidence"
    REPETITION = "repetition"
    LANGUAGE = "language"
    DISAGREEMENT = "disagreement"
    GIVEN_TEXT = "given_text"
    CLIPPING = "clipping"
    SILENCE = "silence"
    BETWEEN_SPLITS = "between_splits"
    BY_HAND = "by_hand"
    NOISE = "noise"
    OTHER_SPEAKER = "other_speaker"
    CUT_OFF = "cut_off"

    @property
    def words(self) -> str:
        return _IN_WORDS[self]

    @property
    def remedy(self) -> str:
        """What a person can do about clips that were dropped for this."""
        return _REMEDIES[self]


# What a person may choose when dropping a clip, the usual one first.
BY_PERSON = (Reason.BY_HAND, Reason.NOISE, Reason.OTHER_SPEAKER, Reason.CUT_OFF)

_IN_WORDS = {
    Reason.NO_WORDS: "speech in which no words were recognised",
    Reason.TOO_SHORT: "too short, and no neighbour or silence to grow into",
    Reason.TOO_LONG: "too long, and no place to cut",
    Reason.TOO_MANY_TOKENS: "more tokens than max_text_tokens",
    Reason.UNKNOWN_CHARACTERS: "characters that the base's vocabulary does not know",
    Reason.LOW_CONFIDENCE: "the recogniser was unsure of the words",
    Reason.REPETITION: "the recogniser repeated itself",
    Reason.LANGUAGE: "another language than the project's",
    Reason.DISAGREEMENT: "heard twice, and the two texts differ",
    Reason.GIVEN_TEXT: "the given transcript may not be what is said here",
    Reason.CLIPPING: "clipped: its waves are cut off at the top",
    Reason.SILENCE: "hardly any sound",
    Reason.BETWEEN_SPLITS: "less than a second from held-out speech",
    Reason.BY_HAND: "dropped by hand",
    Reason.NOISE: "noise, music or another sound over the voice",
    Reason.OTHER_SPEAKER: "somebody else speaks",
    Reason.CUT_OFF: "the first or last word is cut off",
}

_REMEDIES = {
    Reason.NO_WORDS: "Often breath, laughter or music. If somebody speaks there, write the text "
    "and accept the clip, or try a larger asr_model.",
    Reason.TOO_SHORT: "Merge it with the clip beside it, or lower min_clip_seconds.",
    Reason.TOO_LONG: "Split it where the voice pauses.",
    Reason.TOO_MANY_TOKENS: "Split it, or raise max_text_tokens (400 at most).",
    Reason.UNKNOWN_CHARACTERS: "Write the text with characters the base knows, or teach it the "
    "others with 'voicetui vocab'.",
    Reason.LOW_CONFIDENCE: "Listen, correct the text and accept it, or try a larger asr_model.",
    Reason.REPETITION: "Listen, correct the text and accept it.",
    Reason.LANGUAGE: "Set the project's language to the one that is spoken, or take the recording "
    "out.",
    Reason.DISAGREEMENT: "Listen to it: accept the text, or take the other one, or write your own.",
    Reason.GIVEN_TEXT: "Listen to it: accept the text or write your own. Where many are listed, "
    "correct the transcript, or set transcripts to ignore.",
    Reason.CLIPPING: "Take the original from before it was made louder, or record at a lower level. "
    "If it sounds clean to you, accept it.",
    Reason.SILENCE: "If somebody speaks there, make the recording louder and prepare again.",
    Reason.BETWEEN_SPLITS: "Nothing to do: it keeps held-out speech apart from training. More "
    "recordings make this share smaller.",
    Reason.BY_HAND: "Restore it if it was dropped by mistake.",
    Reason.NOISE: "Clean the recording and prepare again; only the voice should be heard.",
    Reason.OTHER_SPEAKER: "Cut the other voice out of the recording and prepare again.",
    Reason.CUT_OFF: "Merge it with the clip beside it, so that the word is whole.",
}


class Word(NamedTuple):
    """A recognised word with the space before it, its times in seconds, and its probability."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class SourceRef:
    """A recording as clips name it: relative to the project where inside it, else absolute."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Clip:
    """One clip. Times are seconds in its source; `wav` is relative to the dataset folder.

    A dropped clip has a `reason` and no `split`, and a `wav` only where it could have been kept.
    `edited` names the fields that a person set.
    """

    id: str
    source: SourceRef
    start: float
    end: float
    wav: str
    text: str
    text_second: str | None
    agreement: float | None
    words: tuple[Word, ...]
    language: str
    speaker: str
    split: Split
    state: State
    reason: str
    scores: dict[str, float] = field(default_factory=dict)
    edited: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return self.end - self.start


def as_row(clip: Clip) -> dict[str, Any]:
    """A clip as plain JSON values."""
    # By hand: `asdict` takes twenty times as long, and a dataset holds thousands.
    return vars(clip) | {"source": vars(clip.source).copy(), "scores": clip.scores.copy()}


def from_row(row: dict[str, Any]) -> Clip:
    """A clip from its JSON values. Raises KeyError, TypeError or ValueError when it is not one."""
    return Clip(
        **row
        | {
            "source": SourceRef(**row["source"]),
            "words": tuple(Word(*word) for word in row["words"]),
            "edited": tuple(row["edited"]),
        }
    )


def read(folder: Path) -> list[Clip]:
    """The clips of a dataset folder; none when it was never prepared. Raises DatasetError."""
    path = folder / FILE_NAME
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(from_row(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise not_a_clip(path, number, error) from error
    return found


def no_clips(folder: Path) -> DatasetError:
    """What is said of a dataset folder without any."""
    return DatasetError(f"{clean(str(folder.parent))} has no clips. Run 'voicetui prepare' first.")


def not_a_clip(path: Path, number: int, error: Exception) -> DatasetError:
    """What is said of a line that holds no clip."""
    return DatasetError(
        f"{clean(str(path))}, line {number} is not a clip ({clean(str(error))}). "
        "Delete the file and run 'voicetui prepare' again; it is made anew from the cache."
    )


def usable(folder: Path, language: str) -> list[Clip]:
    """The clips of a dataset folder that were not dropped, with all of a person's edits.

    Raises DatasetError when there are none, or when they were prepared for another language.
    """
    from engine.dataset import derive  # which stands on this module

    listed = [clip for clip in derive.current(folder) if clip.state != "dropped"]
    if not listed:
        raise no_clips(folder)
    others = {clip.language for clip in listed} - {language}
    if others:
        raise DatasetError(
            f"The clips of {clean(str(folder.parent))} were prepared for {clean(', '.join(sorted(others)))}, but "
            f"project.toml says {clean(language)}. Set language back, or run 'voicetui prepare' again."
        )
    return listed


def encode(clips: Iterable[Clip]) -> bytes:
    """The lines of a table."""
    return b"".join(encode_row(as_row(clip)) for clip in clips)


def write(folder: Path, clips: Iterable[Clip]) -> None:
    """Write the table durably. Raises DiskFullError."""
    write_bytes(folder / FILE_NAME, encode(clips))


def encode_row(row: dict[str, Any]) -> bytes:
    """The line of a clip's JSON values, newline included."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        # A file name with bytes that are not text: escapes bring exactly those bytes back.
        return json.dumps(row, separators=(",", ":"), allow_nan=False).encode() + b"\n"
