"""A folder that gets its name only when every file of it is there and verified.

It grows in `.part-<name>` beside its place; a later attempt goes on with what is there already.
`fetched.json` in the folder records where each file came from, and what it was.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine import lock
from engine.errors import BusyError, InputError, RefusedError
from engine.files import commit_dir, safe_join, write_json
from engine.text import clean

RECORD = "fetched.json"
FORMAT_VERSION = 1
_LOCK_NAMES = (lock.LOCK_NAME, lock.OWNER_NAME)
OWN_NAMES = (RECORD, *_LOCK_NAMES)


@dataclass(frozen=True)
class Entry:
    """One file of a fetched folder: `commit` is what `revision` meant then, `size` is in bytes."""

    repository: str
    revision: str
    commit: str
    size: int
    sha256: str


def read(folder: Path) -> dict[str, Entry]:
    """The files that the record of a folder names; none when it has no readable record."""
    try:
        document = json.loads((folder / RECORD).read_bytes())
        return {name: Entry(**entry) for name, entry in document["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def whole(folder: Path) -> dict[str, Entry]:
    """The files of a fetched folder if they are all there in their recorded sizes, else none."""
    entries = read(folder)
    sizes = {
        name: path.stat().st_size if (path := safe_join(folder, name)).is_file() else -1
        for name in entries
    }
    return entries if all(sizes[name] == entry.size for name, entry in entries.items()) else {}


class Assembly:
    """The unfinished `folder` of what will be at `place`. Made by `assemble`."""

    def __init__(self, place: Path, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self._entries = read(folder)

    def path_of(self, name: str) -> Path:
        """Where a file of that name is to be written. Raises InputError for a name that leads away."""
        if name.partition("/")[0] in OWN_NAMES:
            raise InputError(f"A repository's file must not be called {clean(name)}.")
        return safe_join(self.folder, name)

    def has(self, name: str, commit: str, sha256: str) -> bool:
        """Whether an earlier attempt verified this very file."""
        entry = self._entries.get(name)
        if entry is None:
            return False
        path = self.path_of(name)
        same = (sha256 and entry.sha256 == sha256) or (commit and entry.commit == commit)
        return bool(same) and path.is_file() and path.stat().st_size == entry.size

    def add(self, name: str, entry: Entry) -> None:
        """Record a file that is there and verified. Raises DiskFullError."""
        self._entries[name] = entry
        self._write_record(self._entries)

    def entry(self, name: str) -> Entry:
        """What was recorded of a file that is there."""
        return self._entries[name]

    def discard(self) -> None:
        """Remove the folder, for what is in it is of no use to a later attempt."""
        shutil.rmtree(self.folder)

    def commit(self, names: Collection[str], made: Collection[str] = ()) -> None:
        """Give the folder its name, with the files of these names and nothing else.

        `made` are those that were not fetched, but made in the folder.
        """
        entries = {name: entry for name, entry in self._entries.items() if name in names}
        wanted = {self.path_of(name) for name in (*entries, *made)}
        self._write_record(entries)
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in wanted and path != self.folder / RECORD:
                path.unlink()
        commit_dir(self.folder, self.place)

    def _write_record(self, entries: Mapping[str, Entry]) -> None:
        document = {
            "format": FORMAT_VERSION,
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": {name: asdict(entry) for name, entry in entries.items()},
        }
        write_json(self.folder / RECORD, document)


def unfinished(folder: Path) -> Path:
    """Where a folder grows before it gets its name."""
    return folder.with_name(f".part-{folder.name}")


@contextlib.contextmanager
def assemble(folder: Path) -> Iterator[Assembly]:
    """Begin a folder, or go on with one, for one writer at a time.

    Raises RefusedError when something is at its place already, BusyError, DiskFullError.
    """
    if folder.exists():
        raise RefusedError(
            f"{clean(str(folder))} is there already, but is not whole or not what was asked for. "
            "It was not touched: move it away or remove it, and run the command again."
        )
    part = unfinished(folder)
    part.mkdir(parents=True, exist_ok=True)
    with _hold(part, folder.name):
        try:
            yield Assembly(folder, part)
        finally:
            if not any(path.name not in _LOCK_NAMES for path in part.glob("*")):
                shutil.rmtree(part, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what is there of a folder that never got its name. Raises BusyError."""
    part = unfinished(folder)
    if part.exists():
        with _hold(part, folder.name):
            shutil.rmtree(part)


@contextlib.contextmanager
def _hold(part: Path, name: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock.hold(part, f"fetch {name}"))
        except BusyError as error:
            raise BusyError(
                f"{clean(name)} is being fetched by another process; wait for it, or stop it."
            ) from error
        yield
