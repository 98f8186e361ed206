"""What recordings hold, as their headers tell it: a count before anything is prepared."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.dataset.sources import Problem, walk
from engine.errors import SourceError

Check = Callable[[], None]


@dataclass(frozen=True)
class Totals:
    """What was found so far.

    `files` counts all that are listed, `measured` those whose header was read, `seconds` what these
    promise; `unknown` of them promise nothing, `unusable` cannot be read. `formats` counts files by
    ending. `problems` are what cannot be read, also folders, each with its reason. `done` says that
    there is no more.
    """

    files: int = 0
    measured: int = 0
    seconds: float = 0.0
    size: int = 0
    unknown: int = 0
    unusable: int = 0
    formats: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    done: bool = False


@dataclass(frozen=True)
class _Header:
    seconds: float
    problem: str = ""


class Survey:
    """Reads headers; a file of the same size and time of change is not read again."""

    def __init__(self) -> None:
        self._headers: dict[tuple[str, int, int], _Header] = {}

    def count(
        self, sources: Sequence[Path], project_folder: Path, check: Check
    ) -> Iterator[Totals]:
        """The totals as they grow; the last ones are `done`.

        First all files are listed, then their headers are read. `check` is called for each file
        and may raise. Files that a project has made itself are left out.
        """
        problems: list[Problem] = []
        files: list[Path] = []
        for path in walk(sources, project_folder, problems):
            check()
            files.append(path)
            if len(files) % 500 == 0:
                yield Totals(len(files))
        formats = Counter(path.suffix.lower().lstrip(".") or "?" for path in files)
        seconds, size, unknown, unusable = 0.0, 0, 0, 0

        def totals(measured: int, *, done: bool) -> Totals:
            told = tuple(problems)
            return Totals(
                len(files), measured, seconds, size, unknown, unusable, formats, told, done
            )

        for measured, path in enumerate(sorted(files), 1):
            check()
            header, length = self._header(path)
            size += length
            seconds += header.seconds
            if header.problem:
                problems.append(Problem(path, header.problem))
                unusable += 1
            elif not header.seconds:
                unknown += 1
            yield totals(measured, done=False)
        yield totals(len(files), done=True)

    def _header(self, path: Path) -> tuple[_Header, int]:
        """The header of a file, and its size in bytes."""
        from engine.audio.decode import open_stream

        try:
            status = os.stat(path)
            stamp = (str(path), status.st_size, status.st_mtime_ns)
        except OSError:
            # A link that leads nowhere, or gone meanwhile; opening it says so in words.
            stamp = (str(path), 0, 0)
        header = self._headers.get(stamp)
        if header is None:
            try:
                with open_stream(path) as stream:
                    header = _Header(stream.seconds)
            except SourceError as error:
                header = _Header(0.0, str(error))
            self._headers[stamp] = header
        return header, stamp[1]
