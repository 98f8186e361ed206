"""What a project has saved: the checkpoints of all its runs, and its exports, as lists for people."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import DamagedError, RefusedError
from engine.files import remove_dir
from engine.jobs import job_folders
from engine.status import Follower
from engine.text import clean
from engine.training import checkpoint
from engine.training.checkpoint import Checkpoint

_CARD = "voicetui.json"
# The folder of a run with what its checkpoints spoke.
SAMPLES = "samples"


@dataclass(frozen=True)
class Saved:
    """A checkpoint as a list shows it.

    `loss` is the held-out loss after its step, None where none was measured; `time` is when it was
    written (Unix seconds); `damage` says what is wrong with it, "" when its sizes are right.
    `is_best` and `is_last` are within its run; `is_live` tells that the run works now.
    """

    run: str
    folder: Path
    step: int
    epoch: int
    loss: float | None
    bytes: int
    time: float
    is_best: bool
    is_last: bool
    is_live: bool
    damage: str
    checkpoint: Checkpoint | None


@dataclass(frozen=True)
class Export:
    """An export as a list shows it; `step` and `run` are None and "" where its card does not say."""

    folder: Path
    run: str
    step: int | None
    bytes: int
    time: float


def checkpoints(project_folder: Path) -> list[Saved]:
    """The checkpoints of all runs, newest run and step first. Reads manifests and logs."""
    found: list[Saved] = []
    for run in reversed(job_folders(project_folder / "runs")):
        found += of_run(run)
    return found


def of_run(run: Path) -> list[Saved]:
    """The checkpoints of one run, newest first."""
    opened = [_opened(folder) for folder in checkpoint.folders(run)]
    whole = [saved for saved, _ in opened if not isinstance(saved, Path)]
    follower = Follower(run)
    follower.poll()
    state = follower.settle()
    losses = {e.step: e.loss for e in state.evaluations if math.isfinite(e.loss)}
    best = next((c.progress.best_step for c in whole if c.progress.best_step is not None), None)
    # Of a step that was saved again, the newest folder comes first and is the one that is taken.
    best_folder = next((c.folder for c in whole if c.step == best), None)
    listed = []
    for saved, damage in opened:
        if isinstance(saved, Path):
            listed.append(_damaged(run, saved, damage, is_live=not state.ended))
            continue
        listed.append(
            Saved(
                run.name,
                saved.folder,
                saved.step,
                saved.progress.epoch,
                losses.get(saved.step),
                saved.bytes,
                _time(saved.folder),
                saved.folder == best_folder,
                saved is whole[0],
                state.state in ("running", "paused"),
                "",
                saved,
            )
        )
    return listed


def _opened(folder: Path) -> tuple[Checkpoint | Path, str]:
    try:
        return checkpoint.opened(folder), ""
    except DamagedError as error:
        return folder, str(error)


def _damaged(run: Path, folder: Path, damage: str, *, is_live: bool) -> Saved:
    digits = folder.name.removeprefix("step-").partition("-")[0]
    step = int(digits) if digits.isdecimal() else 0
    return Saved(
        run.name,
        folder,
        step,
        0,
        None,
        size_of(folder),
        _time(folder),
        False,
        False,
        is_live,
        damage,
        None,
    )


def exports(project_folder: Path) -> list[Export]:
    """The exports of a project, newest first."""
    found = []
    parent = project_folder / "export"
    for card in parent.glob(f"*/{_CARD}") if parent.is_dir() else ():
        facts = _facts(card)
        step = facts.get("step")
        found.append(
            Export(
                card.parent,
                clean(str(facts.get("run", ""))),
                step if isinstance(step, int) else None,
                size_of(card.parent),
                _time(card.parent),
            )
        )
    return sorted(found, key=lambda export: -export.time)


def samples(project_folder: Path) -> list[Path]:
    """The sentences that checkpoints of any run spoke, as wav files, newest first."""
    return sorted(project_folder.glob(f"runs/*/{SAMPLES}/*.wav"), key=_time, reverse=True)


def _facts(card: Path) -> dict[str, Any]:
    try:
        facts = json.loads(card.read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _time(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def size_of(folder: Path) -> int:
    """The bytes of all files of a folder; what goes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def verify(saved: Saved, check: Callable[[], None] = lambda: None) -> str:
    """What is wrong with every byte of a checkpoint, "" when it is whole.

    `check` is called for every piece that is read and may raise to stop.
    """
    try:
        checkpoint.verify(checkpoint.opened(saved.folder), check)
    except DamagedError as error:
        return str(error)
    return ""


def why_kept(saved: Saved) -> str:
    """Why a checkpoint must not be deleted now, "" when it may be."""
    if saved.is_live and (saved.is_last or saved.is_best):
        which = "newest" if saved.is_last else "best"
        return (
            f"Step {saved.step} is the {which} of run {saved.run}, which works now; stop it first."
        )
    return ""


def delete(saved: Saved) -> None:
    """Delete a checkpoint. Raises RefusedError for the best and the last one of a live run."""
    # The run may have begun, or saved another one, since the list was made.
    now = next((s for s in of_run(saved.folder.parent.parent) if s.folder == saved.folder), saved)
    if reason := why_kept(now):
        raise RefusedError(reason)
    remove_dir(saved.folder)
