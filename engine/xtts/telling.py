"""What a training tells before its first step, and of its dataset while it trains, as events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.dataset import clips
from engine.events import FilesFound, Samples, Warned
from engine.files import sha256_file
from engine.jobs import Job
from engine.project import Project
from engine.text import clean
from engine.xtts import base as bases

if TYPE_CHECKING:
    from engine.xtts.features import Features


def tell_base(job: Job, base: Path) -> None:
    """That the base is whole. Raises BaseModelError when it is not."""
    bases.check(base)
    job.emit(FilesFound("files of the base", len(bases.FILES), str(base)))


def tell_dataset(job: Job, project: Project, features: Features) -> None:
    """How much there is to train on and to judge with, and whether that is too little."""
    from engine.xtts.mel import SAMPLE_RATE

    job.emit(FilesFound("clips", len(features.entries), str(project.dataset_dir)))
    found: dict[str, tuple[int, float]] = {}
    for split in ("train", "eval"):
        chosen = [features.entries[index] for index in features.of_split(split)]
        found[split] = (len(chosen), round(sum(e.samples for e in chosen) / SAMPLE_RATE, 1))
    (train, train_seconds), (held_out, eval_seconds) = found["train"], found["eval"]
    job.emit(Samples(train, held_out, train_seconds, eval_seconds))
    least = project.settings.dataset.min_minutes
    if told := little_speech((train_seconds + eval_seconds) / 60, least):
        job.emit(told)


def little_speech(minutes: float, least: float) -> Warned | None:
    """What to tell of a dataset with fewer minutes than the setting min_minutes asks for."""
    if minutes >= least:
        return None
    return Warned(
        "small_dataset",
        f"The dataset has {minutes:.1f} min of speech; a voice needs {least:g} min at least.",
        "A training set as small as this is soon learned by heart, and the voice speaks new "
        "sentences worse.",
        "Add recordings of the same person and run 'voicetui prepare'. Until then take few epochs "
        "and watch the held-out loss; --set dataset.min_minutes=0 takes any amount.",
    )


def changes_of(dataset: Path) -> Callable[[], Warned | None]:
    """A look at whether the clips of a dataset are still what they are now."""
    table = dataset / clips.FILE_NAME

    def identity() -> str:
        # A table that is gone was edited too.
        return sha256_file(table) if table.is_file() else ""

    before = identity()

    def look() -> Warned | None:
        if identity() == before:
            return None
        return Warned(
            "dataset_edited",
            f"The dataset ({clean(str(table))}) was edited while this run trains.",
            "The run goes on with the clips that it started with.",
            "Nothing for this run. A new one takes the edited clips ('voicetui train DIR "
            "--fresh'); so does this one when it is continued later, with --inexact.",
        )

    return look
