"""Runs of a project: which one the next training goes on with, and whether it can do so exactly."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from engine import lock
from engine.errors import InputError, NotExactError, RefusedError
from engine.events import Finished, Resumed, Warned
from engine.files import sweep, write_text
from engine.jobs import Job, job_folders, new_folder
from engine.project import Project
from engine.session import Session
from engine.settings import TrainingSettings, Value
from engine.text import clean
from engine.training import checkpoint, patience
from engine.training.schedule import LENGTHS, settled

if TYPE_CHECKING:
    from engine.training.loop import Loop

KIND = "train"
RUN_FILE = "run.toml"
# Settings that change when a run ends or what it keeps, not what it computes.
_HARMLESS = frozenset(
    {
        "epochs",
        "early_stop_epochs",
        "early_stop_change",
        "evaluate_every_steps",
        "save_every_steps",
        "keep_checkpoints",
        # What these come to stands among the facts of the dataset and the device.
        "longest_clip_seconds",
        "device",
        "precision",
    }
)
# What decides which clips come when, and what the held-out loss measures.
_ORDER = (
    "dataset",
    "settings.batch_size",
    "settings.batch_tokens",
    "settings.accumulation",
    "settings.seed",
)
_ROOM = (
    "device.name",
    "device.precision",
    "settings.batch_size",
    "settings.batch_tokens",
    "settings.gradient_checkpointing",
    "settings.optimizer",
)
_MEASURE = ("dataset", "base", "settings.text_loss_weight", "settings.mel_loss_weight")


def latest_with_checkpoints(project: Project) -> Path | None:
    """The newest run that holds checkpoints, whole or damaged."""
    runs = [run for run in job_folders(project.runs_dir) if checkpoint.folders(run)]
    return runs[-1] if runs else None


def done_epochs(run: Path) -> int:
    """The epochs that a run has done whole."""
    whole = checkpoint.readable(run)
    return whole[0].progress.epoch if whole else 0


def is_done(project: Project) -> bool:
    """Whether the newest run with checkpoints has done the epochs that it was asked for."""
    run = latest_with_checkpoints(project)
    return run is not None and done_epochs(run) >= effective_settings(project, run).epochs


def with_more(project: Project, epochs: int) -> Project:
    """The project asking its newest run for so many epochs more than it did, or is still to do.

    A run that ended early has them after those that it did, and no longer ends early. Raises
    InputError when there is no run.
    """
    run = latest_with_checkpoints(project)
    if run is None:
        raise InputError(
            f"{clean(str(project.folder))} has no run that --more could continue. Train without it."
        )
    settings, whole = effective_settings(project, run), checkpoint.readable(run)
    progress = whole[0].progress if whole else checkpoint.Progress()
    values: dict[str, Value] = {"training.epochs": max(progress.epoch, settings.epochs) + epochs}
    if patience.is_over(progress, settings):
        values = {"training.epochs": progress.epoch + epochs, "training.early_stop_epochs": 0}
    return project.with_values(values)


def _choose(project: Project, *, resume: bool, fresh: bool) -> Path:
    """The folder of the run to go on with, or of a new one. Raises RefusedError, InputError."""
    runs = job_folders(project.runs_dir)
    # A run that saved nothing is begun again in its own folder.
    unsaved = runs[-1] if runs and not checkpoint.folders(runs[-1]) else None
    earlier = latest_with_checkpoints(project)
    if fresh or earlier is None:
        if resume:
            raise InputError(
                f"{clean(str(project.folder))} has no run to resume. Train without --resume."
            )
        return unsaved or new_folder(project.runs_dir)
    if unsaved is not None and not resume:
        raise RefusedError(
            f"Run {unsaved.name} was begun and saved nothing; run {earlier.name} has checkpoints. "
            f"Go on with {earlier.name} by --resume, or begin {unsaved.name} again with --fresh."
        )
    done = done_epochs(earlier)
    if done >= effective_settings(project, earlier).epochs:
        raise RefusedError(
            f"Run {earlier.name} has done {done} epochs, as many as it was asked for. "
            f"Continue it with '--more {max(1, done // 2)}', "
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


def _recorded(run: Path) -> dict[str, Any]:
    """What run.toml says; nothing for a new run, or when a person broke the file."""
    try:
        return tomllib.loads((run / RUN_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def effective_settings(project: Project, run: Path) -> TrainingSettings:
    """The settings with which a run is begun or goes on.

    A run keeps those that it was begun with, also where they were given for one time only, unless
    project.toml changed since or they are given again now.
    """
    own = asdict(project.own_settings.training)
    record = _recorded(run) if checkpoint.folders(run) else {}
    before, used = record.get("project", {}), record.get("training", {})
    kept = {key: used[key] for key in own if key in used and before.get(key) == own[key]}
    given = {key.partition(".")[2]: value for key, value in project.overrides.items()}
    asked = {key: value for key, value in given.items() if key in own}
    chosen = own | kept | asked
    if chosen["scheduler"] != used.get("scheduler"):
        # The lengths that were settled for another schedule are not this one's.
        chosen |= {key: (own | asked)[key] for key in LENGTHS}
    return settled(TrainingSettings(**chosen))


def exact_settings(settings: TrainingSettings) -> dict[str, Any]:
    """The settings that a run computes with; they belong to the facts of its checkpoints."""
    exact = {key: value for key, value in asdict(settings).items() if key not in _HARMLESS}
    if settings.scheduler == "plateau":
        # The rate follows the evaluations.
        exact["evaluate_every_steps"] = settings.evaluate_every_steps
    return exact


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
        # As project.toml had them, so that a later change there is noticed.
        "project": asdict(project.own_settings.training),
    }
    write_text(job.folder / RUN_FILE, tomli_w.dumps(document))


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

    When the order of the clips changed, the epoch that was begun starts over; when what decides
    about memory changed, batches are no longer halved; when the held-out loss measures something
    else, the best is looked for anew, and plateau begins to count anew.
    """
    loop.restore(saved)
    if changed.intersection(_ORDER):
        loop.progress = replace(loop.progress, position=0)
    if changed.intersection(_MEASURE):
        loop.progress = replace(loop.progress, best_loss=None, best_step=None, evaluations=())
    if changed.intersection(_ROOM):
        loop.progress = replace(loop.progress, halvings=0)
    if "settings.learning_rate" in changed:
        # A person chose a rate in place of the one that was halved.
        loop.progress = replace(loop.progress, rollbacks=0)
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
