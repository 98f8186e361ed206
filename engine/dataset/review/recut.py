"""Clips cut anew by a person: split, merged, or taken from their recording after all.

Audio comes from the clip's own wav, or from the recording while that still holds the same bytes.
Nothing is overwritten: each new clip gets a wav with a number of its own, from `FIRST_NUMBER` on.
It is brought to the loudness of all clips, and its scores tell of the sound as it was recorded.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.audio import wav
from engine.audio.decode import Samples, open_stream
from engine.audio.level import fade, frame_levels
from engine.audio.loudness import Meter, normalised
from engine.audio.resample import resample
from engine.dataset import sources
from engine.dataset.clips import MOST_SAMPLES, RATE, Clip, Reason, Word
from engine.dataset.derive import mark, merged
from engine.dataset.grouping import MOST_PAUSE
from engine.dataset.names import wav_name
from engine.dataset.review import texts
from engine.dataset.sound import as_recorded, measured, scores_of_part
from engine.errors import InputError
from engine.files import safe_join
from engine.project import Project
from engine.text import clean

# Preparation numbers the clips of a recording from 1, and never comes so far.
FIRST_NUMBER = 90_000_000
_FADE_SAMPLES = round(0.005 * RATE)
# How far from the wanted time a quieter place is looked for, and what at least remains on a side.
_REACH_SECONDS = 0.15
_LEAST_SECONDS = 0.1
# Read around a piece of a recording, so that the resampler has what it needs.
_MARGIN_SECONDS = 0.5


@dataclass(frozen=True)
class Piece:
    """A new clip and its audio at 22,050 Hz, shape (n,); its `wav` is not named yet."""

    clip: Clip
    samples: Samples


def samples_between(start: float, end: float) -> int:
    """The samples of a clip."""
    return round(end * RATE) - round(start * RATE)


def audio(project: Project, clip: Clip) -> Samples:
    """The audio of a clip, from its wav, else from its recording. Raises InputError."""
    if clip.wav:
        return _read(safe_join(project.dataset_dir, clip.wav))
    return next(from_recording(_recording(project, clip), [(clip.start, clip.end)]))


def rescue(project: Project, lost: Sequence[Clip]) -> Iterator[Piece]:
    """Clips of one recording that have no wav, in time order, with their audio. Raises InputError."""
    path = _recording(project, lost[0])
    pieces = from_recording(path, [(clip.start, clip.end) for clip in lost])
    for clip, samples in zip(lost, pieces, strict=True):
        yield Piece(clip, samples)


def _recording(project: Project, clip: Clip) -> Path:
    path = sources.unchanged(project, clip.source.path, clip.source.sha256)
    if path is None:
        raise InputError(
            "The clip has no audio: it was dropped before it was cut, and its recording "
            f"{clean(clip.source.path)} has changed or is gone. Put it back and try again."
        )
    return path


def from_recording(path: Path, spans: Sequence[tuple[float, float]]) -> Iterator[Samples]:
    """Parts of a recording with 5 ms fades; spans in seconds, by rising start.

    The recording is decoded up to the last. Raises SourceError.
    """
    with open_stream(path) as stream:
        # A whole number of samples at either rate, so that those of the result do not shift.
        step = stream.rate // math.gcd(stream.rate, RATE)
        blocks = iter(stream.blocks)
        waiting: deque[tuple[int, Samples]] = deque()
        done = 0
        for start, end in spans:
            first = int(max(0.0, start - _MARGIN_SECONDS) * stream.rate) // step * step
            last = math.ceil((end + _MARGIN_SECONDS) * stream.rate)
            while done < last and (block := next(blocks, None)) is not None:
                waiting.append((done, block))
                done += len(block)
            while waiting and waiting[0][0] + len(waiting[0][1]) <= first:
                waiting.popleft()
            parts = [block[max(0, first - at) : max(0, last - at)] for at, block in waiting]
            there = resample(np.concatenate(parts), stream.rate, RATE)
            offset = round(start * RATE) - first * RATE // stream.rate
            yield fade(there[offset : offset + samples_between(start, end)], _FADE_SAMPLES)


def split(clip: Clip, samples: Samples, at: float, shortest: float) -> tuple[Piece, Piece]:
    """Two clips from one, cut at the quietest 10 ms near `at` seconds of the recording.

    Words and text are divided with the audio. A side that is shorter than `shortest` seconds or
    has no words is dropped; the second one needs an id. Raises InputError.
    """
    wanted = round((at - clip.start) * RATE)
    least = round(_LEAST_SECONDS * RATE)
    if not least <= wanted <= len(samples) - least:
        raise InputError(
            f"{at - clip.start:.2f} s is not inside the clip, which lasts {clip.seconds:.2f} s. "
            f"Split it at least {_LEAST_SECONDS} s from its ends."
        )
    border = round(clip.start + _quietest(samples, wanted, least) / RATE, 3)
    place = samples_between(clip.start, border)
    index = sum((word.start + word.end) / 2 < border for word in clip.words)
    if clip.words:
        left_text, right_text = texts.divide(clip.text, clip.words, index)
    else:
        share = (border - clip.start) / clip.seconds
        left_text, right_text = texts.cut(clip.text, round(len(clip.text) * share))
    left = replace(clip, end=border, edited=tuple(mark(clip.edited, "end")))
    right = replace(clip, start=border, edited=tuple(mark(clip.edited, "start")))
    parts = _faded(samples[:place], at_end=True), _faded(samples[place:], at_end=False)
    left = replace(left, scores=scores_of_part(clip, samples, parts[0]))
    right = replace(right, scores=scores_of_part(clip, samples, parts[1]))
    return (
        Piece(_part(left, clip.words[:index], left_text, shortest), parts[0]),
        Piece(_part(right, clip.words[index:], right_text, shortest), parts[1]),
    )


def _part(clip: Clip, words: tuple[Word, ...], text: str, shortest: float) -> Clip:
    part = replace(
        clip, wav="", words=words, text=text, text_second=None, agreement=None,
        scores=clip.scores | _confidence(words),
    )  # fmt: skip
    # What was wrong with the whole is not wrong with its parts.
    if part.reason in (Reason.TOO_LONG, Reason.TOO_MANY_TOKENS):
        part = replace(part, state="kept", reason="")
    wrong = None
    if not text:
        wrong = Reason.NO_WORDS
    elif round(part.seconds, 3) < shortest:
        wrong = Reason.TOO_SHORT
    elif samples_between(part.start, part.end) > MOST_SAMPLES:
        wrong = Reason.TOO_LONG
    if wrong and part.state != "dropped":
        part = replace(part, state="dropped", reason=wrong.value, split="")
    return part


def merge(project: Project, left: Clip, right: Clip) -> Piece:
    """One clip from two neighbours, in the state and set of the first that is in use.

    Its audio is that of the recording, else of the two wavs with silence between them. Raises
    InputError when they are too far apart or too long together.
    """
    gap = right.start - left.end
    if not -_LEAST_SECONDS <= gap <= MOST_PAUSE:
        raise InputError(
            f"{gap:.1f} s lie between this clip and the next; {MOST_PAUSE} s is the most. "
            "Leave them apart."
        )
    check_length(left.start, right.end, "Together they last")
    path = sources.unchanged(project, left.source.path, left.source.sha256)
    if path is not None:
        samples = next(from_recording(path, [(left.start, right.end)]))
    else:
        parts = [
            as_recorded(clip, _read(safe_join(project.dataset_dir, clip.wav)))
            for clip in (left, right)
            if clip.wav
        ]
        if len(parts) < 2:
            raise InputError(
                "One of the two clips was never cut, and their recording "
                f"{clean(left.source.path)} has changed or is gone. Put it back and try again."
            )
        silence = np.zeros(max(0, samples_between(left.end, right.start)), np.float32)
        samples = np.concatenate([parts[0], silence, parts[1]])
    first = right if left.state == "dropped" and right.state != "dropped" else left
    words = left.words + right.words
    seconds = (left.text_second, right.text_second)
    clip = replace(
        left,
        end=right.end,
        wav="",
        text=" ".join(f"{left.text} {right.text}".split()),
        text_second=" ".join(text for text in seconds if text) if all(seconds) else None,
        agreement=None,
        words=words,
        split=first.split,
        state=first.state,
        reason=first.reason,
        scores=merged(_merged_scores(left, right), _confidence(words) | measured(samples)),
        edited=tuple(mark((*left.edited, *right.edited), "end")),
    )
    return Piece(clip, samples)


def check_length(start: float, end: float, what: str) -> None:
    """Raise InputError when training would not take so long a clip."""
    if samples_between(start, end) > MOST_SAMPLES:
        raise InputError(
            f"{what} {end - start:.1f} s; training takes {MOST_SAMPLES / RATE:.1f} s at most."
        )


def next_number(dataset: Path) -> int:
    """The first number that no wav has; call it while holding the dataset."""
    numbers = [FIRST_NUMBER - 1]
    with os.scandir(dataset / "wavs") as entries:
        for entry in entries:
            digits = entry.name.removesuffix(".wav")[-9:]
            if digits[:2] == "_9" and digits[1:].isdecimal():
                numbers.append(int(digits[1:]))
    return max(numbers) + 1


def write(project: Project, piece: Piece, number: int, stem: str) -> Clip:
    """Write the wav of a piece; its clip with the name of it. Raises DiskFullError."""
    name = wav_name(stem, number)
    samples = piece.samples
    if target := project.settings.dataset.loudness:
        samples = normalised(samples, RATE, Meter(RATE).loudness(samples), target)
    wav.write(project.dataset_dir / name, samples, RATE)
    return replace(piece.clip, wav=name)


def _read(path: Path) -> Samples:
    """The samples of one of our wavs, so that writing them again gives the same."""
    return wav.read(path, RATE).astype(np.float32) / np.float32(32767)


def _quietest(samples: Samples, wanted: int, least: int) -> int:
    """The middle of the quietest 10 ms near a sample; of equal ones the nearest."""
    frame = round(RATE / 100)
    reach = round(_REACH_SECONDS * RATE)
    first = max(least, wanted - reach)
    last = min(len(samples) - least, wanted + reach)
    levels = frame_levels(samples[first:last], RATE)[: (last - first) // frame]
    if not len(levels):
        return wanted
    middles = first + (np.arange(len(levels)) * frame + frame // 2)
    # Equal to 0.1 dB: in digital silence the nearest place is as good as any.
    order = np.lexsort((np.abs(middles - wanted), np.round(levels, 1)))
    return int(middles[order[0]])


def _faded(samples: Samples, *, at_end: bool) -> Samples:
    """The samples with 5 ms of fade where they were cut."""
    faded = fade(samples, _FADE_SAMPLES)
    half = len(samples) // 2
    if at_end:
        faded[:half] = samples[:half]
    else:
        faded[half:] = samples[half:]
    return faded


def _confidence(words: Sequence[Word]) -> dict[str, float]:
    """The score as `engine.dataset.judge` makes it, none without words."""
    if not words:
        return {}
    logs = [math.log(max(word.probability, 1e-6)) for word in words]
    return {"confidence": round(math.exp(sum(logs) / len(logs)), 4)}


def _merged_scores(left: Clip, right: Clip) -> dict[str, float]:
    """The worse of what holds for both; what only a new look could tell is left out."""
    worse = {"logprob": min, "no_speech": max, "compression": max, "snr": min, "speaker": max}
    return {
        name: choose(left.scores[name], right.scores[name])
        for name, choose in worse.items()
        if name in left.scores and name in right.scores
    }
