"""The recordings of a project: which files they are, and what is in them by hash."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.audio.decode import SUFFIXES, cannot_read, regular_file
from engine.audio.headers import doubt
from engine.dataset.given import beside as given_texts
from engine.errors import SourceError
from engine.files import sha256_file, write_text
from engine.project import Project
from engine.text import clean

MEMO_NAME = "sources.json"
# The folders of a project that hold no recordings of its own.
_OWN = ("dataset", "cache", "runs", "jobs", "export", "base")


@dataclass(frozen=True)
class Source:
    """A recording. `name` is its path as clips.jsonl writes it, `sha256` the hash of its bytes."""

    path: Path
    name: str
    sha256: str

    @property
    def id(self) -> str:
        """What its clips' ids begin with; the same for the same bytes anywhere."""
        return self.sha256[:12]


@dataclass(frozen=True)
class Problem:
    """A source that cannot be used, and what to do about it."""

    path: Path
    message: str


@dataclass(frozen=True)
class Listing:
    """What was found: files in a stable order, and what stood in the way."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]


def find(project: Project) -> Listing:
    """The files of a project's sources, each once, sorted by name.

    Folders are searched to any depth for the endings that can be decoded; a file that is named
    itself is taken whatever its ending, unless it is a transcript (`engine.dataset.given.beside`). The
    project's own folders are left out.
    """
    problems: list[Problem] = []
    files = sorted(walk(project.source_paths, project.folder, problems))
    return Listing(tuple(files), tuple(problems))


def walk(given: Iterable[Path], folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """The files of sources as they are found, each once; see `find`.

    `folder` is the project's; what stands in the way is added to `problems`.
    """
    own = {os.path.realpath(folder / name) for name in _OWN}
    seen: set[str] = set()
    for path in map(Path, map(os.path.abspath, given)):
        if path.is_dir():
            found = _walk(path, own, problems)
        elif path.is_file() and path.suffix.lower() in given_texts.SUFFIXES:
            # Read with the recording that it belongs to.
            continue
        elif path.exists():
            found = iter((path,))
        else:
            message = (
                f"{clean(str(path))} is not there. Put it back, or remove it from the sources."
            )
            problems.append(Problem(path, message))
            continue
        for file in found:
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file


def _walk(root: Path, own: set[str], problems: list[Problem]) -> Iterator[Path]:
    """The recordings below a folder; each real folder is entered once, whatever links lead to it."""
    entered: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        path = Path(os.fsdecode(error.filename or root))
        problems.append(Problem(path, cannot_read(path, error)))

    for folder, subfolders, names in os.walk(root, onerror=unreadable, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in entered or os.path.realpath(folder) in own:
            subfolders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        subfolders.sort()
        for name in subfolders:
            if sounds(name):
                path = Path(folder, name)
                message = (
                    f"{clean(str(path))} is a folder, not a recording. What is in it is used; "
                    "rename it if you wonder about this line."
                )
                problems.append(Problem(path, message))
        yield from (Path(folder, name) for name in sorted(names) if sounds(name))


def sounds(name: str) -> bool:
    """Whether a file of this name in a folder is taken for a recording."""
    # macOS leaves "._name.wav" files beside recordings on foreign disks; they hold no audio.
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith("._")


def identify(
    files: tuple[Path, ...], project: Project, progress: Callable[[int], None]
) -> tuple[list[Source], list[Problem]]:
    """Hash what is in the files; a file of the same size and time of change is not read again.

    Names are those of clips.jsonl, so that this holds in a project that was moved too. `progress`
    gets the bytes of each piece read.
    """
    memo_path = project.cache_dir / MEMO_NAME
    before = _read_memo(memo_path)
    memo: dict[str, list[int | str]] = {}
    sources: list[Source] = []
    problems: list[Problem] = []
    for path in files:
        try:
            status = path.stat()
            stamp: list[int | str] = [status.st_size, status.st_mtime_ns]
            name = name_in(project, path)
            entry = before.get(name, [])
            if entry[:2] != stamp:
                with regular_file(path):
                    entry = [*stamp, sha256_file(path, progress)]
        except OSError as error:
            problems.append(Problem(path, cannot_read(path, error)))
            continue
        except SourceError as error:
            problems.append(Problem(path, str(error)))
            continue
        memo[name] = entry
        sources.append(Source(path, name, str(entry[2])))
    if memo != before:
        # ASCII only: names may hold bytes that are not text.
        write_text(memo_path, json.dumps(memo, indent=1) + "\n")
    return sources, problems


def unchanged(project: Project, name: str, sha256: str) -> Path | None:
    """The recording of that name, if it still holds those bytes.

    One whose size and time of change are as they were when it was hashed is not read again.
    """
    path = Path(os.path.abspath(project.folder)) / name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        memo = _read_memo(project.cache_dir / MEMO_NAME).get(name, [])
        known = memo[:2] == [status.st_size, status.st_mtime_ns]
        return path if (memo[2] if known else sha256_file(path)) == sha256 else None
    except OSError:
        return None


def require_unchanged(project: Project, source: Source) -> None:
    """Raise SourceError when a recording is not what was hashed any more."""
    if unchanged(project, source.name, source.sha256) is None:
        raise SourceError(
            f"{clean(source.name)} was changed or removed while it was being prepared. "
            "Run 'voicetui prepare' again when nothing writes to it."
        )


def doubts(sources: Iterable[Source]) -> list[Problem]:
    """Recordings that can be used, and whose headers say that something may be wrong with them."""
    found = []
    for source in sources:
        # What cannot be read is told when it is decoded.
        with contextlib.suppress(OSError):
            if reason := doubt(source.path):
                found.append(Problem(source.path, reason))
    return found


def unique(sources: list[Source]) -> tuple[list[Source], list[tuple[Source, Source]]]:
    """The sources with each content once, and the pairs (left out, the one that is used)."""
    first: dict[str, Source] = {}
    doubles = [
        (source, used)
        for source in sources
        if (used := first.setdefault(source.sha256, source)) is not source
    ]
    return list(first.values()), doubles


def name_in(project: Project, path: Path) -> str:
    """A path as clips.jsonl writes it: relative to the project where inside it."""
    root = Path(os.path.abspath(project.folder))
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _read_memo(path: Path) -> dict[str, list[int | str]]:
    try:
        memo = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return memo if isinstance(memo, dict) else {}
