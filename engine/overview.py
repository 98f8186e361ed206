"""A project at a glance, as the list of projects shows it: what it holds and what comes next.

It is read from small files and the ends of logs, so that hundreds of projects can be listed at once.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine import logindex, project
from engine.dataset import clips, summary
from engine.errors import VoicetuiError
from engine.jobs import LOG_NAME
from engine.project import Project
from engine.runstate import RunState, State
from engine.status import newest_jobs, settled
from engine.text import clean
from engine.training import checkpoint
from engine.xtts import own_base

NextStep = Literal[
    "sources", "prepare", "vocab", "review", "train", "resume", "export", "speak", "watch"
]
# What a log without an index is read of; about a hundred steps.
_TAIL_BYTES = 32 << 10
_EDITS = "edits.jsonl"
_EXPORT_CARD = "voicetui.json"


@dataclass(frozen=True)
class ProjectOverview:
    """One line of the list of projects.

    `minutes` and `clips` are those that are kept, for training and held out. `run` is the training
    run that was last heard of, and what follows it is how it stands. `running` names the job that
    works now, `changed` is when anything of this last changed (Unix seconds). With a `problem` the
    project cannot be opened, and most else is empty. `advice` says the next step in a sentence.
    """

    folder: Path
    name: str
    language: str = ""
    base: str = ""
    profile: str = ""
    minutes: float = 0.0
    clips: int = 0
    dropped: int = 0
    run: str = ""
    run_state: State = "new"
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    best_loss: float | None = None
    best_step: int | None = None
    running: str = ""
    changed: float = 0.0
    problem: str = ""
    next_step: NextStep = "sources"
    advice: str = ""


def overview(folder: Path) -> ProjectOverview:
    """Look at the project in a folder. What is wrong with it stands in `problem`."""
    try:
        return _seen(folder, project.load(folder))
    except (VoicetuiError, OSError) as error:
        gone = f"{clean(str(folder))} is gone. Bring it back, or take it off the list."
        problem = clean(str(error)) if os.path.lexists(folder) else gone
        changed = _newest_change([folder / project.FILE_NAME])
        return ProjectOverview(
            folder, folder.name, changed=changed, problem=problem, advice=problem
        )


def _seen(folder: Path, voice: Project) -> ProjectOverview:
    jobs = {job: _state(job) for job in newest_jobs(folder)}
    prepared = _totals(voice)
    totals = prepared or _Totals()
    seen = ProjectOverview(
        folder,
        voice.name,
        voice.language,
        voice.base,
        voice.profile,
        minutes=totals.minutes,
        clips=totals.clips,
        dropped=totals.dropped,
        running=next((job.name for job, state in _running_first(jobs) if not state.ended), ""),
        changed=_newest_change(
            [
                folder / project.FILE_NAME,
                voice.dataset_dir / summary.FILE_NAME,
                voice.dataset_dir / _EDITS,
                *(job / LOG_NAME for job in jobs),
            ]
        ),
    )
    run = next((job for job in jobs if job.parent == voice.runs_dir), None)
    if run is not None:
        seen = _with_run(seen, jobs[run])
    next_step, advice = _next(voice, seen, prepared is not None, run, jobs)
    return replace(seen, next_step=next_step, advice=advice)


def _state(job: Path) -> RunState:
    return settled(job, logindex.glance(job / LOG_NAME, _TAIL_BYTES))


def _running_first(jobs: dict[Path, RunState]) -> Iterable[tuple[Path, RunState]]:
    """The jobs, training runs before others."""
    return sorted(jobs.items(), key=lambda item: item[0].parent.name != "runs")


def _with_run(seen: ProjectOverview, state: RunState) -> ProjectOverview:
    best = state.best
    return replace(
        seen,
        run=state.run,
        run_state=state.state,
        step=state.step,
        steps=state.steps,
        epoch=state.epoch,
        epochs=state.epochs,
        best_loss=best.loss if best else None,
        best_step=best.step if best else None,
    )


@dataclass(frozen=True)
class _Totals:
    """What of a dataset is shown; `clips` and `minutes` are those that are kept."""

    minutes: float = 0.0
    clips: int = 0
    dropped: int = 0


def _totals(voice: Project) -> _Totals | None:
    """The totals of the dataset; None before it was prepared."""
    try:
        read = json.loads((voice.dataset_dir / summary.FILE_NAME).read_bytes())
        seconds = float(read["train_seconds"]) + float(read["eval_seconds"])
        return _Totals(seconds / 60, int(read["kept_clips"]), int(read["dropped_clips"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _newest_change(paths: Iterable[Path]) -> float:
    return max(map(_changed, paths), default=0.0)


def _next(
    voice: Project,
    seen: ProjectOverview,
    prepared: bool,
    run: Path | None,
    jobs: dict[Path, RunState],
) -> tuple[NextStep, str]:
    if seen.running:
        at = f", step {seen.step} of {seen.steps}" if seen.running == seen.run else ""
        what = "Run" if seen.running == seen.run else "Job"
        return "watch", f"{what} {seen.running} is at work{at}: watch it."
    if not seen.clips and not any(path.exists() for path in voice.source_paths):
        missing = "Its recordings are not where they were" if voice.sources else "It has none yet"
        return "sources", f"{missing}: name the recordings of the voice."
    least = voice.settings.dataset.min_minutes
    if run is None and seen.clips and seen.minutes < least:
        few = f"Only {seen.minutes:.1f} of {least:g} min of speech"
        return "sources", f"{few}: add recordings, then prepare again."
    if interrupted := _interrupted_preparation(voice, jobs):
        return "prepare", f"Job {interrupted} was interrupted: go on, what is done is kept."
    if not prepared:
        return "prepare", "Prepare the recordings: cut them into clips with their texts."
    if not seen.clips:
        return "sources", "No clip could be kept: add other recordings, then prepare again."
    if voice.new_language:
        language = clean(voice.language)
        return "vocab", f"The base does not know {language} yet: teach it with 'voicetui vocab'."
    if run is None and _has_new_tokens(voice):
        return "prepare", "The base has learned new tokens: prepare again, which counts with them."
    if run is None:
        if (voice.dataset_dir / _EDITS).exists():
            return "train", f"Train the voice with its {seen.clips} clips."
        return "review", f"Look through the {seen.clips} clips, or train right away."
    return _next_of_run(voice, seen, run)


def _has_new_tokens(voice: Project) -> bool:
    """Whether the project's own vocabulary is newer than its dataset."""
    vocabulary = voice.folder / own_base.FOLDER / own_base.FILE_NAME
    is_own = voice.base == own_base.FOLDER
    return is_own and _changed(vocabulary) > _changed(voice.dataset_dir / summary.FILE_NAME)


def _interrupted_preparation(voice: Project, jobs: dict[Path, RunState]) -> str:
    """The name of a preparation that did not finish and was not made up for since."""
    prepared = _changed(voice.dataset_dir / summary.FILE_NAME)
    interrupted = (
        job.name
        for job, state in jobs.items()
        if state.job == "prepare" and state.state != "finished"
        if _changed(job / LOG_NAME) > prepared
    )
    return next(interrupted, "")


def _next_of_run(voice: Project, seen: ProjectOverview, run: Path) -> tuple[NextStep, str]:
    if not checkpoint.folders(run):
        return "train", f"Run {seen.run} saved nothing: train again."
    if seen.run_state != "finished":
        return "resume", f"Run {seen.run} {seen.run_state} at step {seen.step}: go on with it."
    done = _changed(run / LOG_NAME)
    # Left alone where nothing changed; the summary is written by every preparation.
    if _changed(voice.dataset_dir / clips.FILE_NAME) > done:
        return "train", f"The clips changed after run {seen.run}: train a new run."
    exports = voice.export_dir.glob(f"*/{_EXPORT_CARD}")
    if _newest_change(exports) < done:
        return "export", f"Run {seen.run} is finished: export the voice."
    return "speak", "The voice is exported: let it speak."


def projects_below(folder: Path, depth: int = 2) -> list[Path]:
    """The folders that hold a voice project, in a folder or up to `depth` folders below it.

    Sorted by name. A project is not searched for others, nor are hidden folders and those that
    cannot be read.
    """
    if (folder / project.FILE_NAME).is_file():
        return [folder]
    if depth <= 0:
        return []
    found: list[Path] = []
    with contextlib.suppress(OSError):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_dir() and not entry.name.startswith("."):
                found += projects_below(folder / entry.name, depth - 1)
    return found
