"""The whole road with the bundled speech: a base of noise, clips, training, export, speech."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path

from engine import project as projects
from engine import recent
from engine.dataset import prepare
from engine.errors import RefusedError
from engine.events import Finished, Stage
from engine.files import copy_file, sweep
from engine.jobs import Job, new_folder
from engine.project import FILE_NAME, Project
from engine.session import Outcome, Session
from engine.text import clean
from engine.training import runs
from engine.xtts import export, random_base, speak, train

TEXT = "The lighthouse keeper climbs the stairs every evening."
_SOUNDS = (".ogg", ".mp3", ".flac")
# Large steps for a tiny network, so that a minute of training shows a falling loss.
_SETTINGS = {
    "training.epochs": 6,
    "training.batch_size": 4,
    "training.learning_rate": 9e-4,
    "training.final_learning_rate": 1e-4,
    "training.restart_epochs": 6.0,
}


def _make_base(job: Job, folder: Path) -> Finished:
    job.emit(Stage("a tiny base of random weights"))
    sweep(folder.parent)
    random_base.make(folder)
    return Finished({"folder": str(folder)})


def _project(folder: Path, base: Path) -> Project:
    """The demo's project, made on the first call; the recordings are copied into it."""
    if (folder / FILE_NAME).exists():
        return projects.load(folder)
    recordings = folder / "recordings"
    bundled = resources.files("voicetui.demo") / "speech"
    for entry in sorted(bundled.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(_SOUNDS):
            with resources.as_file(entry) as path:
                copy_file(path, recordings / entry.name)
    return projects.create(
        folder,
        name="Demo voice",
        language="en",
        sources=[recordings],
        base=str(base),
        values=_SETTINGS,
    )


def run(folder: Path, complete: Callable[[Session], Outcome]) -> Path:
    """Make the demo voice in a folder and return the wav file that it spoke.

    `complete` runs a session to its end and raises when it did not finish. Called again, it goes on
    where it was interrupted. Raises RefusedError when the folder holds something else.
    """
    base, home = folder / "base", folder / "voice"
    if folder.exists() and any(folder.iterdir()) and not (folder / "jobs").is_dir():
        raise RefusedError(
            f"{clean(str(folder))} holds other files. Give the demo a folder of its own with --dir."
        )
    if not base.exists():
        job = Job(new_folder(folder / "jobs", "base"), "base")
        complete(Session(job, lambda job: _make_base(job, base)))
    project = _project(home, base)
    recent.remember(home)
    complete(prepare.session(project))
    if not runs.is_done(project):
        complete(train.session(project))
    complete(export.session(project, force=True))
    out = home / "hello.wav"
    complete(speak.session(project, TEXT, out=out))
    return out
