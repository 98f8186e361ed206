"""Checks of memory, disks and limits."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from engine import hardware, places, project
from engine.checks.finding import Finding, Surroundings, gigabytes
from engine.errors import VoicetuiError
from engine.settings import TrainingSettings
from engine.text import clean
from engine.training import memory

# On a GPU box: loading a full-size base and taking the optimiser's state off the card for a
# checkpoint hold up to 5 GB (README, "What it costs at full size"; 441 M parameters x 8 bytes).
_GPU_BOX_RAM = 8_000_000_000
# An exported voice: model.pth of XTTS v2.0.3 and small files.
_EXPORT_BYTES = 1_900_000_000
# A base is 2.1 GB, Whisper large-v3 3.1 GB.
_MODELS_BYTES = 5_200_000_000
# Features of a few hours of speech, and the parts of a download.
_CACHE_BYTES = 1_000_000_000
_OPEN_FILES = 1024
_SHARED = Path("/dev/shm")
_SHARED_BYTES = 16 << 20


def ram(at: Surroundings) -> Iterator[Finding]:
    """RAM that this process may use."""
    found = hardware.memory()
    limit = " (the container's limit)" if found.is_limited else ""
    seen = f"{gigabytes(found.available)} of {gigabytes(found.total)} free{limit}"
    if at.graphics.gpus:
        needed, purpose = _GPU_BOX_RAM, "training on a GPU"
    else:
        needed, purpose = memory.least_bytes("cpu"), "training a full-size base on the CPU"
    if found.available >= needed:
        yield Finding("ok", seen)
        return
    yield Finding(
        "warning",
        f"{seen}; {purpose} takes about {gigabytes(needed)}",
        "Close other programs, or take a machine or container with more memory.",
    )


def shared_memory(_at: Surroundings) -> Iterator[Finding]:
    """Room in /dev/shm, where helper processes keep their locks."""
    room = hardware.disk(_SHARED) if _SHARED.is_dir() else None
    if room is None or not os.access(_SHARED, os.W_OK):
        yield Finding(
            "warning",
            "there is none, or it cannot be written",
            "Mount it: 'mount -t tmpfs tmpfs /dev/shm', or start the container without --ipc=none.",
        )
    elif room.free < _SHARED_BYTES:
        yield Finding(
            "warning",
            f"{gigabytes(room.free)} of {gigabytes(room.total)} free",
            "Start the container with --shm-size=1g, or delete what others left in /dev/shm.",
        )
    else:
        yield Finding("ok", f"{gigabytes(room.free)} of {gigabytes(room.total)} free")


def open_files(_at: Surroundings) -> Iterator[Finding]:
    """How many files this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _OPEN_FILES:
        count = "no limit" if soft == resource.RLIM_INFINITY else f"up to {soft} at once"
        yield Finding("ok", count)
        return
    may_raise = hard == resource.RLIM_INFINITY or hard >= _OPEN_FILES
    remedy = f"Run 'ulimit -n {_OPEN_FILES}' in this shell first."
    if not may_raise:
        remedy = f"Ask the administrator for a limit of {_OPEN_FILES} (start docker with --ulimit)."
    yield Finding("warning", f"only {soft} at once", remedy)


def disks(at: Surroundings) -> Iterator[Finding]:
    """Room where the project, the models and the cache live."""
    if at.folder is not None:
        yield _project_disk(at.folder)
    models = places.models_dir("xtts").parent
    has_models = models.is_dir() and any(models.rglob("model.*"))
    yield _disk("models", models, 0 if has_models else _MODELS_BYTES, "a base and a Whisper model")
    yield _disk("cache", places.cache_dir(), _CACHE_BYTES, "features and downloads")


def _project_disk(folder: Path) -> Finding:
    keep = TrainingSettings().keep_checkpoints
    # A folder that is no project yet, or one that cannot be read, gets the default.
    if (folder / "project.toml").exists():
        try:
            keep = project.load(folder).settings.training.keep_checkpoints
        except VoicetuiError as error:
            return Finding("failure", clean(str(error)), "Mend project.toml.", "project")
    room = hardware.disk(folder)
    one = memory.CHECKPOINT_BYTES
    # The newest ones, the best one, and the one that is being written.
    whole = (keep + 2) * one + _EXPORT_BYTES
    if room is None or room.free >= whole:
        return _disk("project", folder, 0, "")
    seen = _seen(folder, room)
    if room.free < one:
        return Finding(
            "failure",
            f"{seen}: less than one full-size checkpoint, {gigabytes(one)}",
            f"Free {gigabytes(one - room.free)} at least, or put the project on another disk.",
            "project",
        )
    return Finding(
        "warning",
        f"{seen}: a full-size checkpoint is {gigabytes(one)}, and a run holds up to {keep + 2}",
        f"Free {gigabytes(whole - room.free)} more, or keep fewer with --set keep_checkpoints=1.",
        "project",
    )


def _disk(name: str, folder: Path, needed: int, purpose: str) -> Finding:
    room = hardware.disk(folder)
    if room is None:
        return Finding(
            "warning",
            f"the system does not tell the room in {clean(str(folder))}",
            "See whether the disk is mounted.",
            name,
        )
    seen = _seen(folder, room)
    if room.free >= needed:
        return Finding("ok", seen, name=name)
    return Finding(
        "warning",
        f"{seen}: {purpose} take about {gigabytes(needed)}",
        f"Free {gigabytes(needed - room.free)} more, or set "
        f"{'XDG_CACHE_HOME' if name == 'cache' else 'XDG_DATA_HOME'} to a folder on another disk.",
        name,
    )


def _seen(folder: Path, room: hardware.Disk) -> str:
    free, total = gigabytes(room.free), gigabytes(room.total)
    return f"{free} of {total} free for {clean(str(folder))}"
