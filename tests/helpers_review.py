"""A project with a small dataset to review: made recordings, their clips, wavs and tables."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from engine import project as projects
from engine.audio import wav
from engine.audio.decode import read
from engine.audio.resample import resample
from engine.dataset.assemble import Assembled, assemble
from engine.dataset.clips import RATE, Clip, SourceRef, Word
from engine.dataset.cutting import CutSource
from engine.dataset.sources import Source
from engine.project import Project

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Where the clips of a recording lie, in seconds.
SPANS = ((0.5, 2.5), (3.0, 6.0), (6.5, 8.0), (9.5, 11.0), (11.5, 14.0), (14.5, 16.0))


def recording(path: Path, seconds: float = 17.0, rate: int = 48_000, pitch: float = 200.0) -> None:
    """A tone that pauses for 40 ms in each second."""
    time = np.arange(round(seconds * rate)) / rate
    sound = 0.4 * np.sin(2 * np.pi * pitch * time) * (time % 1.0 > 0.04)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound.astype(np.float32), rate)


def source_of(project: Project, name: str) -> Source:
    path = project.folder / name
    return Source(path, name, hashlib.sha256(path.read_bytes()).hexdigest())


def clip_of(source: Source, start: float, end: float, number: int, **values: Any) -> Clip:
    """A kept clip with two words a second."""
    count = max(1, int((end - start) * 2))
    length = (end - start) / count
    words = tuple(
        Word(
            f" {WORDS[(number + place) % len(WORDS)]}",
            round(start + place * length, 3),
            round(start + (place + 1) * length, 3),
            0.9,
        )
        for place in range(count)
    )
    clip = Clip(
        id=f"{source.id}-{round(start * 1000):08d}",
        source=SourceRef(source.name, source.sha256),
        start=start,
        end=end,
        wav=f"wavs/{source.path.stem}_{number:08d}.wav",
        text="".join(word.text for word in words).strip(),
        text_second=None,
        agreement=None,
        words=words,
        language="en",
        speaker="Anna",
        split="",
        state="kept",
        reason="",
        scores={"confidence": 0.9, "tokens": 10.0, "logprob": -0.3},
    )
    return replace(clip, **values)


def lost(clip: Clip, reason: str = "low_confidence") -> Clip:
    """A clip as preparation drops it: never cut."""
    return replace(clip, wav="", state="dropped", reason=reason)


def samples_of(source: Source) -> NDArray[np.float32]:
    samples, rate = read(source.path)
    return resample(samples, rate, RATE)


def prepared(project: Project, cuts: dict[str, Sequence[Clip]]) -> Assembled:
    """What preparation does when all is cut: wavs and tables of clips by recording."""
    results = []
    for name, listed in cuts.items():
        source = source_of(project, name)
        samples = samples_of(source)
        for clip in listed:
            if clip.wav:
                piece = samples[round(clip.start * RATE) : round(clip.end * RATE)]
                wav.write(project.dataset_dir / clip.wav, piece, RATE)
        results.append((source, CutSource(17.0, 14.0, tuple(listed), Counter())))
    return assemble(project, results, outside=[])


def made(folder: Path, change: Callable[[list[Clip]], list[Clip]] = list) -> Project:
    """A project of two recordings; `change` makes other clips of the first."""
    project = projects.create(folder, name="Anna", language="en", sources=[])
    cuts = {}
    for name, pitch in (("rec/talk.wav", 200.0), ("rec/walk.wav", 330.0)):
        recording(project.folder / name, pitch=pitch)
        cuts[name] = fresh(project, name)
    cuts["rec/talk.wav"] = change(cuts["rec/talk.wav"])
    prepared(project, cuts)
    return project


def fresh(project: Project, name: str, spans: Sequence[tuple[float, float]] = SPANS) -> list[Clip]:
    source = source_of(project, name)
    return [clip_of(source, *span, number) for number, span in enumerate(spans, 1)]
