"""The events of a job as calm lines for a plain terminal or a log file.

    12:03:44  EVAL PERFORMANCE  epoch 2  loss 3.41 (-0.02)  text 0.03 (-0.01)  mel 3.38 (-0.01)

A `Narrator` only looks at the records it is given, their times included, so the same log always
reads the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from engine import events
from engine.eventlog import Record
from engine.text import clean
from voicetui import plain_preparation, plain_training
from voicetui.amounts import duration, number, size
from voicetui.plain_preparation import counted
from voicetui.preparing import STAGE_WORDS

# Steps and progress come at most this often; what was held back is told when it matters.
QUIET_SECONDS = 2.0
DROPS_TOLD = 5
_INDENT = " " * 10
_STOPPED_BY = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "request": "request"}


class Narrator:
    """Tells one record after another; each call gives the lines to show, often none."""

    def __init__(self) -> None:
        self._reset(0.0)

    def _reset(self, now: float) -> None:
        self._begun = now
        self._job = ""
        self._last_told = -QUIET_SECONDS
        self._held_back: tuple[float, str] | None = None
        self._evaluated: events.Evaluated | None = None
        self._drops: dict[str, int] = {}
        self._extensions = 0

    def tell(self, record: Record) -> list[str]:
        """The lines for a record, without newlines and safe for any terminal."""
        event = record.event
        match event:
            case events.Step():
                return self._thinned(record.t, plain_training.step_line(event))
            case events.Progress():
                is_last = event.total > 0 and event.done >= event.total
                return self._thinned(record.t, _progress(event), at_once=is_last)
            case events.ClipDropped():
                return self._drop(record.t, event)
            case events.ClipExtended():
                return self._extension(record.t, event)
            case events.Started():
                self._reset(record.t)
                self._job = event.job
        told = (
            self._course(event, record.t) or plain_preparation.told(event) or self._training(event)
        )
        if not told:
            return []
        return [*self._release(), *_stamped(record.t, told)]

    def _thinned(self, now: float, text: str, *, at_once: bool = False) -> list[str]:
        if not at_once and 0 <= now - self._last_told < QUIET_SECONDS:
            self._held_back = (now, text)
            return []
        self._last_told, self._held_back = now, None
        return _stamped(now, [text])

    def _release(self) -> list[str]:
        """The last step or progress that was held back: it is the newest word on it."""
        if self._held_back is None:
            return []
        at, text = self._held_back
        self._last_told, self._held_back = at, None
        return _stamped(at, [text])

    def _drop(self, now: float, event: events.ClipDropped) -> list[str]:
        self._drops[event.reason] = self._drops.get(event.reason, 0) + 1
        told = sum(self._drops.values())
        if told > DROPS_TOLD:
            return []
        where = f"{clean(event.source)} at {event.start:.1f}-{event.end:.1f} s"
        lines = [f"dropped a clip of {where}: {clean(event.reason)}"]
        if told == DROPS_TOLD:
            lines.append("more dropped clips are counted only")
        return _stamped(now, lines)

    def _extension(self, now: float, event: events.ClipExtended) -> list[str]:
        self._extensions += 1
        if self._extensions > DROPS_TOLD:
            return []
        where = f"{clean(event.source)} at {event.start:.1f} s"
        return _stamped(
            now, [f"extended a clip of {where} from {event.before:.2f} to {event.after:.2f} s"]
        )

    def _drop_summary(self) -> list[str]:
        if not self._drops:
            return []
        per_reason = sorted(self._drops.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{count} {clean(reason)}" for reason, count in per_reason)
        total, self._drops = sum(self._drops.values()), {}
        return [f"dropped {counted(total, 'clip')}: {listed}"]

    def _course(self, event: events.Event, now: float) -> list[str]:
        """What any job tells."""
        match event:
            case events.Started():
                return [f"{clean(event.job)} begins (voicetui {clean(event.version)})"]
            case events.Stage():
                self._last_told = -QUIET_SECONDS
                amount = f"  {number(event.total)} {clean(event.unit)}" if event.total else ""
                return [f"{_stage(event.name)}{amount}".rstrip()]
            case events.Note():
                return [clean(event.text)]
            case events.Warned():
                return [
                    f"WARNING  {clean(event.seen)}",
                    f"means:   {clean(event.means)}",
                    f"remedy:  {clean(event.remedy)}",
                ]
            case events.RequestDone():
                verdict = "done" if event.ok else "not done"
                tail = f": {clean(event.message)}" if event.message else ""
                return [f"request to {clean(event.request)} {verdict}{tail}"]
            case events.Stopped():
                return [*self._drop_summary(), _stopped(event, self._job)]
            case events.Failed():
                return [*self._drop_summary(), f"FAILED   {clean(event.message)}"]
            case events.Finished():
                took = duration(now - self._begun)
                facts = _facts(event.summary)
                return [*self._drop_summary(), f"finished after {took}{facts and ': '}{facts}"]
            case events.DatasetWritten():
                lines = plain_preparation.dataset_lines(event.summary)
                lines = lines or [f"dataset  {_facts(event.summary)}"]
                return [*self._drop_summary(), *lines]
        return []

    def _training(self, event: events.Event) -> list[str]:
        before = self._evaluated
        match event:
            case events.Epoch():
                self._last_told = -QUIET_SECONDS
            case events.Evaluated():
                self._evaluated = event
        return plain_training.told(event, before)


def sentences(record: Record, before: Iterable[Record] = ()) -> list[str]:
    """What is told of one record, without its time; `before` is what it refers to, if anything."""
    narrator = Narrator()
    for earlier in before:
        narrator.tell(earlier)
    return [line[len(_INDENT) :] for line in narrator.tell(record)]


def _stamped(t: float, lines: list[str]) -> list[str]:
    """The time before the first line, the others below its text."""
    clock = time.strftime("%H:%M:%S", time.localtime(t))
    return [f"{clock}  {lines[0]}", *(f"{_INDENT}{line}" for line in lines[1:])] if lines else []


def _progress(event: events.Progress) -> str:
    unit = f" {clean(event.unit)}" if event.unit else ""
    item = f"  {clean(event.item)}" if event.item else ""
    if event.total <= 0:
        return f"{_stage(event.stage)}  {number(event.done)}{unit}{item}"
    share = 100 * event.done / event.total
    amount = f"{number(event.done)}/{number(event.total)}{unit}"
    return f"{_stage(event.stage)}  {amount}  {share:.0f} %{item}"


def _stopped(event: events.Stopped, job: str) -> str:
    by = _STOPPED_BY.get(event.reason, clean(event.reason))
    if job == "train" and not event.step:
        return f"stopped by {by} before the first step; there was nothing to save yet"
    where = f" at step {event.step}" if event.step is not None else ""
    again = "'voicetui train'" if job == "train" else "the same command"
    return f"stopped by {by}{where}, all of it saved; {again} goes on from there"


def _facts(summary: Mapping[str, Any]) -> str:
    """The plain values of a summary, one after the other."""
    return ", ".join(
        _fact(str(key), value)
        for key, value in summary.items()
        if isinstance(value, str | int | float) and value != ""
    )


def _fact(key: str, value: str | float) -> str:
    """A named value; names end in the unit of what they name."""
    name, _, unit = key.rpartition("_")
    if isinstance(value, str):
        return f"{_words(key)} {clean(value)}"
    if unit == "bytes":
        return f"{_words(name) or 'size'} {size(value)}"
    if unit == "seconds":
        return f"{_words(name) or 'time'} {duration(value)}"
    return f"{_words(key)} {value:.4g}" if isinstance(value, float) else f"{_words(key)} {value}"


def _stage(name: str) -> str:
    return STAGE_WORDS.get(name, _words(name))


def _words(name: str) -> str:
    return clean(name).replace("_", " ")
