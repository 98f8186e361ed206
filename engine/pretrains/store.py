"""The pretrains on this machine: a folder each, with a record of what was seen when it came.

The folder of an RVC pretrain holds its files as they came, their plain tensors as `G.safetensors`
and `D.safetensors`, and `pretrain.json`. XTTS bases lie where `engine.xtts.fetch` puts them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from engine import places
from engine.errors import DamagedError, InputError, RefusedError
from engine.fetching import assembly
from engine.files import atomic_dir, remove_dir, safe_join, write_json
from engine.pretrains import record, xtts
from engine.pretrains.entry import Entry, Role
from engine.pretrains.facts import Facts
from engine.text import clean
from engine.xtts import base as bases
from engine.xtts import fetch as base_fetch

RECORD = "pretrain.json"
FAMILY = "rvc"
Came = Literal["fetched", "imported", "merged"]
_HIDDEN = "."


@dataclass(frozen=True)
class StoredFile:
    """A file of a stored pretrain; `path` is relative to its folder, sizes are in bytes.

    Beside it stands `<role>.safetensors` with its plain tensors, the only form that is read again.
    """

    role: Role
    path: str
    size: int
    sha256: str
    facts: Facts
    tensors_size: int = 0
    tensors_sha256: str = ""

    @property
    def tensors(self) -> str:
        """The name of the file with its plain tensors."""
        return tensors_name(self.role)


@dataclass(frozen=True)
class Stored:
    """A pretrain on this machine. `commit` is that of the hub, or "" when it came otherwise.

    `since` is an ISO time; `lineage` says what a merged one was made from, a line each. `files` is
    empty for an XTTS base: its files are those of its entry.
    """

    folder: Path
    entry: Entry
    came: Came
    commit: str
    since: str
    files: tuple[StoredFile, ...]
    lineage: tuple[str, ...] = ()

    def file(self, role: Role) -> StoredFile:
        """Its generator ("G") or discriminator ("D"). Raises InputError when it has none."""
        for file in self.files:
            if file.role == role:
                return file
        raise InputError(f"{clean(self.entry.name)} has no {role} file.")

    def tensors_of(self, role: Role) -> Path:
        """The file with the plain tensors of a role. Raises InputError."""
        return self.folder / self.file(role).tensors


def tensors_name(role: Role) -> str:
    """The name that the plain tensors of a role have in every folder of the store."""
    return f"{role}.safetensors"


def now() -> str:
    """The time that a record is given."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def folder_of(entry: Entry) -> Path:
    """Where a pretrain is, or would be."""
    return places.models_dir(entry.family) / entry.slug


def save(folder: Path, stored: Stored) -> None:
    """Write the record of a pretrain into a folder that is about to become its own."""
    document = {"format": record.FORMAT_VERSION} | record.values_of(stored, leave_out="folder")
    write_json(folder / RECORD, document)


@contextlib.contextmanager
def adding(entry: Entry) -> Iterator[Path]:
    """Give a folder to fill, with a record from `save`; on success it becomes that of the entry.

    Raises RefusedError when there is one already, DiskFullError.
    """
    require_free(entry)
    with atomic_dir(folder_of(entry)) as unfinished:
        yield unfinished


def require_free(entry: Entry) -> None:
    """Raise RefusedError when the store has something under the name of an entry."""
    if folder_of(entry).exists():
        raise RefusedError(
            f"{clean(entry.slug)} is in the store already. Choose another name, or remove it with "
            f"'voicetui pretrains remove {clean(entry.slug)} --yes'."
        )


def load(folder: Path) -> Stored:
    """The pretrain in a folder. Raises DamagedError when it is not whole, with the remedy."""
    stored = _read_record(folder)
    if sorted(file.role for file in stored.files) != ["D", "G"]:
        raise _damaged(folder, "its record does not name one G and one D")
    for file in stored.files:
        for name, size in ((file.path, file.size), (file.tensors, file.tensors_size)):
            _require_whole(folder, name, size)
    return stored


def _require_whole(folder: Path, name: str, size: int) -> None:
    try:
        path = safe_join(folder, name)
    except InputError as error:
        raise _damaged(folder, str(error)) from error
    if not path.is_file():
        raise _damaged(folder, f"{clean(name)} is missing")
    if (found := path.stat().st_size) != size:
        raise _damaged(folder, f"{clean(name)} has {found:,} bytes, its record says {size:,}")


def _read_record(folder: Path) -> Stored:
    try:
        document = json.loads((folder / RECORD).read_bytes())
        version = document.get("format")
        if isinstance(version, int) and version > record.FORMAT_VERSION:
            raise DamagedError(
                f"{clean(str(folder / RECORD))} was written by a newer voicetui. Update this one."
            )
        return record.read(Stored, document, folder=folder)
    except FileNotFoundError:
        raise _damaged(folder, f"its record {RECORD} is missing") from None
    except (OSError, ValueError, AttributeError) as error:
        raise _damaged(
            folder, f"its record {RECORD} cannot be read ({clean(str(error))})"
        ) from error


def _damaged(folder: Path, what: str) -> DamagedError:
    name = clean(folder.name)
    return DamagedError(
        f"The pretrain in {clean(str(folder))} is damaged: {what}. Remove it with 'voicetui "
        f"pretrains remove {name} --yes', and get it again."
    )


def look() -> tuple[dict[str, Stored], dict[str, str]]:
    """The whole pretrains on this machine, XTTS bases too, and what is wrong with the others.

    Both by slug.
    """
    whole: dict[str, Stored] = {}
    problems: dict[str, str] = {}
    for folder in _folders():
        try:
            whole[folder.name] = _load_named(folder)
        except DamagedError as error:
            problems[folder.name] = str(error)
    return whole | _bases(), problems


def stored() -> dict[str, Stored]:
    """The whole pretrains on this machine by slug; `look` tells of the others too."""
    return look()[0]


def _folders() -> list[Path]:
    root = places.models_dir(FAMILY)
    if not root.is_dir():
        return []
    # Hidden ones are unfinished.
    return [
        folder
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith(_HIDDEN)
    ]


def _load_named(folder: Path) -> Stored:
    stored = load(folder)
    if (slug := stored.entry.slug) != folder.name:
        raise _damaged(folder, f"its record is that of {clean(slug)}")
    return stored


def _bases() -> dict[str, Stored]:
    return {
        name: _base(base, folder)
        for name, base in bases.known().items()
        if (folder := base_fetch.whole_folder(base)) is not None
    }


def _base(base: bases.KnownBase, folder: Path) -> Stored:
    came = assembly.read(folder)
    commits = [came[file.path].commit for file in base.files if file.path in came]
    changed = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    commit = next(filter(None, commits), "")
    since = changed.isoformat(timespec="seconds")
    return Stored(
        folder, xtts.entry_of(base), "fetched" if commit else "imported", commit, since, ()
    )


def folders_of(slug: str) -> list[Path]:
    """What there is of a pretrain: its folder, and that of an unfinished download.

    Raises InputError when there is nothing.
    """
    folder = _place(slug)
    found = [path for path in (folder, assembly.unfinished(folder)) if path.exists()]
    if slug.startswith(_HIDDEN) or slug != folder.name or not found:
        raise InputError(f"There is no pretrain called {clean(slug)} on this machine.")
    return found


def _place(slug: str) -> Path:
    return safe_join(places.models_dir("xtts" if slug in bases.known() else FAMILY), slug)


def remove(slug: str) -> None:
    """Remove a pretrain, whole or damaged, and what was kept of an unfinished download of it.

    Raises InputError when there is none, BusyError while it is being fetched.
    """
    folder = _place(slug)
    folders_of(slug)
    assembly.remove_unfinished(folder)
    remove_dir(folder)
