"""A person's edits of the clips, `dataset/edits.jsonl`: an append-only journal and the undo stack.

    {"v":1,"seq":3,"t":…,"kind":"edit","label":"text","changes":[…],"swaps":[…],"crc":"…"}
    {"v":1,"seq":4,"t":…,"kind":"undo","of":3,"crc":"…"}          and "redo" alike
    {"v":1,"seq":5,"t":…,"kind":"prepared","forms":{…},"orphans":[…],"crc":"…"}

The journal is the truth, the tables are derived from it and may lag: whoever reads them plays what
stands behind the last `prepared` or `written` line onto them again. Lines assign values, they do
not add to them, so playing one twice does no harm. `written` says that the tables hold every edit
before it, `prepared` that besides they were made anew; its `forms` are the edits that the new
clips take in another form. It is on the disk before the new tables are, which are away meanwhile.

All this, and the tables, are written under the lock of the dataset folder (`hold`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import lock
from engine.errors import BusyError, InputError
from engine.eventlog import FORMAT_VERSION, seal, unseal, whole_lines
from engine.files import Appender
from engine.text import clean

FILE_NAME = "edits.jsonl"

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """Fields of one clip. `source` is the SHA-256 of its recording, times are seconds in it.

    Of `scores` only the named ones change, and None takes one away.
    """

    id: str
    source: str
    start: float
    end: float
    before: Fields
    after: Fields


@dataclass(frozen=True)
class Swap:
    """Clips that take the place of others; whole rows as `clips.as_row` makes them."""

    removed: tuple[Fields, ...]
    added: tuple[Fields, ...]


@dataclass(frozen=True)
class Patch:
    """What to do to a table: first remove, then add, then assign fields."""

    remove: tuple[str, ...]
    add: tuple[Fields, ...]
    assign: tuple[tuple[str, Fields], ...]


@dataclass(frozen=True)
class Form:
    """What an edit does to the clips there are. Its changes and swaps are of different clips."""

    changes: tuple[Change, ...] = ()
    swaps: tuple[Swap, ...] = ()

    def patch(self, *, forward: bool) -> Patch:
        """How to do the edit, or to take it back."""
        pairs = [(s.removed, s.added) if forward else (s.added, s.removed) for s in self.swaps]
        return Patch(
            tuple(row["id"] for removed, _ in pairs for row in removed),
            tuple(row for _, added in pairs for row in added),
            tuple((c.id, c.after if forward else c.before) for c in self.changes),
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """The clips that there are when the edit is done."""
        added = [row["id"] for swap in self.swaps for row in swap.added]
        return (*(change.id for change in self.changes), *added)

    @property
    def wavs(self) -> set[str]:
        """The wavs that its rows name."""
        return {
            row["wav"]
            for swap in self.swaps
            for row in (*swap.removed, *swap.added)
            if row.get("wav")
        }


def as_values(form: Form) -> dict[str, Any]:
    """A form as plain JSON values."""
    values: dict[str, Any] = {}
    if form.changes:
        values["changes"] = [vars(change) for change in form.changes]
    if form.swaps:
        values["swaps"] = [vars(swap) for swap in form.swaps]
    return values


def _form(values: Fields) -> Form:
    return Form(
        tuple(Change(**change) for change in values.get("changes", ())),
        tuple(
            Swap(tuple(swap["removed"]), tuple(swap["added"])) for swap in values.get("swaps", ())
        ),
    )


@dataclass
class Entry:
    """An edit on one of the stacks. `origin` and `at` are the offsets of the line that it was
    written in, and of the one that holds its newest form."""

    seq: int
    label: str
    origin: int
    at: int


class Journal:
    """The journal of a dataset folder. `done` and `undone` are the stacks, the next one last.

    `damaged` counts lines that cannot be read; they are passed over. Edits are on the disk when the
    call that wrote them returns.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = folder / FILE_NAME
        self.done: list[Entry] = []
        self.undone: list[Entry] = []
        self.orphans: tuple[Fields, ...] = ()
        self.damaged = 0
        self.size = 0
        self._clock = clock
        self._seq = 0
        self._tail: list[tuple[Entry, bool]] = []
        self._file: Appender | None = None
        for line, end in whole_lines(self.path):
            offset, self.size = self.size, end
            values = unseal(line)
            if values is None:
                self.damaged += 1
            else:
                self._take(values, offset)

    def tail(self) -> Iterator[Patch]:
        """What was done since the tables were known to hold everything, in order."""
        for entry, forward in self._tail:
            yield self.form(entry).patch(forward=forward)

    def form(self, entry: Entry) -> Form:
        """What an edit does to the clips as they are now."""
        return self._read(entry, entry.at)

    def original(self, entry: Entry) -> Form:
        """What an edit did to the clips when it was made."""
        return self._read(entry, entry.origin)

    def forms(self) -> Iterator[Form]:
        """Every form of every edit on the stacks."""
        for entry in (*self.done, *self.undone):
            yield self.original(entry)
            if entry.at != entry.origin:
                yield self.form(entry)

    def edit(self, label: str, form: Form) -> None:
        """Put an edit on the stack; what was undone is forgotten. Raises DiskFullError."""
        self._write("edit", {"label": label, **as_values(form)})

    def undo(self) -> None:
        """Move the last edit to the undone ones. Raises DiskFullError."""
        self._write("undo", {"of": self.done[-1].seq})

    def redo(self) -> None:
        """Move the last undone edit back. Raises DiskFullError."""
        self._write("redo", {"of": self.undone[-1].seq})

    def prepared(self, forms: Mapping[int, Form], orphans: Sequence[Fields]) -> None:
        """Mark that new tables hold all edits, some in a new form. Raises DiskFullError."""
        values = {str(seq): as_values(form) for seq, form in forms.items()}
        self._write("prepared", {"forms": values, "orphans": list(orphans)})

    def written(self) -> None:
        """Note that the tables hold all edits. Raises DiskFullError."""
        self._write("written", {}, durable=False)

    def grown(self) -> bool:
        """Whether somebody else has written whole lines since this journal was read, or cut it."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return self.size > 0
        # To write behind the end of what is left would fill the gap with zeros.
        return size < self.size or (
            size > self.size and any(True for _ in whole_lines(self.path, self.size))
        )

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, kind: str, values: dict[str, Any], *, durable: bool = True) -> None:
        values = {"seq": self._seq + 1, "t": round(self._clock(), 3), "kind": kind, **values}
        line = seal({"v": FORMAT_VERSION, **values})
        if self._file is None:
            # Cut to the whole lines: a last one without its end was torn by a crash.
            self._file = Appender(self.path, self.size)
        self._file.append(line, durable=durable)
        offset, self.size = self.size, self.size + len(line)
        self._take(values, offset)

    def _take(self, values: dict[str, Any], offset: int) -> None:
        """Let a line act on the stacks."""
        self._seq = values["seq"]
        kind = values["kind"]
        if kind == "edit":
            entry = Entry(values["seq"], values["label"], offset, offset)
            self.done.append(entry)
            self.undone.clear()
            self._tail.append((entry, True))
        elif kind in ("undo", "redo"):
            source, target = (
                (self.done, self.undone) if kind == "undo" else (self.undone, self.done)
            )
            # Its edit is not there when that line was damaged.
            for entry in [entry for entry in source if entry.seq == values["of"]]:
                source.remove(entry)
                target.append(entry)
                self._tail.append((entry, kind == "redo"))
        elif kind == "written":
            self._tail.clear()
        elif kind == "prepared":
            self.orphans = tuple(values["orphans"])
            self._tail.clear()
            for entry in (*self.done, *self.undone):
                if str(entry.seq) in values["forms"]:
                    entry.at = offset

    def _read(self, entry: Entry, offset: int) -> Form:
        with self.path.open("rb") as handle:
            handle.seek(offset)
            values = unseal(handle.readline())
        if values is None:
            raise InputError(
                f"{clean(str(self.path))} was changed by another program, so the edit "
                f"{clean(entry.label)!r} cannot be read. Open the review again."
            )
        return _form(values if offset == entry.origin else values["forms"][str(entry.seq)])


@contextmanager
def hold(folder: Path, job: str) -> Iterator[None]:
    """Hold the tables and the journal of a dataset for writing. Raises BusyError, InputError."""
    with ExitStack() as held:
        try:
            held.enter_context(lock.hold(folder, job))
        except BusyError:
            owner = lock.holder(folder)
            who = owner.describe() if owner else "another process"
            raise BusyError(
                f"The clips in {clean(str(folder))} are being written by {who}. "
                "Try again in a moment; if it stays, close the review there."
            ) from None
        except PermissionError as error:
            raise InputError(
                f"{clean(str(folder))} cannot be written. Check that you may write there."
            ) from error
        yield


@contextmanager
def hold_soon(folder: Path, job: str, check: Callable[[], None]) -> Iterator[None]:
    """Like `hold`, but wait for whoever writes; `check` is called while waiting and may raise."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(hold(folder, job))
                break
            except BusyError:
                check()
        yield
