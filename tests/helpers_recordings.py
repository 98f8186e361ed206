"""Real speech for tests: pieces of the demo's recordings, whose words are known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import voicetui.demo
from engine import project as projects
from engine.audio.decode import read
from engine.audio.resample import resample
from engine.project import Project

SPEECH = Path(voicetui.demo.__file__).parent / "speech"


def recordings_project(folder: Path, base: Path, **values: Any) -> Project:
    """A project whose recordings belong into its folder `rec`, so that it can be moved.

    It takes as little speech as there is; `values` are settings of the dataset.
    """
    (folder / "rec").mkdir(parents=True)
    return projects.create(
        folder,
        name="Anna",
        language="en",
        sources=[folder / "rec"],
        base=str(base),
        values={f"dataset.{key}": value for key, value in {"min_minutes": 0.0, **values}.items()},
    )


def piece(name: str, seconds: float, rate: int) -> NDArray[np.float32]:
    """The first seconds of one of the demo's recordings, at a rate."""
    (path,) = [p for p in SPEECH.glob(f"{name}.*") if p.suffix != ".txt"]
    samples, own = read(path)
    return resample(samples[: round(seconds * own)], own, rate)


def words(text: str) -> list[str]:
    """The words of a text as they are compared: letters only, without numbers."""
    return re.findall(r"[a-z]+", text.lower())


def known_words(name: str, count: int) -> list[str]:
    """The first words of one of the demo's texts."""
    return words((SPEECH / f"{name}.txt").read_text())[:count]


def word_errors(known: list[str], heard: list[str]) -> int:
    """Words to insert, delete or change: the edit distance."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(known, 1):
        left, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            left, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, left + (word != other))
    return row[-1]
