"""Runs of a project: which one the next training goes on with, and whether it can do so exactly."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from engine import lock
from engine.errors import NotExactError, RefusedError
from engine.events import Finished, Resumed, Warned
from engine.files import sweep, write_text
from engine.jobs import Job, job_folders, new_folder
from engine.project import Project
from engine.session import Session
from engine.settings import TrainingSettings
from engine.text import clean
from engine.training import checkpoint
from engine.training.schedule import first_cycle

if TYPE_CHECKING:
    from engine.training.loop import Loop

KIND = "train"
# Settings that change when a run ends or what it keeps, not what it computes.
_HARMLESS = frozenset(
    {
        "epochs",
        "early_stop_epochs",
        "early_stop_change",
        "save_every_steps",
        "keep_checkpoints",
        # What these come to stands among the facts of the device.
        "device",
        "precision",
    }
)
# What decides which clips come when, and what the held-out loss measures.
_ORDER = ("dataset", "settings.batch_size", "settings.accumulation", "settings.seed")
_MEASURE = ("dataset", "base", "settings.text_loss_weight", "settings.mel_loss_weight")


def latest_with_checkpoints(project: Project) -> Path | None:
    """The newest run that holds checkpoints, whole or damaged."""
    runs = [run for run in job_folders(project.runs_dir) if checkpoint.folders(run)]
    return runs[-1] if runs else None


def done_epochs(project: Project) -> int:
    """The epochs that the newest run with checkpoints has done whole."""
    run = latest_with_checkpoints(project)
    whole = checkpoint.readable(run) if run else []
    return whole[0].progress.epoch if whole else 0


def _choose(project: Project, *, resume: bool, fresh: bool) -> Path:
    """The folder of the run to go on with, or of a new one. Raises RefusedError."""
    earlier = latest_with_checkpoints(project)
    if fresh or earlier is None:
        if resume:
            raise RefusedError(
                f"{clean(str(project.folder))} has no run to resume. Train without --resume."
            )
        return new_folder(project.runs_dir)
    done = done_epochs(project)
    if done >= project.settings.training.epochs:
        raise RefusedError(
            f"Run {earlier.name} has done {done} epochs, as many as the project asks for. "
            f"Continue it with '--resume --set epochs={done + max(1, done // 2)}', "
            "or start a new run beside it with --fresh."
        )
    return earlier


def session(
    project: Project,
    work: Callable[[Job], Finished],
    *,
    resume: bool = False,
    fresh: bool = False,
) -> Session:
    """A session that does the work of a run; it holds the project's lock until its end.

    An unfinished run goes on where it stopped; `fresh` starts a new one beside it. Raises
    BusyError, RefusedError and InputError.
    """
    with contextlib.ExitStack() as held:
        held.enter_context(lock.hold(project.folder, KIND))
        run = _choose(project, resume=resume, fresh=fresh)
        sweep(run / checkpoint.FOLDER)
        return Session(Job(run, KIND), work, held.pop_all())


def effective_settings(project: Project, saved: checkpoint.Checkpoint | None) -> TrainingSettings:
    """The project's settings; a resumed run keeps the cosine cycle that it began with."""
    settings = project.settings.training
    if settings.restart_epochs == 0:
        begun = saved.facts["settings"]["restart_epochs"] if saved else first_cycle(settings)
        settings = replace(settings, restart_epochs=begun)
    return settings


def exact_settings(settings: TrainingSettings) -> dict[str, Any]:
    """The settings that a run computes with; they belong to the facts of its checkpoints."""
    return {key: value for key, value in asdict(settings).items() if key not in _HARMLESS}


def write_run(job: Job, project: Project, base: Path, settings: TrainingSettings) -> None:
    """Write run.toml: what a person, and an export, want to know of the run."""
    document = {
        "format": 1,
        "voice": project.name,
        "language": project.language,
        "profile": project.profile,
        "base": project.base,
        "base_folder": str(base),
        "training": asdict(settings),
    }
    write_text(job.folder / "run.toml", tomli_w.dumps(document))


def judge_exactness(
    job: Job, saved: checkpoint.Checkpoint, facts: Mapping[str, Any], *, inexact: bool
) -> set[str]:
    """The facts that changed since the checkpoint; none when the run can go on bit for bit.

    Raises NotExactError unless `inexact` allows the changes.
    """
    changed = checkpoint.differences(saved.facts, facts)
    if not changed:
        return set()
    listed = "; ".join(f"{key} {text}" for key, text in changed.items())
    if not inexact:
        raise NotExactError(
            f"Run {job.folder.name} would not continue exactly: {listed}. Undo the change, allow it "
            "with --inexact, or start a new run beside it with --fresh."
        )
    job.emit(
        Warned(
            "not_exact",
            f"The run goes on with changes: {listed}.",
            "Its losses are no longer those of an uninterrupted run.",
            "Nothing, if you meant to; --fresh starts a clean run.",
        )
    )
    return set(changed)


def restore(
    job: Job,
    loop: Loop,
    saved: checkpoint.Checkpoint,
    damaged: Mapping[Path, str],
    changed: set[str],
) -> None:
    """Take the loop to where the checkpoint stands, and say when newer ones were damaged.

    When the order of the clips changed, the epoch that was begun starts over; when the held-out
    loss measures something else, the best is looked for anew.
    """
    loop.restore(saved)
    if changed.intersection(_ORDER):
        loop.progress = replace(loop.progress, position=0)
    if changed.intersection(_MEASURE):
        loop.progress = replace(loop.progress, best_loss=None, best_step=None, stale=0)
    for folder, message in damaged.items():
        aside = checkpoint.set_aside(folder)
        job.emit(
            Warned(
                "checkpoint_damaged",
                message,
                f"Training went back to step {saved.step}.",
                f"Check the disk. The damaged folder is now called {aside.name}; delete it when "
                "you have seen enough.",
            )
        )
    passed_over = [folder.name for folder in damaged]
    job.emit(Resumed(saved.step, saved.progress.epoch, saved.folder.name, passed_over))
