"""Checkpoints: everything a run needs to go on as if it had never stopped.

A checkpoint is one folder, committed by one rename after all its files are on the disk. A step that
is saved again, because more is known of it, gets a folder of its own (`step-000400-1`):

    step-000400/
        weights.safetensors     the trained tensors
        optimizer.safetensors   the optimiser's tensors, "<number of the parameter>.<name>"
        rng.safetensors         the states of torch's random generators
        state.json              counters, place in the epoch, best value, other random states
        manifest.json           size and SHA-256 of the files above, and what the run was made of

Nothing in the folder is pickled. The optimiser and the random states may be left out when a
checkpoint is only to be spoken with or exported.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import DamagedError, RefusedError
from engine.files import atomic_dir, remove_dir, require_space, sha256_file, sync_dir, write_json
from engine.text import clean
from engine.training.scaling import FIRST_SCALE, Scale

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
FOLDER = "checkpoints"
MANIFEST = "manifest.json"
STATE = "state.json"
WEIGHTS = "weights.safetensors"
OPTIMIZER = "optimizer.safetensors"
RNG = "rng.safetensors"
_NAME = re.compile(r"step-(\d{6,})(?:-(\d+))?")
_MARGIN_BYTES = 16 << 20
_MAPPED_TENSORS = 16
_TAKE_ANOTHER = "Check the disk, and take another checkpoint or one from a backup."

Tensors = Mapping[str, "torch.Tensor"]


class Evaluation(NamedTuple):
    """A held-out loss after `step`, in epoch `epoch` (from 1); None when it was not finite."""

    epoch: int
    step: int
    loss: float | None


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    `step` optimiser steps are done in all, `epoch` epochs are done whole, and `position` steps of
    the next one. `skipped` counts bad steps in a row, and `rollbacks` how often such a row sent the
    run back, with half the learning rate each time. `halvings` says how often batches were halved
    because memory was too small, `scale` is that of fp16 losses.
    """

    step: int = 0
    epoch: int = 0
    position: int = 0
    clips: int = 0
    seconds: float = 0.0
    best_loss: float | None = None
    best_step: int | None = None
    skipped: int = 0
    rollbacks: int = 0
    evaluations: tuple[Evaluation, ...] = ()
    halvings: int = 0
    scale: Scale = FIRST_SCALE


@dataclass(frozen=True)
class Snapshot:
    """What is written: `facts` say what the run was made of, `host_rng` is plain JSON."""

    progress: Progress
    weights: Tensors
    optimizer: Tensors
    rng: Tensors
    host_rng: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def bytes(self) -> int:
        groups = (self.weights, self.optimizer, self.rng)
        return sum(t.numel() * t.element_size() for group in groups for t in group.values())


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk, its manifest read."""

    folder: Path
    step: int
    progress: Progress
    facts: Mapping[str, Any]
    host_rng: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]]

    @property
    def bytes(self) -> int:
        return sum(int(entry["size"]) for entry in self.files.values())


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _new_folder(run: Path, step: int) -> Path:
    name = f"step-{step:06d}"
    taken = {path.name for path in folders(run)}
    revision = 0
    while (candidate := f"{name}-{revision}" if revision else name) in taken:
        revision += 1
    return run / FOLDER / candidate


def commit(run: Path, snapshot: Snapshot) -> Path:
    """Write a checkpoint and return its folder. Raises DiskFullError before or while writing."""
    from safetensors.torch import save_file

    final = _new_folder(run, snapshot.progress.step)
    require_space(final.parent, snapshot.bytes + _MARGIN_BYTES, "The next checkpoint")
    with atomic_dir(final) as draft:
        groups = {
            WEIGHTS: snapshot.weights,
            OPTIMIZER: snapshot.optimizer,
            RNG: snapshot.rng,
        }
        for name, tensors in groups.items():
            save_file({key: t.detach().contiguous() for key, t in tensors.items()}, draft / name)
        state = {"progress": asdict(snapshot.progress), "host_rng": snapshot.host_rng}
        write_json(draft / STATE, state)
        manifest: dict[str, Any] = {
            "format": FORMAT_VERSION,
            "step": snapshot.progress.step,
            "facts": snapshot.facts,
            "files": {
                name: {
                    "size": (draft / name).stat().st_size,
                    "sha256": sha256_file(draft / name),
                }
                for name in (*groups, STATE)
            },
        }
        write_json(draft / MANIFEST, {**manifest, "self": _digest(manifest)})
    return final


def _progress(state: dict[str, Any]) -> Progress:
    """What `asdict` made of a progress, which knows no tuples once it was JSON."""
    evaluations = tuple(Evaluation(*each) for each in state["evaluations"])
    scale = Scale(*state.get("scale", FIRST_SCALE))
    return Progress(**(state | {"evaluations": evaluations, "scale": scale}))


def opened(folder: Path) -> Checkpoint:
    """Read a checkpoint's manifest and compare the sizes. Raises DamagedError."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        own = manifest.pop("self")
        whole = own == _digest(manifest) and manifest["format"] == FORMAT_VERSION
        files = manifest["files"]
        sizes = {name: (folder / name).stat().st_size for name in files}
        if not whole or any(sizes[name] != entry["size"] for name, entry in files.items()):
            raise ValueError("its files are not those of its manifest")
        state = json.loads((folder / STATE).read_text("utf-8"))
        return Checkpoint(
            folder,
            manifest["step"],
            _progress(state["progress"]),
            manifest["facts"],
            state["host_rng"],
            files,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(
            f"The checkpoint {clean(str(folder))} is damaged: {clean(str(error))}. {_TAKE_ANOTHER}"
        ) from error


def verify(checkpoint: Checkpoint, check: Callable[[], None], *names: str) -> None:
    """Compare the named files, or all, with their SHA-256. Raises DamagedError.

    `check` is called for every piece that is read and may raise to stop.
    """
    for name in names or checkpoint.files:
        path = checkpoint.folder / name
        try:
            digest = sha256_file(path, lambda _: check())
        except OSError as error:
            raise DamagedError(
                f"{clean(str(path))} cannot be read: {clean(str(error))}."
            ) from error
        if digest != checkpoint.files[name]["sha256"]:
            raise DamagedError(
                f"{clean(str(path))} is damaged: its content is not what was written. "
                f"{_TAKE_ANOTHER}"
            )


def folders(run: Path) -> list[Path]:
    """The folders that look like checkpoints of a run, newest step first."""
    parent = run / FOLDER
    if not parent.is_dir():
        return []
    found = [
        (int(match[1]), int(match[2] or 0), path)
        for path in parent.iterdir()
        if (match := _NAME.fullmatch(path.name))
    ]
    return [path for _, _, path in sorted(found, reverse=True)]


def readable(run: Path) -> list[Checkpoint]:
    """The checkpoints whose manifest and sizes are right, newest first."""
    found = []
    for folder in folders(run):
        try:
            found.append(opened(folder))
        except DamagedError:
            continue
    return found


def newest(run: Path, check: Callable[[], None]) -> tuple[Checkpoint, dict[Path, str]] | None:
    """The newest checkpoint whose every byte verifies, and what is wrong with each newer one.

    None when the run has no checkpoints at all. Raises RefusedError when it has some and none is
    whole: a run is never started over in silence.
    """
    damaged: dict[Path, str] = {}
    for folder in folders(run):
        try:
            checkpoint = opened(folder)
            verify(checkpoint, check)
        except DamagedError as error:
            damaged[folder] = str(error)
            continue
        return checkpoint, damaged
    if damaged:
        newest_reason = next(iter(damaged.values()))
        raise RefusedError(
            f"None of the {len(damaged)} checkpoints of {clean(str(run))} is whole. {newest_reason} "
            "Restore one from a backup, or start a new run beside it with --fresh."
        )
    return None


def newest_good(run: Path, check: Callable[[], None]) -> Checkpoint | None:
    """The newest whole checkpoint that no bad step came right before; without one, any whole one."""
    whole = readable(run)
    for checkpoint in sorted(whole, key=lambda each: each.progress.skipped > 0):
        try:
            verify(checkpoint, check)
        except DamagedError:
            continue
        return checkpoint
    return None


def set_aside(folder: Path) -> Path:
    """Rename a damaged checkpoint, so that it is never taken for one and a person can look at it."""
    aside = folder.with_name(f"damaged-{folder.name}-{uuid.uuid4().hex[:6]}")
    folder.rename(aside)
    sync_dir(folder.parent)
    return aside


def pick(run: Path, which: str) -> Checkpoint:
    """The checkpoint that a person named, its content not verified yet: "best", "last" or a step.

    Raises RefusedError with the choices.
    """
    present = readable(run)
    if not present:
        raise RefusedError(
            f"None of the checkpoints of {clean(str(run))} is whole. Restore one from a backup, or "
            "train again."
        )
    best = next((c.progress.best_step for c in present if c.progress.best_step is not None), None)
    step = {"last": present[0].step, "best": present[0].step if best is None else best}.get(which)
    if step is None:
        step = int(which) if which.isdecimal() else -1
    for checkpoint in present:
        if checkpoint.step == step:
            return checkpoint
    choices = ", ".join(str(c.step) for c in present)
    missing = f"{which} (step {step})" if which in ("best", "last") else which
    raise RefusedError(
        f"There is no whole checkpoint {clean(missing)}. Take one of these steps: {choices}."
    )


def prune(run: Path, keep: int, best_step: int | None) -> list[Path]:
    """Delete all but the newest `keep` whole checkpoints and the best; return what was deleted.

    Damaged folders do not count as kept and are left for a person to look at.
    """
    kept: list[int] = []
    doomed: list[Path] = []
    for checkpoint in readable(run):
        superseded = checkpoint.step in kept
        if superseded or (len(kept) >= keep and checkpoint.step != best_step):
            doomed.append(checkpoint.folder)
        else:
            kept.append(checkpoint.step)
    for folder in doomed:
        remove_dir(folder)
    return doomed


def remove_after(run: Path, step: int) -> None:
    """Delete the whole checkpoints of later steps, for a run that went back to `step`."""
    for checkpoint in readable(run):
        if checkpoint.step > step:
            remove_dir(checkpoint.folder)


def kept_until(keep: int) -> str:
    """When `prune` deletes what is saved now, if it is not the best by then, in words."""
    newer = "the next save" if keep == 1 else f"{keep} newer saves"
    return f"{newer} (keep_checkpoints)"


def load_tensors(checkpoint: Checkpoint, name: str) -> dict[str, torch.Tensor]:
    """The tensors of one file of a checkpoint, mapped from disk: they outlive the file's deletion.

    Raises RefusedError when a training run deleted the checkpoint meanwhile.
    """
    from safetensors.torch import load_file

    try:
        return load_file(checkpoint.folder / name)
    except FileNotFoundError as error:
        raise RefusedError(
            f"The checkpoint {clean(str(checkpoint.folder))} is gone: the training went on and no "
            "longer keeps it. Run the command again."
        ) from error


def holds_tensors(checkpoint: Checkpoint, name: str) -> bool:
    """Whether a file of a checkpoint holds any tensors; an optimiser that never stepped has none."""
    from safetensors import safe_open

    with safe_open(checkpoint.folder / name, "pt") as file:
        return bool(list(file.keys()))


def copy_into(checkpoint: Checkpoint, name: str, targets: Tensors) -> None:
    """Copy the tensors of one file of a checkpoint into those of the same names.

    The file is mapped a part at a time, so that it is never in memory beside the targets. Raises
    DamagedError before anything is changed.
    """
    import torch
    from safetensors import safe_open

    path = checkpoint.folder / name
    with safe_open(path, "pt") as file:
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    wrong = set(targets) ^ set(shapes)
    wrong |= {key for key in set(targets) & set(shapes) if tuple(targets[key].shape) != shapes[key]}
    if wrong:
        raise DamagedError(
            f"{clean(str(path))} does not fit the model that is trained here ({clean(', '.join(sorted(wrong)[:3]))}). "
            "Take the base that the run was begun with, or start a new run with --fresh."
        )
    names = list(targets)
    with torch.no_grad():
        for start in range(0, len(names), _MAPPED_TENSORS):
            with safe_open(path, "pt") as file:
                for key in names[start : start + _MAPPED_TENSORS]:
                    targets[key].copy_(file.get_tensor(key))


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """What a run was made of and is no longer: dotted keys, and the change in words."""
    found: dict[str, str] = {}
    for key in sorted({*then, *now}):
        before, after = then.get(key), now.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found |= {f"{key}.{inner}": text for inner, text in differences(before, after).items()}
        elif before != after:
            found[key] = f"was {clean(str(before))} and is {clean(str(after))}"
    return found
