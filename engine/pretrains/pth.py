"""Weights files as Applio and RVC load them: a dict with the plain tensors below "model".

Both read nothing else of it, by the older names of weight norm, and compare all names strictly.
Writing one needs torch, so that is done in a process of its own: `python -m engine.pretrains.pth`.
"""

from __future__ import annotations

import os
import pickletools
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from engine import child
from engine.errors import DamagedError
from engine.events import Event
from engine.files import disk_errors
from engine.pretrains.describe import old_name
from engine.text import clean

_KEY = "model"
_RECORD = "/data.pkl"
_MOST_BYTES = 1 << 26
_ENDED = (
    "The process that writes weights for Applio and RVC ended by itself. Run the command again."
)


def loads_there(path: Path, names: Collection[str]) -> bool:
    """Whether a file is such a dict, with tensors of just these names, as far as can be told.

    Its pickle is listed and never loaded. A "no" is always right to act on: the file can be written
    anew from its plain tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            records = [each for each in archive.infolist() if each.filename.endswith(_RECORD)]
            if len(records) != 1 or records[0].file_size > _MOST_BYTES:
                return False
            listed = pickletools.genops(archive.read(records[0]))
            texts = [arg for code, arg, _ in listed if code.name.endswith("BINUNICODE")]
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return False
    return texts[:1] == [_KEY] and set(map(old_name, names)) <= set(texts)


def write(tensors: Path, target: Path, check: Callable[[], None]) -> None:
    """Write a new file for the tools from a safetensors file.

    `check` is called ten times a second and may raise, which ends the process at once; the caller
    removes what was written. Raises DamagedError, DiskFullError, FailedError.
    """
    request = {"tensors": os.path.abspath(tensors), "target": os.path.abspath(target)}
    child.ask(__name__, request, check=check, emit=_ignore, ended=_ENDED)


def _ignore(_event: Event) -> None:
    """There are none."""


def _write(request: dict[str, Any], _emit: Callable[[Event], None]) -> dict[str, Any]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    tensors, target = Path(request["tensors"]), Path(request["target"])
    try:
        state = load_file(tensors)
    except SafetensorError as error:
        raise DamagedError(
            f"{clean(str(tensors))} is damaged ({clean(str(error))}). Get the pretrain again."
        ) from error
    content = {_KEY: {old_name(name): value for name, value in state.items()}}
    # torch refuses to open names that begin with a dot, as those of unfinished files do.
    with disk_errors(target), target.open("xb") as handle:
        torch.save(content, handle)
    return {"size": target.stat().st_size}


if __name__ == "__main__":
    child.serve(_write)
