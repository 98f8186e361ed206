"""Judges and converts weights files of strangers, each in a process of its own with limits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine import child
from engine.errors import FailedError, UnsafeFileError
from engine.files import atomic_path, require_space
from engine.hub import never_stop
from engine.pretrains.facts import Facts, facts_from
from engine.text import clean
from engine.weights_form import check_file

# The reader has no use for what a box may hold in its environment, nor for its GPUs.
_ENVIRONMENT = {
    "HF_TOKEN": "",
    "HUGGING_FACE_HUB_TOKEN": "",
    "CUDA_VISIBLE_DEVICES": "",
    "OMP_NUM_THREADS": "1",
}
_SUFFIXES = (".pth", ".pt", ".safetensors", ".ckpt", ".bin")


def weights_in(folder: Path) -> tuple[Path, ...]:
    """The files right in a folder whose names are those of weights, in the order of their names."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    return tuple(sorted(path for path in found if path.is_file()))


def inspect(path: Path, *, check: Callable[[], None] = never_stop) -> Facts:
    """What a weights file is, from its tensors alone; nothing in it is run.

    Takes some seconds. `check` is called ten times a second and may raise, which ends it at once.
    Raises UnsafeFileError when the file holds more than plain tensors, or takes more memory or time
    than a file of its size needs; DamagedError when it is missing, cut short or no weights file.
    """
    return _ask(path, None, check)


def convert(path: Path, target: Path, *, check: Callable[[], None] = never_stop) -> Facts:
    """Like `inspect`; the model's tensors are written to `target` as safetensors.

    Only they are, each whole and with values of its own, under the names that they have in the
    file; optimizers and other leftovers stay behind. `target` is replaced at the end or not at all.
    Raises DiskFullError too.
    """
    check_file(path)
    require_space(target.parent, path.stat().st_size, f"Converting {clean(path.name)}")
    with atomic_path(target) as temporary:
        return _ask(path, temporary, check)


def _ask(path: Path, target: Path | None, check: Callable[[], None]) -> Facts:
    check_file(path)
    request = {
        "path": os.path.abspath(path),
        "target": os.path.abspath(target) if target else "",
    }
    try:
        answer = child.ask(
            "engine.pretrains.reading",
            request,
            check=check,
            emit=lambda _: None,
            ended="",
            environment=_ENVIRONMENT,
        )
    except FailedError as error:
        # Kinds of it are what the process answered; a bare one means that it did not answer.
        if type(error) is not FailedError:
            raise
        # The last line of what it said, whose ends of lines were cleaned.
        said = str(error).rpartition("\u240a")[2].strip()
        raise UnsafeFileError(
            f"{clean(str(path))} was not read: the process that reads it was ended, because it took "
            "more time or memory than a file of its size needs, or broke. A file that does this is "
            f"damaged or made to harm. Take it from its author's own repository. ({said})"
        ) from error
    return facts_from(answer["facts"])
