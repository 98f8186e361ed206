"""Tables that give recordings their texts: LJSpeech's, coqui's, and plain `file|text` lists."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from engine.audio.decode import SUFFIXES
from engine.dataset.given import text as given_text
from engine.dataset.given.flaws import Flaw, Kind
from engine.errors import TranscriptError
from engine.text import clean

# The names of tables that are looked for.
_NAMES = re.compile(
    r"(metadata|transcripts?|filelist)([-_. ].*)?\.(csv|txt)|.+\.list", re.IGNORECASE
)
_FILE_COLUMNS = ("audio_file", "file", "file_name", "filename", "path", "audio", "wav", "id")
_TEXT_COLUMNS = ("text", "transcript", "transcription", "sentence")
_NORMALISED_COLUMNS = ("normalized_text", "normalised_text", "normalized_transcription")


class Row(NamedTuple):
    """The text of one recording: what is spoken, the sounds left out of it, and its line."""

    text: str
    sounds: int
    line: int


class Table:
    """The rows of a file by the recordings that they name, and what was wrong."""

    def __init__(self, path: Path, rows: dict[str, Row], flaws: list[Flaw]) -> None:
        self.path = path
        self.flaws = flaws
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, recording: Path) -> Row | None:
        """The row of a recording, which lies beside the table, below it, or in its `wavs/`."""
        return next((self._rows[key] for key in self._keys(recording) if key in self._rows), None)

    def unused(self, recordings: Iterable[Path]) -> list[Row]:
        """The rows that name none of some recordings."""
        used = {key for recording in recordings for key in self._keys(recording)}
        return [row for key, row in self._rows.items() if key not in used]

    def _keys(self, recording: Path) -> list[str]:
        folder = self.path.parent
        names = [recording]
        if recording.is_relative_to(folder):
            names.append(recording.relative_to(folder))
        return [_key(str(name)) for name in names]


def is_table(name: str) -> bool:
    """Whether a file of this name is looked into."""
    return _NAMES.fullmatch(name) is not None


def parse(path: Path, content: str) -> Table:
    """The rows of a table. Raises TranscriptError when it is none."""
    numbered = [
        (number, line.split("|"))
        for number, line in enumerate(given_text.lines(content), 1)
        if line.strip()
    ]
    width = len(numbered[0][1]) if numbered else 0
    if not 2 <= width <= 3:
        raise TranscriptError(
            f"{clean(str(path))}, line {numbered[0][0] if numbered else 1}, has {width} columns.",
            "A table of texts has file|text, id|text|normalised text, or a first line "
            "audio_file|text|speaker_name.",
        )
    flaws = [Flaw(Kind.COLUMNS, number) for number, fields in numbered if not 2 <= len(fields) <= 3]
    numbered = [(number, fields) for number, fields in numbered if 2 <= len(fields) <= 3]
    columns = _header(numbered[0][1])
    if columns:
        del numbered[0]
    rows = list(_rows(numbered, columns or _guessed(numbered), flaws))
    return Table(path, _by_recording(rows, flaws), flaws)


def _header(fields: list[str]) -> tuple[int, tuple[int, ...]] | None:
    """Which column names the file and which ones hold its text, the better one first."""
    names = [field.strip().strip('"').lower() for field in fields]
    files = [names.index(name) for name in _FILE_COLUMNS if name in names]
    texts = [names.index(name) for name in (*_NORMALISED_COLUMNS, *_TEXT_COLUMNS) if name in names]
    return (files[0], tuple(texts)) if files and texts else None


def _guessed(numbered: list[tuple[int, list[str]]]) -> tuple[int, tuple[int, ...]]:
    """The columns without a header: LJSpeech's, unless the third one is the speaker."""
    third = [fields[2] for _, fields in numbered if len(fields) == 3]
    speakers = len(third) > 2 and len(set(third)) <= len(third) / 2
    return 0, (1,) if speakers else (2, 1)


def _rows(
    numbered: list[tuple[int, list[str]]], columns: tuple[int, tuple[int, ...]], flaws: list[Flaw]
) -> Iterator[tuple[str, Row]]:
    file, texts = columns
    for number, fields in numbered:
        given = next((fields[i] for i in texts if i < len(fields) and fields[i].strip()), "")
        spoken = given_text.of_running_text(_unquoted(given))
        if spoken.controls:
            flaws.append(Flaw(Kind.CONTROLS, number))
        if not spoken.text or file >= len(fields):
            flaws.append(Flaw(Kind.NO_TEXT, number))
            continue
        yield _key(_unquoted(fields[file])), Row(spoken.text, spoken.sounds, number)


def _by_recording(rows: list[tuple[str, Row]], flaws: list[Flaw]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    twice: set[str] = set()
    for key, row in rows:
        if found.setdefault(key, row).text != row.text:
            flaws.append(Flaw(Kind.TWICE, row.line))
            twice.add(key)
    return {key: row for key, row in found.items() if key not in twice}


def _unquoted(field: str) -> str:
    """A field as pandas and Excel quote it when it holds quotes itself."""
    field = field.strip()
    inner = field[1:-1]
    if len(field) > 2 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"') if '""' in inner else field
    return field


def _key(name: str) -> str:
    """What a name in a table and the path of a recording share."""
    name = unicodedata.normalize("NFC", name.strip().replace("\\", "/")).casefold()
    path = PurePosixPath(name)
    if path.suffix in SUFFIXES:
        path = path.with_suffix("")
    parts = path.parts[1:] if len(path.parts) > 1 and path.parts[0] == "wavs" else path.parts
    return "/".join(parts)
