"""The append-only event log of a job: one JSON line an event, each with its own checksum.

    {"v":1,"seq":17,"t":1790000000.123,"kind":"step",…fields…,"crc":"9f3a01c2"}

`crc` is the CRC-32 of the line without it. Numbers that JSON does not know are the strings "nan",
"inf" and "-inf". A line that was torn by a crash is repaired when the log is opened for writing.
"""

from __future__ import annotations

import json
import math
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.events import Event, Unknown, build, fields_of
from engine.files import Appender

FORMAT_VERSION = 1


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


def encode(record: Record) -> bytes:
    """The line of a record, newline included."""
    # ASCII only, so that no terminal acts on what a log or `--json` shows, and file names that are
    # not UTF-8 (they hold lone surrogates) read back as they were.
    body = json.dumps(_body(record), separators=(",", ":"), allow_nan=False).encode()
    return body[:-1] + f',"crc":"{zlib.crc32(body):08x}"}}\n'.encode()


def decode(line: bytes) -> Record | None:
    """The record of a line, or None when the line is torn, damaged or of another format."""
    text = line.rstrip(b"\n")
    head, mark, tail = text.rpartition(b',"crc":"')
    if not mark or len(tail) != 10 or not tail.endswith(b'"}'):
        return None
    body = head + b"}"
    if f"{zlib.crc32(body):08x}".encode() != tail[:8]:
        return None
    try:
        fields = json.loads(body)
        if fields.pop("v", None) != FORMAT_VERSION:
            return None
        seq, t, kind = fields.pop("seq"), fields.pop("t"), fields.pop("kind")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Record(seq, t, build(kind, fields))


def read_lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, Record, int]]:
    """Yield each whole line from byte `offset` on, with its record and the offset behind it.

    A damaged line is passed over; an unfinished last line is left for the next call.
    """
    if not path.exists():
        return
    with path.open("rb") as handle:
        handle.seek(offset)
        for line in handle:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            record = decode(line)
            if record is not None:
                yield line, record, offset


def read(path: Path, offset: int = 0) -> Iterator[tuple[Record, int]]:
    """Like `read_lines`, without the lines themselves."""
    for _, record, end in read_lines(path, offset):
        yield record, end


def read_all(path: Path) -> list[Record]:
    """Every whole record of a log, oldest first."""
    return [record for record, _ in read(path)]


class EventLog:
    """The writer of one log. Safe to call from any thread of one process.

    Subscribers are called in the emitting thread, after the line is written; they must be quick.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        # Reentrant: a subscriber may emit.
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[Record], None]] = []
        self._seq, size = self._whole()
        self._file = Appender(path, size)

    def _whole(self) -> tuple[int, int]:
        """The last sequence number, and how many bytes come before a torn last line."""
        last = end = 0
        if self.path.exists():
            with self.path.open("rb") as handle:
                for line in handle:
                    if not line.endswith(b"\n"):
                        break
                    end += len(line)
                    record = decode(line)
                    if record is not None:
                        last = record.seq
        return last, end

    def subscribe(self, callback: Callable[[Record], None]) -> None:
        self._subscribers.append(callback)

    def emit(self, event: Event) -> Record:
        """Append an event and hand it to the subscribers. Raises DiskFullError."""
        with self._lock:
            record = Record(self._seq + 1, self._clock(), event)
            self._file.append(encode(record), durable=event.durable)
            self._seq = record.seq
            for callback in self._subscribers:
                callback(record)
        return record

    def close(self) -> None:
        self._file.close()
