"""Installations of Applio and RVC on this machine, known by their files and never by their names."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import InputError
from engine.text import clean

Tool = Literal["applio", "rvc"]

RVC_FOLDER = "assets/pretrained_v2"
# Where Applio looked for a person's pretrains, the newest place first.
_APPLIO_FOLDERS = (
    "rvc/models/pretraineds/custom",
    "rvc/models/pretraineds/pretraineds_custom",
    "rvc/pretraineds/pretraineds_custom",
)
_APPLIO_TAB = "tabs/train/train.py"
_OLD_NAME = re.compile(r"""["']pretraineds_custom["']""")
_TAB_BYTES = 1 << 20

# From Applio's innermost folder of pretrains to its root.
_LEVELS_ABOVE = 4
_LEVELS_BELOW = 2
_MOST_FOLDERS = 4000
_MOST_SECONDS = 3.0
_USUAL_PLACES = ("/workspace", "/content", "/opt")
# Large folders that no installation is in.
_PASSED_OVER = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True)
class Installation:
    """A tool on this machine. `folder` is where it looks for pretrains; it may not exist yet.

    `engine.pretrains.advice` says what to do there next.
    """

    kind: Tool
    root: Path
    folder: Path

    @property
    def title(self) -> str:
        return "Applio" if self.kind == "applio" else "RVC"


def recognise(path: Path) -> Installation:
    """The installation that a folder is, lies in, or holds. Raises InputError.

    Folders above it are looked at first, then those up to two levels below.
    """
    if not path.is_dir():
        raise InputError(
            f"There is no folder {clean(str(path))}. Give the folder from which you start Applio or "
            "RVC."
        )
    near = Path(os.path.abspath(path))
    for folder in (near, *near.parents[:_LEVELS_ABOVE]):
        if (found := at(folder)) is not None:
            return found
    below = list(_below([near], time.monotonic() + _MOST_SECONDS))
    if len(below) == 1:
        return below[0]
    if below:
        names = ", ".join(clean(str(found.root)) for found in below)
        raise InputError(f"{clean(str(path))} holds {len(below)} installations: {names}. Give one.")
    raise InputError(
        f"{clean(str(path))} is neither Applio (app.py, core.py and rvc/ in one folder) nor RVC "
        "(infer-web.py or webui.py, assets/ and configs/). Give the folder from which you start it."
    )


def find(
    places: Sequence[Path] = (), *, seconds: float = _MOST_SECONDS
) -> tuple[Installation, ...]:
    """Installations in the usual places, or in the given ones, at most two levels down.

    Hidden folders and links are not followed, folders that cannot be read are passed over, and the
    search ends after so many seconds or 4,000 folders: it is a help, and no proof that none exists.
    """
    return tuple(_below(places or _usual_places(), time.monotonic() + seconds))


def _usual_places() -> tuple[Path, ...]:
    return (Path.cwd(), Path.home(), *map(Path, _USUAL_PLACES))


def at(root: Path) -> Installation | None:
    """The installation whose own folder this is, or None."""
    with contextlib.suppress(OSError):
        if _has(root, files=("app.py", "core.py"), folders=("rvc",)):
            return Installation("applio", root, root / _applio_folder(root))
        started = any((root / name).is_file() for name in ("infer-web.py", "webui.py"))
        if started and _has(root, folders=("assets", "configs")):
            return Installation("rvc", root, root / RVC_FOLDER)
    return None


def _has(root: Path, *, files: Sequence[str] = (), folders: Sequence[str] = ()) -> bool:
    return all((root / name).is_file() for name in files) and all(
        (root / name).is_dir() for name in folders
    )


def _applio_folder(root: Path) -> str:
    """Where this version of Applio looks: the place that exists, else the one its code names."""
    there = [name for name in _APPLIO_FOLDERS if (root / name).is_dir()]
    if len(there) == 1:
        return there[0]
    # An Applio that was brought up to date keeps its older folder beside the one that it uses now.
    candidates = there or _APPLIO_FOLDERS
    named = [name for name in candidates if name.endswith("/pretraineds_custom")]
    return named[0] if named and _OLD_NAME.search(_tab(root)) else candidates[0]


def _tab(root: Path) -> str:
    with contextlib.suppress(OSError), (root / _APPLIO_TAB).open("rb") as handle:
        return handle.read(_TAB_BYTES).decode(errors="replace")
    return ""


def _below(places: Sequence[Path], deadline: float) -> Iterator[Installation]:
    """The installations in these folders and up to two levels below, the nearest first."""
    waiting = deque((Path(os.path.abspath(place)), 0) for place in places)
    seen: set[Path] = set()
    while waiting and len(seen) < _MOST_FOLDERS and time.monotonic() < deadline:
        folder, level = waiting.popleft()
        real = Path(os.path.realpath(folder))
        if real in seen:
            continue
        seen.add(real)
        if (found := at(folder)) is not None:
            yield found
        elif level < _LEVELS_BELOW:
            waiting.extend((inner, level + 1) for inner in _folders_in(folder))


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if _is_searched(entry))
    except OSError:
        return []


def _is_searched(entry: os.DirEntry[str]) -> bool:
    hidden = entry.name.startswith(".") or entry.name in _PASSED_OVER
    return not hidden and entry.is_dir(follow_symlinks=False)
