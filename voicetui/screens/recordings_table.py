"""The recordings of a dataset as a table: where their time went, and how they sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicetui.amounts import duration
from voicetui.widgets.styled import Line, Span, fitted

if TYPE_CHECKING:
    from engine.dataset.accounting import Recording

# All of them stand in dataset/recordings.jsonl.
_MOST_ROWS = 200
_LEAST_NAME, _MOST_NAME = 16, 44
_NONE: Span = ("-", "dim")


@dataclass(frozen=True)
class _Column:
    """One column; it is shown from a width of `least` cells on."""

    head: str
    width: int
    cell: Callable[[Recording], Span]
    least: int = 0


def _number(name: str, form: str = ".0f", scale: float = 1.0) -> Callable[[Recording], Span]:
    def cell(recording: Recording) -> Span:
        value = recording.quality.get(name)
        return _NONE if value is None else (format(value * scale, form), "")

    return cell


def _share(recording: Recording) -> Span:
    share = recording.kept_seconds / max(0.001, recording.seconds)
    return f"{share:.0%}", "" if recording.kept_seconds else "warn"


def _hum(recording: Recording) -> Span:
    mains, level = recording.quality.get("hum"), recording.quality.get("hum_db")
    return (f"{level:.0f}", "") if mains and level is not None else _NONE


COLUMNS = (
    _Column("length", 12, lambda recording: (duration(recording.seconds), "")),
    _Column("used", 6, _share),
    _Column("LUFS", 6, _number("loudness")),
    _Column("SNR", 5, _number("snr")),
    _Column("kHz", 6, _number("bandwidth", ".1f", 0.001)),
    _Column("room s", 8, _number("decay", ".2f"), least=78),
    _Column("peak", 7, _number("peak", ".1f"), least=104),
    _Column("clipped", 9, _number("clipping", ".2%"), least=104),
    _Column("hum", 6, _hum, least=112),
    _Column("hiss", 6, _number("hiss_db"), least=112),
    _Column("music", 7, _number("music", ".0%"), least=120),
    _Column("  format", 27, lambda recording: (f"  {_format(recording)}", "dim"), least=150),
)
_MEANINGS = (
    "used: share of its time in clips in use; LUFS: loudness; SNR: dB of the voice over the noise; "
    "kHz: where the sound ends; room s: how long the room takes to die away",
    "peak: dB of true peak; clipped: share of the samples; hum, hiss: dB against the voice; music: "
    "share of the speech with music near it",
)


def table_lines(recordings: Sequence[Recording], width: int) -> list[Line]:
    """A row for each recording; none before a preparation wrote them."""
    if not recordings:
        return []
    columns = [column for column in COLUMNS if width >= column.least]
    room = width - 3 - sum(column.width for column in columns)
    room = max(_LEAST_NAME, min(_MOST_NAME, room))
    head = "".join(_aligned(column.head, column) for column in columns)
    lines: list[Line] = [
        [(" recordings", "title"), (f"  {_counts(recordings)}", "dim")],
        [(f" {fitted('  name', room + 2)}{head}", "head")],
    ]
    shown = sorted(recordings, key=lambda each: (each.state == "used", each.path))[:_MOST_ROWS]
    lines += [_row(each, columns, room, width) for each in shown]
    if len(recordings) > _MOST_ROWS:
        more = f"and {len(recordings) - _MOST_ROWS:,} more, in dataset/recordings.jsonl"
        lines.append([(f"   {more}", "dim")])
    return lines


def meaning_lines(width: int) -> Sequence[str]:
    """What the columns of a table this wide mean."""
    return _MEANINGS if width >= 104 else _MEANINGS[:1]


def _row(recording: Recording, columns: Sequence[_Column], room: int, width: int) -> Line:
    name = os.path.basename(recording.path)
    if recording.state != "used":
        failed = recording.state == "failed"
        why = (
            recording.message.removeprefix(recording.path).strip(" :")
            if failed
            else (f"the same as {os.path.basename(recording.same_as)}")
        )
        return [
            (" ✗ " if failed else " = ", "bad" if failed else "dim"),
            (fitted(name, room), ""),
            (fitted(f"  {why}", max(0, width - room - 4)), "warn" if failed else "dim"),
        ]
    line: Line = [("   ", ""), (fitted(name, room), "")]
    for column in columns:
        text, style = column.cell(recording)
        line.append((_aligned(text, column), style))
    return line


def _aligned(text: str, column: _Column) -> str:
    """Numbers stand at the right, with at least one cell before them; words at the left."""
    if column.head.startswith(" "):
        return fitted(text, column.width)
    return fitted(text, column.width - 1, right=True).rjust(column.width)


def _counts(recordings: Sequence[Recording]) -> str:
    states = [each.state for each in recordings]
    parts = [
        f"{states.count(state):,} {words}"
        for state, words in (
            ("used", "used"),
            ("duplicate", "the same as another"),
            ("failed", "not usable"),
        )
        if state in states
    ]
    return ", ".join(parts)


def _format(recording: Recording) -> str:
    if not recording.rate:
        return ""
    sides = {1: "mono", 2: "stereo"}.get(recording.channels, f"{recording.channels} channels")
    return f"{recording.rate / 1000:g} kHz {sides} {recording.format}"
