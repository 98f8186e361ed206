"""What happened in a job, as rows of a list that can be filtered."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from engine import events
from engine.eventlog import Record
from engine.text import clean
from voicetui import plain
from voicetui.widgets.styled import Line, fitted

# The words of kinds whose own name is none.
_WORDS = {
    "asr_model": "speech model",
    "clip_dropped": "dropped",
    "dataset_written": "dataset",
    "request_done": "request",
    "rolled_back": "went back",
    "source_failed": "not used",
    "source_prepared": "source",
    "voice_evaluated": "voice",
}
_STYLES = {
    "warning": "warn",
    "source_failed": "warn",
    "clip_dropped": "dim",
    "rolled_back": "warn",
    "failed": "bad",
    "saved": "good",
    "exported": "good",
    "finished": "good",
    "step": "dim",
    "progress": "dim",
}
_CHATTER = frozenset({"step", "progress"})
_TROUBLE = frozenset(
    {"warning", "source_failed", "failed", "stopped", "clip_dropped", "rolled_back"}
)
_KEPT_WORK = frozenset({"saved", "exported", "evaluated", "resumed", "voice_evaluated"})
_SPACES = re.compile(" {2,}")
_SHOUTS = ("WARNING ", "FAILED ", "NOT USED ", "EVAL PERFORMANCE ")
# Below the width `_ROOMY` longer kinds are cut.
_KIND_CELLS, _FEW_KIND_CELLS, _ROOMY = 12, 9, 60


@dataclass
class _Entry:
    """A record with what came before it and is needed to tell it."""

    record: Record
    before: tuple[Record, ...]
    _text: str | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        if self._text is None:
            told = " · ".join(
                _SPACES.sub("  ", line) for line in plain.sentences(self.record, self.before)
            )
            # The column of kinds says it already.
            said = (*_SHOUTS, f"{self.word} ")
            self._text = next(
                (told[len(word) :].lstrip() for word in said if told.startswith(word)), told
            )
        return self._text

    @property
    def clock(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.record.t))

    @property
    def word(self) -> str:
        kind = clean(self.record.kind)
        return _WORDS.get(kind, kind.replace("_", " "))

    @property
    def style(self) -> str:
        event = self.record.event
        if isinstance(event, events.Evaluated):
            return "good" if event.best else ""
        if isinstance(event, events.RequestDone):
            return "" if event.ok else "warn"
        return _STYLES.get(self.record.kind, "")


class EventRows:
    """Rows for a RowList, newest last: time, kind, and what happened in one line.

    At most LIMIT records are kept. `group` is one of GROUPS; the first hides what comes with every
    step.
    """

    LIMIT: ClassVar[int] = 5000
    GROUPS: ClassVar[tuple[str, ...]] = ("no steps", "all", "warnings", "saves")

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._entries: list[_Entry] = []
        self._shown: list[_Entry] = []
        self._group = self.GROUPS[0]
        self._filter = ""
        self._started: Record | None = None
        self._evaluated: Record | None = None
        self.load(records)

    # --- what it holds ----------------------------------------------------------------------------

    def load(self, records: Iterable[Record]) -> None:
        """Hold these records and no others."""
        self._entries, self._shown = [], []
        self._started = self._evaluated = None
        self.add(records)

    def add(self, records: Iterable[Record]) -> int:
        """Take new records; gives how many rows came at the end."""
        added = 0
        for record in records:
            entry = _Entry(record, self._before(record))
            self._entries.append(entry)
            if self._is_shown(entry):
                self._shown.append(entry)
                added += 1
        # Cut seldom, so that adding costs the same however many there are.
        if len(self._entries) >= 2 * self.LIMIT:
            del self._entries[: -self.LIMIT]
            self._choose()
        return added

    def _before(self, record: Record) -> tuple[Record, ...]:
        """The records that a sentence about this one refers to."""
        needed: Sequence[Record | None] = ()
        match record.event:
            case events.Started():
                self._started, self._evaluated = record, None
            case events.Evaluated():
                needed = (self._evaluated,)
                self._evaluated = record
            case events.Stopped() | events.Finished():
                needed = (self._started,)
        return tuple(each for each in needed if each is not None)

    def __len__(self) -> int:
        return min(len(self._shown), self.LIMIT)

    def record(self, index: int) -> Record:
        """The record of a row."""
        return self._entry(index).record

    def full_text(self, index: int) -> str:
        """All that a row tells, for a dialog or the clipboard."""
        entry = self._entry(index)
        return f"{entry.clock}  {entry.word}: {entry.text}" if entry.text else entry.word

    def _entry(self, index: int) -> _Entry:
        return self._shown[len(self._shown) - len(self) + index]

    # --- what is shown of it ----------------------------------------------------------------------

    @property
    def group(self) -> str:
        return self._group

    @property
    def filter(self) -> str:
        return self._filter

    def set_group(self, name: str) -> None:
        """Show one of GROUPS. Raises ValueError for another name."""
        if name not in self.GROUPS:
            raise ValueError(f"{name!r} is none of {', '.join(self.GROUPS)}")
        self._group = name
        self._choose()

    def next_group(self) -> str:
        """Show the next of GROUPS; gives its name."""
        place = self.GROUPS.index(self._group)
        self.set_group(self.GROUPS[(place + 1) % len(self.GROUPS)])
        return self._group

    def set_filter(self, text: str) -> None:
        """Show only rows that hold every word of the text, in any case."""
        self._filter = text
        self._choose()

    def _choose(self) -> None:
        newest = self._entries[-self.LIMIT :]
        self._shown = [entry for entry in newest if self._is_shown(entry)]

    def _is_shown(self, entry: _Entry) -> bool:
        kind = entry.record.kind
        group = self._group
        if group == "no steps":
            inside = kind not in _CHATTER
        elif group == "warnings":
            inside = kind in _TROUBLE
        else:
            inside = group == "all" or kind in _KEPT_WORK
        words = self._filter.casefold().split()
        if not inside or not words:
            return inside
        told = f"{entry.clock} {entry.word} {entry.text}".casefold()
        return all(word in told for word in words)

    def line(self, index: int, width: int) -> Line:
        entry = self._entry(index)
        kind = _KIND_CELLS if width >= _ROOMY else _FEW_KIND_CELLS
        room = max(0, width - 1 - 8 - 2 - kind - 2)
        return [
            (f" {entry.clock}  ", "dim"),
            (fitted(entry.word, kind), entry.style),
            ("  ", ""),
            (fitted(entry.text, room), "dim" if entry.style == "dim" else ""),
        ]
