"""The append-only event log of a job: one JSON line an event, each with its own checksum.

    {"v":1,"seq":17,"t":1790000000.123,"kind":"step",…fields…,"crc":"9f3a01c2"}

`crc` is the CRC-32 of the line without it. Numbers that JSON does not know are the strings "nan",
"inf" and "-inf". A line that was torn by a crash is repaired when the log is opened for writing.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.events import Event, Unknown, build, fields_of
from engine.files import Appender

FORMAT_VERSION = 1
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class Record:
    """An event as it stands in a log: `seq` counts from 1, `t` is Unix time in seconds."""

    seq: int
    t: float
    event: Event

    @property
    def kind(self) -> str:
        return self.event.name if isinstance(self.event, Unknown) else self.event.kind


def jsonable(value: Any) -> Any:
    """The value as a log writes it: non-finite numbers become strings, tuples lists."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


def _body(record: Record) -> dict[str, Any]:
    head = {"v": FORMAT_VERSION, "seq": record.seq, "t": round(record.t, 3), "kind": record.kind}
    return head | {name: jsonable(value) for name, value in fields_of(record.event).items()}


def seal(values: dict[str, Any]) -> bytes:
    """JSON values as a line with their checksum, newline included."""
    # ASCII only, so that no terminal acts on what a log or `--json` shows, and file names that are
    # not UTF-8 (they hold lone surrogates) read back as they were.
    body = json.dumps(values, separators=(",", ":"), allow_nan=False).encode()
    return body[:-1] + f',"crc":"{zlib.crc32(body):08x}"}}\n'.encode()


def unseal(line: bytes) -> dict[str, Any] | None:
    """The values of a sealed line, or None when it is torn, damaged or of another format."""
    head, mark, tail = line.rstrip(b"\n").rpartition(b',"crc":"')
    if not mark or len(tail) != 10 or not tail.endswith(b'"}'):
        return None
    body = head + b"}"
    if f"{zlib.crc32(body):08x}".encode() != tail[:8]:
        return None
    try:
        values = json.loads(body)
        known = values.pop("v", None) == FORMAT_VERSION
    except (ValueError, AttributeError, TypeError):
        return None
    return values if known else None


def encode(record: Record) -> bytes:
    """The line of a record, newline included."""
    return seal(_body(record))


def decode(line: bytes) -> Record | None:
    """The record of a line, or None when the line is torn, damaged or of another format."""
    fields = unseal(line)
    if fields is None:
        return None
    try:
        seq, t, kind = fields.pop("seq"), fields.pop("t"), fields.pop("kind")
    except KeyError:
        return None
    return Record(seq, t, build(kind, fields))


def whole_lines(path: Path, offset: int = 0) -> Generator[tuple[bytes, int], None, None]:
    """Yield each whole line from byte `offset` on, damaged or not, with the offset behind it.

    An unfinished last line is left for the next call.
    """
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return
    with handle:
        handle.seek(offset)
        for line in handle:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield line, offset


def read_lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, Record, int]]:
    """Like `whole_lines` with the record of each line; damaged lines are passed over."""
    for line, end in whole_lines(path, offset):
        record = decode(line)
        if record is not None:
            yield line, record, end


def read(path: Path, offset: int = 0) -> Iterator[tuple[Record, int]]:
    """Like `read_lines`, without the lines themselves."""
    for _, record, end in read_lines(path, offset):
        yield record, end


@dataclass(frozen=True)
class Page:
    """Records of a log that follow each other, oldest first, from byte `start` to before `end`.

    `start` is 0 when nothing comes before them.
    """

    records: tuple[Record, ...]
    start: int
    end: int


def read_before(path: Path, count: int, offset: int | None = None) -> Page:
    """The last `count` records that end at byte `offset` or before, or at the end of the log.

    Only that part of the log is read. Damaged lines and an unfinished last one are passed over.
    """
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return Page((), 0, 0)
    found: list[Record] = []
    with handle:
        size = handle.seek(0, os.SEEK_END)
        start = end = size if offset is None else min(size, offset)
        for line, begin in _lines_backwards(handle, end):
            if len(found) == count:
                break
            record = decode(line)
            if record is not None:
                found.append(record)
                end = begin + len(line) if len(found) == 1 else end
            start = begin
    return Page(tuple(reversed(found)), start, end)


def _lines_backwards(handle: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """The whole lines before byte `end` of a file with their offsets, the last one first."""
    rest = b""
    while end:
        size = min(_BLOCK_BYTES, end)
        end -= size
        handle.seek(end)
        rest = handle.read(size) + rest
        lines = rest.split(b"\n")
        at = end + len(rest) - len(lines.pop())
        if not lines:
            continue
        # The first line may begin before this block.
        rest = lines.pop(0) + b"\n" if end else b""
        for line in reversed(lines):
            at -= len(line) + 1
            yield line + b"\n", at


def read_all(path: Path) -> list[Record]:
    """Every whole record of a log, oldest first."""
    return [record for record, _ in read(path)]


class EventLog:
    """The writer of one log. Safe to call from any thread of one process.

    Subscribers are called in the emitting thread, after the line is written; they must be quick.
    `size` is the length of the log in bytes.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.time,
        known: tuple[int, int] | None = None,
    ) -> None:
        """Open a log. `known` is its last sequence number and the offset behind its last whole line.

        Without it the log is read for them.
        """
        self.path = path
        self._clock = clock
        # Reentrant: a subscriber may emit.
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[Record], None]] = []
        self._seq, self.size = known or self._whole()
        self._file = Appender(path, self.size)

    def _whole(self) -> tuple[int, int]:
        """The last sequence number, and how many bytes come before a torn last line."""
        last = end = 0
        for line, offset in whole_lines(self.path):
            end = offset
            if record := decode(line):
                last = record.seq
        return last, end

    def subscribe(self, callback: Callable[[Record], None]) -> None:
        self._subscribers.append(callback)

    def emit(self, event: Event) -> Record:
        """Append an event and hand it to the subscribers. Raises DiskFullError."""
        with self._lock:
            # As the line has it, so that all see the same time.
            record = Record(self._seq + 1, round(self._clock(), 3), event)
            line = encode(record)
            self._file.append(line, durable=event.durable)
            self._seq = record.seq
            self.size += len(line)
            for callback in self._subscribers:
                callback(record)
        return record

    def close(self) -> None:
        self._file.close()
