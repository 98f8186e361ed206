"""Which transcript belongs to which recording: files beside it, and tables that name it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine import languages
from engine.audio.decode import SUFFIXES as SOUNDS
from engine.dataset.given import flaws
from engine.dataset.given import tables as text_tables
from engine.dataset.given import text as given_text
from engine.dataset.given.tables import Row, Table
from engine.errors import TranscriptError
from engine.events import Event, Note, Warned
from engine.text import clean

SUBTITLES = frozenset((".srt", ".vtt"))
BESIDE = SUBTITLES | {".txt"}
# What a transcript may end with; none of it is a recording.
SUFFIXES = BESIDE | {".csv", ".list"}
# The folder of recordings that LJSpeech and coqui put below their table.
_WAVS = "wavs"
_TAG = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{2,8})*")


@dataclass(frozen=True)
class Given:
    """The transcript of one recording; `digest` is a hash of all that it says.

    `row` is what a table says of it; else the file is the recording's own. `others` are files that
    could have been taken instead.
    """

    path: Path
    digest: str
    row: Row | None
    others: tuple[Path, ...]

    @property
    def timed(self) -> bool:
        """Whether it tells when something is said."""
        return self.row is None and self.path.suffix.lower() in SUBTITLES


@dataclass(frozen=True)
class _Folder:
    """The transcripts in a folder by the names of the recordings that they may be of; its tables."""

    beside: dict[str, list[Path]]
    tables: tuple[Path, ...]


class Library:
    """The transcripts around the recordings of a project. What is in them is read once.

    `named` are those that a person named among the sources. `emit` gets what there is to say of
    files that belong to no single recording.
    """

    def __init__(self, language: str, named: Iterable[Path], emit: Callable[[Event], None]) -> None:
        self._language = language
        self._named = tuple(named)
        self._emit = emit
        self._known: dict[Path, Given | None] = {}
        self._folders: dict[Path, _Folder] = {}
        self._tables: dict[Path, Table | TranscriptError] = {}
        self._told: set[Path] = set()

    def of(self, recording: Path) -> Given | None:
        """The transcript of a recording, if there is one; whether it can be used shows later."""
        if recording not in self._known:
            self._known[recording] = self._find(recording)
        return self._known[recording]

    def tell_unused(self) -> None:
        """Tell of rows and subtitles that belong to no recording that was asked for."""
        recordings = list(self._known)
        for table in self._tables.values():
            if isinstance(table, Table) and table.path in self._told:
                unused = table.unused(recordings)
                if unused:
                    self._emit(_unused_rows(table, unused))
        used = {
            path
            for given in self._known.values()
            if given is not None
            for path in (given.path, *given.others)
        }
        subtitles = {
            path
            for folder in self._folders.values()
            for paths in folder.beside.values()
            for path in paths
            if path.suffix.lower() in SUBTITLES
        }
        for path in sorted(subtitles.union(self._named) - used - self._told):
            self._emit(_unowned(path))

    def _find(self, recording: Path) -> Given | None:
        found: list[tuple[Path, Row | None]] = [(path, None) for path in self._beside(recording)]
        found += self._rows(recording)
        if not found:
            return None
        (path, row), *others = found
        digest = _hash(b"row", row.text.encode()) if row else _digest(path)
        return Given(path, digest, row, tuple(path for path, _ in others))

    def _beside(self, recording: Path) -> list[Path]:
        """The transcripts of a recording's own, the best one first: with times, in its language."""
        beside = self._folder(recording.parent).beside
        names = [_fold(recording.stem), _fold(recording.name)]
        ranked = []
        for path in {path for name in names for path in beside.get(name, [])}:
            stem = _fold(path.stem)
            if stem in names:
                rank = 1 + names.index(stem)
            elif self._is_ours(stem.rpartition(".")[2]):
                rank = 0
            else:
                self._tell(path, (_foreign(path, self._language),))
                continue
            ranked.append((path.suffix.lower() not in SUBTITLES, rank, path))
        return [path for *_, path in sorted(ranked)]

    def _is_ours(self, tag: str) -> bool:
        return languages.normal(tag).partition("-")[0] == self._language.partition("-")[0]

    def _rows(self, recording: Path) -> list[tuple[Path, Row]]:
        """What the tables in a recording's folder, and in the one above, say of it."""
        near = recording.parent
        found = []
        for folder in dict.fromkeys((near, near.parent)):
            for path in self._folder(folder).tables:
                table = self._table(path)
                if isinstance(table, TranscriptError):
                    # A file of another kind above the recordings is none of our business.
                    if folder == near or near.name.lower() == _WAVS:
                        self._tell(path, (unusable(table, "Its recordings are"),))
                elif row := table.row(recording):
                    self._tell(path, flaws.warnings(path, table.flaws))
                    found.append((path, row))
        return found

    def _table(self, path: Path) -> Table | TranscriptError:
        if path not in self._tables:
            try:
                content = given_text.decode(
                    path, given_text.read(path, given_text.MOST_TABLE_BYTES)
                )
                self._tables[path] = text_tables.parse(path, content)
            except TranscriptError as error:
                self._tables[path] = error
        return self._tables[path]

    def _folder(self, path: Path) -> _Folder:
        if path not in self._folders:
            self._folders[path] = _listed(path)
        return self._folders[path]

    def _tell(self, path: Path, events: Iterable[Event]) -> None:
        """Tell of a file, once."""
        if path not in self._told:
            self._told.add(path)
            for event in events:
                self._emit(event)


def unusable(error: TranscriptError, whose: str) -> Warned:
    """The warning of a transcript that cannot be used; `whose` begins a sentence: "It is"."""
    means = f"{whose} transcribed by speech recognition instead."
    return Warned("transcript_unused", error.seen, means, error.remedy)


def _listed(folder: Path) -> _Folder:
    beside: dict[str, list[Path]] = defaultdict(list)
    tables = []
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        # The search for recordings tells of folders that cannot be read.
        names = []
    for name in names:
        path = folder / name
        if path.suffix.lower() in BESIDE:
            for owner in _owners(_fold(path.stem)):
                beside[owner].append(path)
        if text_tables.is_table(name):
            tables.append(path)
    return _Folder(beside, tuple(tables))


def _owners(stem: str) -> list[str]:
    """The recordings that a transcript may be of: its own name, and that before a language."""
    before, _, tag = stem.rpartition(".")
    named = _TAG.fullmatch(tag) or languages.normal(tag) in languages.LANGUAGES
    return [stem, before] if before and named and f".{tag}" not in SOUNDS else [stem]


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _digest(path: Path) -> str:
    try:
        content = given_text.read(path)
    except TranscriptError as error:
        content = str(error).encode()
    return _hash(path.suffix.lower().encode(), content)


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _foreign(path: Path, language: str) -> Note:
    return Note(
        "transcript_language",
        f"{clean(str(path))} is not used: its name says another language than {clean(language)}. "
        "Take the language out of the name if the name is wrong.",
    )


def _unowned(path: Path) -> Note:
    return Note(
        "transcript_unowned",
        f"{clean(str(path))} belongs to no recording. Put it beside its recording, under its name.",
    )


def _unused_rows(table: Table, unused: list[Row]) -> Note:
    count = f"{len(unused)} of {len(table)} rows name"
    return Note(
        "transcript_rows",
        f"{clean(str(table.path))}: {count} no recording of this project, line {unused[0].line} "
        "first. Put the recordings beside it or into wavs/, or leave it so.",
    )
