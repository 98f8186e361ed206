"""What a log adds up to, and the index beside it that spares reading a long log from its start.

`events.index` holds the fold of the log up to a byte offset, in two sealed lines like those of the
log: the place and the state, then the series and the landmarks. It may be deleted at any time. One
that is damaged, of another version, or not of this log counts as missing, and the log is read.
"""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from engine import __version__, eventlog, events
from engine.errors import DiskFullError
from engine.eventlog import Record, decode, seal, unseal, whole_lines
from engine.files import write_bytes
from engine.runstate import RunState
from engine.series import Series

SUFFIX = ".index"
# Raised when a digest comes to mean something else; other releases' indexes are not read anyway.
FORMAT_VERSION = 1
# A shorter log is read in a few milliseconds; a longer one that had to be read gets an index.
SMALL_LOG_BYTES = 16 << 10
LONG_LOG_BYTES = 5 << 20
# How far a writer's index may lag behind its log.
LAG_EVENTS = 20_000
LAG_SECONDS = 60.0
# Most of the time that may go into writing it: an index that takes 0.2 s comes every 20 s at most.
_WRITING_SHARE = 0.01
MAX_LANDMARKS = 4096
_HEAD_BYTES = 16 << 10
GLANCE_BYTES = 256 << 10

LANDMARKS: frozenset[type[events.Event]] = frozenset(
    {
        events.Started,
        events.Resumed,
        events.RolledBack,
        events.Epoch,
        events.Evaluated,
        events.Saved,
        events.Warned,
        events.Stopped,
        events.Failed,
        events.Finished,
    }
)


@dataclass(frozen=True)
class Landmark:
    """An important line of a log: where it begins, its kind, and the step after which it came."""

    offset: int
    kind: str
    step: int


@dataclass
class Digest:
    """What the lines of a log before byte `offset` add up to; `seq` is the number of the last one."""

    state: RunState
    series: Series = field(default_factory=Series)
    landmarks: list[Landmark] = field(default_factory=list)
    offset: int = 0
    seq: int = 0

    def apply(self, record: Record, end: int) -> None:
        """Take the next record into account, whose line ends before byte `end`."""
        event = record.event
        if isinstance(event, events.Step):
            self.series.add(event)
        elif isinstance(event, events.Resumed | events.RolledBack):
            self.series.rewind(event.step)
        self.state.apply(record)
        if type(event) in LANDMARKS:
            self.landmarks.append(Landmark(self.offset, record.kind, self.state.step))
            self._thin()
        self.offset, self.seq = end, record.seq

    def _thin(self) -> None:
        """Give up every second landmark of the kind that has most; the newest one stays."""
        if len(self.landmarks) <= MAX_LANDMARKS:
            return
        ((kind, count),) = Counter(mark.kind for mark in self.landmarks).most_common(1)
        kept, seen = [], 0
        for mark in self.landmarks:
            seen += mark.kind == kind
            if mark.kind != kind or (count - seen) % 2 == 0:
                kept.append(mark)
        self.landmarks = kept

    def read_on(self, log: Path) -> Generator[tuple[bytes, Record], None, None]:
        """Take in what the log holds behind `offset`, line by line, as they are read."""
        for line, end in whole_lines(log, self.offset):
            record = decode(line)
            if record is None:
                self.offset = end
                continue
            self.apply(record, end)
            yield line, record

    def copy(self) -> Digest:
        """A copy that later records do not change."""
        return Digest(
            self.state.copy(), self.series.copy(), [*self.landmarks], self.offset, self.seq
        )


def path_of(log: Path) -> Path:
    """The index of a log."""
    return log.with_suffix(SUFFIX)


def _identity(log: BinaryIO, offset: int) -> dict[str, int] | None:
    """What tells a log from another one: its first line, and the line that ends at `offset`.

    None when no line ends there.
    """
    first = log.readline()
    begin = max(0, offset - len(first))
    if offset <= 0 or not first.endswith(b"\n"):
        return None
    while True:
        log.seek(begin)
        block = log.read(offset - begin)
        if len(block) < offset - begin or not block.endswith(b"\n"):
            return None
        at = block.rfind(b"\n", 0, -1)
        if at >= 0 or not begin:
            last = block[at + 1 :]
            return {"first": zlib.crc32(first), "last": zlib.crc32(last), "last_size": len(last)}
        begin = max(0, begin - (offset - begin))


def write(digest: Digest, log: Path) -> None:
    """Write the index of a log. Raises DiskFullError and OSError."""
    with log.open("rb") as handle:
        identity = _identity(handle, digest.offset)
    if identity is None:
        return
    place = {
        "v": eventlog.FORMAT_VERSION,
        "index": [FORMAT_VERSION, __version__],
        "offset": digest.offset,
        "seq": digest.seq,
        "log": identity,
        "state": digest.state.to_json(),
    }
    rest = {
        "v": eventlog.FORMAT_VERSION,
        "series": digest.series.to_json(),
        "landmarks": [[mark.offset, mark.kind, mark.step] for mark in digest.landmarks],
    }
    write_bytes(path_of(log), seal(place) + seal(rest))


def read(log: Path, *, state_only: bool = False) -> Digest | None:
    """The digest in the index of a log, or None when there is none that fits the log.

    With `state_only` the series and the landmarks are left out, which is quicker.
    """
    try:
        with path_of(log).open("rb") as index:
            place = unseal(index.readline())
            rest = unseal(index.readline()) if not state_only else {}
        if place is None or rest is None or place["index"] != [FORMAT_VERSION, __version__]:
            return None
        with log.open("rb") as handle:
            if _identity(handle, place["offset"]) != place["log"]:
                return None
        digest = Digest(
            RunState.from_json(place["state"]), offset=place["offset"], seq=place["seq"]
        )
        if not state_only:
            digest.series = Series.from_json(rest["series"])
            digest.landmarks = [Landmark(*mark) for mark in rest["landmarks"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The folder may have been renamed since.
    digest.state.run = log.parent.name
    return digest


def new(log: Path) -> Digest:
    """The digest of no line at all."""
    return Digest(RunState(run=log.parent.name))


def complete(log: Path) -> Digest:
    """The digest of a whole log, from its index where it has one."""
    digest = read(log) or new(log)
    for _ in digest.read_on(log):
        pass
    return digest


def glance(log: Path, tail_bytes: int = GLANCE_BYTES) -> RunState:
    """The state as the index and the last `tail_bytes` of a log tell it; the whole log is not read.

    What was left out makes it `partial`: without an index the first lines are read too, so that it
    is known which job this is.
    """
    try:
        size = log.stat().st_size
    except OSError:
        return new(log).state
    digest = read(log, state_only=True) or new(log)
    if size - digest.offset > tail_bytes:
        if not digest.offset:
            _take(digest, log, _HEAD_BYTES)
        if size - digest.offset > tail_bytes:
            digest.offset = _next_line(log, size - tail_bytes)
            digest.state.partial = True
    _take(digest, log, size)
    return digest.state


def _take(digest: Digest, log: Path, upto: int) -> None:
    """Take in the lines that end at byte `upto` or before."""
    with contextlib.closing(whole_lines(log, digest.offset)) as lines:
        for line, end in lines:
            if end > upto:
                return
            digest.offset = end
            if record := decode(line):
                digest.state.apply(record)


def _next_line(log: Path, offset: int) -> int:
    """Where the first line begins behind byte `offset`."""
    with log.open("rb") as handle:
        handle.seek(offset)
        return offset + len(handle.readline())


class Keeper:
    """Keeps the index of a log that this process writes. `digest` is that of the whole log.

    The index is written by a thread of its own, so that the work never waits for it.
    """

    def __init__(self, log: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.digest = complete(log)
        self._log = log
        self._clock = clock
        self._written_seq = self.digest.seq
        self._rest = 0.0
        self._written_at = clock()
        self._writer: threading.Thread | None = None

    def take(self, record: Record, end: int) -> None:
        """Take in a record that was written; its line ends before byte `end`."""
        self.digest.apply(record, end)
        waited = self._clock() - self._written_at
        is_late = record.seq - self._written_seq >= LAG_EVENTS
        is_due = is_late or (record.event.durable and waited >= LAG_SECONDS)
        if is_due and waited >= self._rest:
            self._write_aside()

    def _write_aside(self) -> None:
        if self._writer is not None and self._writer.is_alive():
            return
        self._written_seq, self._written_at = self.digest.seq, self._clock()
        if self.digest.offset >= SMALL_LOG_BYTES:
            self._writer = write_aside(self.digest, self._log, self._took)

    def _took(self, seconds: float) -> None:
        self._rest = seconds / _WRITING_SHARE

    def close(self) -> None:
        """Write the index of the log as it ended."""
        if self._writer is not None:
            self._writer.join()
        if self.digest.offset >= SMALL_LOG_BYTES and self._written_seq != self.digest.seq:
            _write_if_possible(self.digest, self._log)


def write_aside(
    digest: Digest, log: Path, took: Callable[[float], None] = lambda _: None
) -> threading.Thread:
    """Write the index in a thread; `took` is told how many seconds it needed."""
    copied = digest.copy()

    def work() -> None:
        begun = time.monotonic()
        _write_if_possible(copied, log)
        took(time.monotonic() - begun)

    thread = threading.Thread(target=work, name="voicetui-index")
    thread.start()
    return thread


def _write_if_possible(digest: Digest, log: Path) -> None:
    # Without an index the log is read from its start: slower, and never wrong. A full disk is told
    # by those who write what matters, and a person who may only look cannot write it.
    with contextlib.suppress(OSError, DiskFullError):
        write(digest, log)
