"""The table of clips as a review holds it: small rows, and the rest of a line on demand.

The words of a clip are most of its line. They stay in the file, which is kept open: a table that
is replaced meanwhile does not change what was read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.dataset import clips
from engine.dataset.clips import SourceRef, Split, State
from engine.dataset.derive import merged
from engine.dataset.edits import Fields
from engine.errors import DatasetError

# The words in a line as `clips.encode_row` writes it. No text can hold these bytes: its quotes are
# escaped.
_WORDS, _BEHIND = b',"words":[', b'],"language":'
_ROWS_AT_ONCE = 500
_READ_BYTES = 4096


@dataclass(slots=True)
class Row:
    """A clip without its words; fields as in `engine.dataset.clips.Clip`. Take it as frozen.

    `score` is 0 (look at it first) to 1, see `engine.dataset.review.scoring`. For this package alone:
    `names` and `values` make the scores, `at` is the offset of the line in the table, `full` the
    whole row of a clip that is in no table yet, `dirty` says that the line lacks an edit.
    """

    id: str
    source: SourceRef
    start: float
    end: float
    wav: str
    text: str
    agreement: float | None
    language: str
    speaker: str
    split: Split
    state: State
    reason: str
    edited: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[float, ...]
    at: int = field(default=-1, compare=False)
    full: Fields | None = field(default=None, compare=False)
    dirty: bool = field(default=False, compare=False)
    score: float = field(default=1.0, compare=False)

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def scores(self) -> dict[str, float]:
        return dict(zip(self.names, self.values, strict=True))

    @property
    def rate(self) -> float:
        """Characters a second."""
        return len(self.text) / max(self.seconds, 0.001)

    def assigned(self, fields: Fields) -> Row:
        """The row with some fields changed, as `derive.assigned` does it."""
        values = dict(fields)
        if "edited" in values:
            values["edited"] = tuple(values["edited"])
        if "scores" in values:
            scores = merged(self.scores, values.pop("scores"))
            values |= {"names": tuple(scores), "values": tuple(scores.values())}
        return replace(self, **values, dirty=True)

    def as_values(self, line: Fields) -> dict[str, Any]:
        """The JSON values of the clip, from those of its line or of its `full` row."""
        return dict(line) | {
            "text": self.text,
            "split": self.split,
            "state": self.state,
            "reason": self.reason,
            "scores": self.scores,
            "edited": list(self.edited),
        }


class Maker:
    """Makes rows that share what is the same in many of them."""

    def __init__(self) -> None:
        self._shared: dict[Any, Any] = {}

    def row(self, values: Fields, at: int = -1, full: Fields | None = None) -> Row:
        """A row from JSON values. Raises KeyError, TypeError or ValueError when they are no clip."""
        share = self._share
        scores = values["scores"]
        source = values["source"]
        return Row(
            values["id"],
            share(SourceRef(source["path"], source["sha256"])),
            values["start"],
            values["end"],
            values["wav"],
            values["text"],
            values["agreement"],
            share(values["language"]),
            share(values["speaker"]),
            share(values["split"]),
            share(values["state"]),
            share(values["reason"]),
            share(tuple(values["edited"])),
            share(tuple(scores)),
            tuple(scores.values()),
            at,
            full,
        )

    def _share(self, value: Any) -> Any:
        return self._shared.setdefault(value, value)


class Table:
    """An open `clips.jsonl`. Raises DatasetError when there is none."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / clips.FILE_NAME
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise clips.no_clips(folder) from error
        self._identity = _identity(os.fstat(self._descriptor))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def replaced(self) -> bool:
        """Whether another file has taken its name."""
        try:
            return _identity(self.path.stat()) != self._identity
        except FileNotFoundError:
            return True

    def rows(self, maker: Maker) -> Generator[tuple[int, int], None, list[Row]]:
        """Read the rows; yields the bytes done and in all now and then. Raises DatasetError."""
        found: list[Row] = []
        size = os.fstat(self._descriptor).st_size
        at = 0
        with open(self._descriptor, "rb", closefd=False) as handle:
            for number, line in enumerate(handle, 1):
                try:
                    found.append(maker.row(json.loads(_without_words(line)), at))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise clips.not_a_clip(self.path, number, error) from error
                at += len(line)
                if number % _ROWS_AT_ONCE == 0:
                    yield at, size
        return found

    def line(self, at: int) -> bytes:
        """The line at an offset."""
        read = b""
        while (end := read.find(b"\n")) < 0:
            more = os.pread(self._descriptor, _READ_BYTES, at + len(read))
            if not more:
                raise DatasetError(f"{self.path.name} is cut off. Run 'voicetui prepare' again.")
            read += more
        return read[: end + 1]

    def values(self, row: Row) -> dict[str, Any]:
        """All JSON values of a row, words included. Raises DatasetError."""
        if row.full is not None:
            return row.as_values(row.full)
        try:
            return row.as_values(json.loads(self.line(row.at)))
        except (ValueError, TypeError) as error:
            raise self.damaged(row, error) from error

    def damaged(self, row: Row, error: Exception) -> DatasetError:
        """What is said of a row whose line holds no clip."""
        number = os.pread(self._descriptor, row.at, 0).count(b"\n") + 1 if row.at > 0 else 1
        return clips.not_a_clip(self.path, number, error)

    def encode(self, row: Row) -> bytes:
        """The line of a row as it is now."""
        return clips.encode_row(self.values(row)) if row.dirty or row.full else self.line(row.at)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _without_words(line: bytes) -> bytes:
    begin = line.find(_WORDS)
    end = line.find(_BEHIND, begin)
    return line[:begin] + line[end + 1 :] if 0 <= begin < end else line


def in_order(rows: Iterable[Row], ranks: dict[str, int]) -> list[Row]:
    """Rows by recording, ranked by SHA-256, and time."""
    return sorted(rows, key=lambda row: (ranks[row.source.sha256], row.start))
