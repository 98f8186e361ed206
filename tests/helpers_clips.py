"""Datasets of any size for the review: clips with words, scores and short wavs, the same each time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engine import project as projects
from engine.audio import wav
from engine.dataset import clips
from engine.dataset.clips import RATE, Clip, Reason, SourceRef, Word
from engine.project import Project

_TEXT = (
    "the river was quiet that morning and nobody had seen boats since late in spring so we "
    "walked along its bank until a small wooden house came into view behind old trees"
)
_WORDS = _TEXT.split()


def made_clip(number: int, source: int, start: float, dice: random.Random) -> Clip:
    """One clip of about four seconds; every seventh is suspect, every eleventh dropped."""
    count = dice.randint(5, 14)
    spoken = [dice.choice(_WORDS) for _ in range(count)]
    step = 0.33
    words = tuple(
        Word(
            f" {word}",
            round(start + 0.1 + step * i, 3),
            round(start + 0.1 + step * i + 0.28, 3),
            round(dice.uniform(0.3, 1.0), 3),
        )
        for i, word in enumerate(spoken)
    )
    text = " ".join(spoken).capitalize() + "."
    state = "dropped" if number % 11 == 5 else "suspect" if number % 7 == 3 else "kept"
    second = text if number % 3 else text.replace("the", "a", 1).replace("was", "", 1)
    return Clip(
        id=f"{source:012x}-{round(start * 1000):08d}",
        source=SourceRef(f"recordings/part {source:03d}.wav", f"{source:064x}"),
        start=round(start, 3),
        end=round(start + 0.2 + step * count, 3),
        wav=f"wavs/part_{source:03d}_{number % 100_000_000:08d}.wav",
        text=text,
        text_second=" ".join(second.split()),
        agreement=round(dice.uniform(0.6, 1.0), 3),
        words=words,
        language="en",
        speaker="made",
        split="" if state == "dropped" else "eval" if source % 10 == 0 else "train",
        state=state,  # type: ignore[arg-type]
        reason=Reason.LOW_CONFIDENCE.value if state == "dropped" else "",
        scores={
            "confidence": round(dice.uniform(0.4, 1.0), 3),
            "tokens": float(count * 3),
            "logprob": round(dice.uniform(-0.9, -0.1), 3),
        },
    )


def made_clips(count: int, *, per_source: int = 100, seed: int = 1) -> Iterator[Clip]:
    """So many clips, in the order of their recordings and time."""
    dice = random.Random(seed)
    start = 0.0
    for number in range(count):
        source, place = divmod(number, per_source)
        start = 0.5 if place == 0 else start
        clip = made_clip(number, source, start, dice)
        start = clip.end + 0.4
        yield clip


def clips_project(
    folder: Path, listed: int | Sequence[Clip] = 12, *, wavs: bool = True, base: str = ""
) -> Project:
    """A project whose dataset holds such clips.

    With `wavs` each gets a wav of its length, without none does: for many clips.
    """
    project = projects.create(
        folder,
        name="Reviewed Voice",
        language="en",
        sources=[],
        **({"base": base} if base else {}),
    )
    write_clips(project, made_clips(listed) if isinstance(listed, int) else listed, wavs=wavs)
    return project


def write_clips(project: Project, listed: Iterator[Clip] | Sequence[Clip], *, wavs: bool) -> None:
    """Write the table of clips and their wavs."""
    dataset = project.dataset_dir
    (dataset / "wavs").mkdir(parents=True, exist_ok=True)
    with (dataset / clips.FILE_NAME).open("wb") as table:
        for clip in listed:
            if wavs and clip.wav:
                write_wav(dataset / clip.wav, clip)
            table.write(clips.encode_row(clips.as_row(clip)))
    (dataset / "summary.json").write_text(json.dumps({"kept_clips": 1}))


def write_wav(path: Path, clip: Clip) -> None:
    """A wav as long as its clip: a hum while a word is spoken, near silence else."""
    count = round(clip.end * RATE) - round(clip.start * RATE)
    times = np.arange(count) / RATE
    samples = 0.002 * np.sin(2 * np.pi * 60 * times)
    for number, word in enumerate(clip.words):
        inside = (times >= word.start - clip.start) & (times < word.end - clip.start)
        loud = 0.15 + 0.1 * (number % 3)
        samples[inside] += loud * np.sin(2 * np.pi * (140 + 20 * (number % 4)) * times[inside])
    wav.write(path, samples.astype(np.float32), RATE)
