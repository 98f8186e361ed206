"""The projects that were opened last, remembered for the console's first screen.

    {"format": 1, "projects": [{"folder": "/home/ada/my-voice", "opened": 1790000000.1}, …]}

Nothing here ever ends a console: a damaged file is set aside and the list begins anew, and where
nothing can be written nothing is remembered.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine import lock, places
from engine.errors import BusyError, DiskFullError
from engine.files import make_dirs, write_json

FILE_NAME = "recent.json"
FORMAT_VERSION = 1
MAX_FOLDERS = 500
_TICK_SECONDS = 0.01
_PATIENCE_SECONDS = 2.0


def folders() -> list[Path]:
    """The remembered folders, the last opened first; some may be gone by now."""
    return [Path(name) for name in _newest_first(_read())]


def remember(folder: Path) -> None:
    """Put a folder first."""

    def put_first(opened: dict[str, float]) -> None:
        # A clock that was set back must not put it behind the others.
        newest = max(opened.values(), default=0.0)
        opened[_name(folder)] = max(time.time(), newest + _TICK_SECONDS)

    _change(put_first)


def forget(folder: Path) -> None:
    """Take a folder out of the list; its project stays as it is."""
    _change(lambda opened: opened.pop(_name(folder), None))


def _name(folder: Path) -> str:
    # Not resolved: a person knows a folder by the links that lead to it.
    return os.path.abspath(folder)


def _path() -> Path:
    return places.state_dir() / FILE_NAME


def _change(change: Callable[[dict[str, float]], object]) -> None:
    with contextlib.suppress(OSError, DiskFullError), _alone():
        opened = _read()
        change(opened)
        newest = _newest_first(opened)[:MAX_FOLDERS]
        entries = [{"folder": name, "opened": opened[name]} for name in newest]
        write_json(_path(), {"format": FORMAT_VERSION, "projects": entries})


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep other consoles from changing the list meanwhile."""
    folder = places.state_dir()
    make_dirs(folder)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.ExitStack() as held:
        # One that holds it for so long hangs; the list is not worth waiting for it.
        while time.monotonic() < deadline:
            with contextlib.suppress(BusyError):
                held.enter_context(lock.hold(folder, "recent projects"))
                break
        yield


def _newest_first(opened: dict[str, float]) -> list[str]:
    return sorted(opened, key=lambda name: -opened[name])


def _read() -> dict[str, float]:
    """When each folder was opened last, in Unix seconds."""
    path = _path()
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FORMAT_VERSION:
            raise ValueError("another format")
        return {str(entry["folder"]): float(entry["opened"]) for entry in document["projects"]}
    except OSError:
        return {}
    except (ValueError, KeyError, TypeError):
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(".damaged"))
        return {}
