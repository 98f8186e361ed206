"""What was installed where: `installed.json` in the state folder, so that it can be undone.

An entry is written before its file gets its name, so none of our files is ever without one.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import lock, places
from engine.errors import BusyError, DamagedError
from engine.files import make_dirs, write_json
from engine.pretrains import record
from engine.pretrains.entry import Role
from engine.text import clean

FILE_NAME = "installed.json"
_LOCKED = "installing"


@dataclass(frozen=True)
class Installed:
    """A file in a tool's folder. `path` is absolute and without links, `since` an ISO time.

    `sha256` is that of the file, `source_sha256` that of the stored file which it was made from.
    """

    path: str
    slug: str
    role: Role
    sha256: str
    source_sha256: str
    since: str


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep other processes of this person from installing meanwhile. Raises BusyError."""
    folder = places.state_dir() / _LOCKED
    make_dirs(folder)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock.hold(folder, "install a pretrain"))
        except BusyError:
            owner = lock.holder(folder)
            since = f" since {time.ctime(owner.since)}" if owner else ""
            raise BusyError(
                f"Another voicetui installs a pretrain{since}. Try again when it is done."
            ) from None
        yield


def read() -> dict[str, Installed]:
    """All entries by path. Raises DamagedError."""
    path = _path()
    try:
        document = json.loads(path.read_bytes())
        found = [record.read(Installed, entry) for entry in document["files"]]
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(
            f"{clean(str(path))} is damaged ({clean(str(error))}). Move it away; files that were "
            "installed before can then only be removed by hand."
        ) from error
    return {each.path: each for each in found}


def add(entry: Installed) -> None:
    """Record a file that is about to get its name. Raises DamagedError, DiskFullError."""
    _save(read() | {entry.path: entry})


def forget(paths: Collection[str]) -> None:
    """Take files out of the record. Raises DamagedError, DiskFullError."""
    _save({path: entry for path, entry in read().items() if path not in paths})


def _save(entries: dict[str, Installed]) -> None:
    files = [record.values_of(entry) for entry in entries.values()]
    write_json(_path(), {"format": record.FORMAT_VERSION, "files": files})


def _path() -> Path:
    return places.state_dir() / FILE_NAME
