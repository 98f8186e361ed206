"""The preparation of a dataset: how far it is, what each recording gave, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from engine.dataset.clips import Reason
from engine.events import Warned
from engine.runstate import RunState
from voicetui.amounts import duration, number
from voicetui.plain_preparation import FIRST_TO_FIX
from voicetui.preparing import STAGE_WORDS, Bar, FileRow, Preparation
from voicetui.screens.dialogs import Choice, Choose
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted, wrapped

_BAR = 24
_MOST_NAME = 60
_MOST_WARNINGS = 3
_TIMES = {"kept": "are in use", "dropped": "dropped", "non_speech": "without speech"}
_FINDING_NAME = 18
_ROOMY = 100


class PreparationPane(Container):
    """Shows one preparation, or what a first one will do."""

    # Unix seconds; tests set another one.
    clock: ClassVar[Callable[[], float]] = staticmethod(time.time)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.sources: list[str] = []
        self.has_clips = False
        self._made = Preparation()
        self._state: RunState | None = None
        self._shown: list[FileRow] = []
        self._rows = FileRows()

    def compose(self) -> ComposeResult:
        yield Lines(id="prepare-head")
        yield RowList(self._rows, header=file_header(80), empty="", id="files")
        yield Lines(id="prepare-file")

    def show(self, made: Preparation | None, state: RunState | None) -> None:
        """Show what a preparation adds up to by now; None: there was none yet."""
        self._made, self._state = made or Preparation(), state
        width = max(40, self.size.width)
        head = self.query_one("#prepare-head", Lines)
        if state is None:
            head.show(
                elsewhere_lines(width) if self.has_clips else first_lines(self.sources, width)
            )
        else:
            head.show(head_lines(self._made, state, width, type(self).clock()))
        self._show_files([*self._made.files.values()])

    def on_resize(self) -> None:
        self.show(self._made, self._state)
        rows = self.query_one("#files", RowList)
        rows.show(self._rows, header=file_header(rows.size.width))

    def on_row_list_moved(self) -> None:
        self._show_file()

    def _show_files(self, files: list[FileRow]) -> None:
        rows = self.query_one("#files", RowList)
        rows.display = bool(files)
        before, self._shown = self._shown, files
        self._rows.files = files
        if len(before) != len(files):
            # The newest one stays in sight for who looks at it.
            follows = rows.cursor >= len(before) - 1
            rows.show(
                self._rows,
                cursor=len(files) - 1 if follows else None,
                header=file_header(rows.size.width),
            )
        else:
            for index, (old, new) in enumerate(zip(before, files, strict=True)):
                if old != new:
                    rows.refresh_row(index)
        self._show_file()

    def _show_file(self) -> None:
        """Why the recording under the cursor cannot be used, at length."""
        cursor = self.query_one("#files", RowList).cursor
        row = self._shown[cursor] if cursor < len(self._shown) else None
        text = f"{row.name}: {row.why}" if row and row.message else ""
        lines: list[Line] = [
            [(f" {line}", "warn")] for line in wrapped(text, max(20, self.size.width - 2))
        ]
        shown = self.query_one("#prepare-file", Lines)
        shown.display = bool(text)
        shown.show(lines[:3])


class FileRows:
    """The recordings as rows of a list."""

    def __init__(self) -> None:
        self.files: Sequence[FileRow] = ()

    def __len__(self) -> int:
        return len(self.files)

    def line(self, index: int, width: int) -> Line:
        row = self.files[index]
        room = _name_room(width)
        if row.message:
            return [
                (" ✗ ", "bad"),
                (fitted(row.name, room), ""),
                (fitted(f"  not used: {row.why}", max(0, width - room - 3)), "warn"),
            ]
        if row.working:
            return [(" ▶ ", "accent"), (fitted(row.name, room), "bold"), ("  working on it", "dim")]
        return [
            (" ✓ ", "good"),
            (fitted(row.name, room), ""),
            (f"{duration(row.seconds):>12}{duration(row.speech_seconds):>12}", ""),
            (f"{row.kept:>7}", ""),
            (f"{row.dropped:>9}", "" if row.dropped else "dim"),
            ("  =" if row.cached else "", "dim"),
        ]


def file_header(width: int) -> Line:
    """The names of the columns, as wide as the list."""
    return [
        (fitted("   recording", _name_room(width) + 3), ""),
        (f"{'length':>12}{'speech':>12}{'kept':>7}{'dropped':>9}", ""),
    ]


def _name_room(width: int) -> int:
    return max(12, min(_MOST_NAME, width - 48))


def first_lines(sources: Sequence[str], width: int) -> list[Line]:
    """What to tell before the first preparation."""
    told = ", ".join(sources) if sources else "none yet: name them in the setup of the project"
    texts = [
        ("There are no clips yet.", "title"),
        ("", ""),
        (
            "Preparing finds speech in the recordings, writes down what is said, and cuts clips of "
            "1 to 11 seconds with their texts. It can be left and stopped at any time, and goes on "
            "where it stopped.",
            "",
        ),
        ("", ""),
        (f"Recordings: {told}", ""),
        ("", ""),
        ("Press p to prepare them.", "accent"),
    ]
    return [
        [(f" {line}", style)] for text, style in texts for line in wrapped(text, max(20, width - 2))
    ]


def elsewhere_lines(width: int) -> list[Line]:
    """What to tell of clips whose preparation left no log here."""
    texts = [
        ("The clips are there, but no preparation is on record.", "title"),
        ("", ""),
        ("They were copied here, or the folder jobs/ was removed. Press 1 to go through them, or "
         "p to prepare the recordings again.", ""),
    ]  # fmt: skip
    return [
        [(f" {line}", style)] for text, style in texts for line in wrapped(text, max(20, width - 2))
    ]


def head_lines(made: Preparation, state: RunState, width: int, now: float) -> list[Line]:
    """State, progress, counts, warnings and what to do next."""
    lines = [_state_line(made, state, now)]
    if not state.ended:
        lines += [_bar_line(bar) for bar in (made.overall, made.current) if bar is not None]
        if made.item:
            lines.append([(" now       ", "dim"), (fitted(made.item, max(10, width - 12)), "")])
    if state.message and state.state in ("failed", "crashed"):
        lines += [[(f" {line}", "bad")] for line in wrapped(state.message, width - 2)[:4]]
    lines += _count_lines(made, width, "in all" if state.ended else "so far")
    findings = made.totals.get("findings", []) if state.ended else []
    told = {finding["name"].replace(" ", "_") for finding in findings}
    lines += _warning_lines([each for each in state.warnings if each.code not in told], width)
    lines += _finding_lines(findings, width)
    if state.ended:
        lines += _ending_lines(made, state, width)
    return [*lines, []]


def _state_line(made: Preparation, state: RunState, now: float) -> Line:
    took = duration(state.elapsed if state.ended else max(0.0, now - made.begun_at))
    match state.state:
        case "finished":
            line: Line = [(" ✓ Prepared", "good"), (f" in {took}", "")]
        case "stopped":
            line = [(" ‖ Stopped", "warn"), (f" after {took}; p goes on where it stopped", "")]
        case "failed":
            line = [(" ✗ Failed", "bad"), (f" after {took}", "")]
        case "crashed":
            line = [(" ✗ Ended without a word", "bad"), ("; p goes on where it stopped", "")]
        case "paused":
            line = [(" ‖ Paused", "warn")]
        case _:
            eta = made.eta(now)
            left = f", about {duration(eta)} left" if eta is not None else ""
            since = f" for {took}{left}" if made.begun_at else ""
            line = [(" ▶ Preparing", "accent"), (since, "")]
    if made.model is not None:
        line.append((f"   recogniser {made.model.name} on {made.model.device}", "dim"))
    return line


def _bar_line(bar: Bar) -> Line:
    words = STAGE_WORDS.get(bar.stage, bar.stage.replace("_", " "))
    head = f" {fitted(words, 29)} "
    if bar.total <= 0:
        amount = f"{number(bar.done)} {bar.unit}" if bar.done else ""
        return [(head, ""), (amount, "dim")]
    share = min(1.0, max(0.0, bar.done / bar.total))
    full = round(share * _BAR)
    return [
        (head, ""),
        ("█" * full, "one"),
        ("░" * (_BAR - full), "dim"),
        (f" {share:4.0%}", "bold"),
        (f"  {number(round(bar.done))} of {number(round(bar.total))} {bar.unit}", "dim"),
    ]


def _count_lines(made: Preparation, width: int, label: str) -> list[Line]:
    files = [row for row in made.files.values() if not row.working]
    if not files:
        return []
    failed = sum(bool(row.message) for row in files)
    cached = sum(row.cached for row in files)
    # At the end some clips are left out between train and eval, and a person's edits count.
    kept = made.totals.get("kept_clips", sum(row.kept for row in files))
    dropped = made.totals.get("dropped_clips", sum(row.dropped for row in files))
    parts = [_counted(len(files) - failed, "recording")]
    if cached:
        parts.append(f"{cached} as before (=)")
    if failed:
        parts.append(f"{failed} not usable")
    parts.append(f"{_counted(kept, 'clip')} kept, {dropped} dropped")
    lines: list[Line] = [[(f" {label:<10}", "dim"), (", ".join(parts), "")]]
    if made.dropped:
        listed = " · ".join(
            f"{count} {_reason(reason)}" for reason, count in made.dropped.most_common()
        )
        for row, line in enumerate(wrapped(listed, max(20, width - 13))[:2]):
            lines.append([("" if row else " dropped   ", "dim"), (line, "")])
            if row:
                lines[-1] = [("           ", ""), (line, "")]
    return lines


def _warning_lines(warnings: Sequence[Warned], width: int) -> list[Line]:
    lines: list[Line] = []
    for warning in warnings[-_MOST_WARNINGS:]:
        told = wrapped(f"{warning.seen} {warning.remedy}", max(20, width - 4))
        lines += [
            [(" ⚠ " if row == 0 else "   ", "warn"), (line, "")]
            for row, line in enumerate(told[:3])
        ]
    more = len(warnings) - _MOST_WARNINGS
    return [*lines, [(f"   and {more} earlier warnings", "dim")]] if more > 0 else lines


def _finding_lines(findings: Sequence[Mapping[str, Any]], width: int) -> list[Line]:
    """The first things to fix, with what to do about each."""
    if not findings:
        return []
    more = len(findings) - FIRST_TO_FIX
    rest = f"   4 shows {more} more and what each means" if more > 0 else ""
    airy: list[Line] = [[]] if width >= _ROOMY else []
    lines: list[Line] = [*airy, [(" What to fix first", "title"), (rest, "dim")]]
    room = max(20, width - _FINDING_NAME - 4)
    indent = _FINDING_NAME + 3 if width >= _ROOMY else 3
    for place, finding in enumerate(findings[:FIRST_TO_FIX], 1):
        style = "bad" if finding["level"] == "concern" else "warn"
        name = fitted(finding["name"], _FINDING_NAME)
        lines.append([(f" {place} ", style), (name, "bold"), (fitted(finding["seen"], room), "")])
        told = fitted(f"→ {finding['advice']}", max(20, width - indent - 1))
        lines.append([(" " * indent, ""), (told, "dim")])
    return [*lines, *airy]


def _ending_lines(made: Preparation, state: RunState, width: int) -> list[Line]:
    """A summary in plain words, and the next step."""
    totals = made.totals
    if state.state != "finished" or not totals:
        return []
    times = [
        f"{duration(totals[f'{name}_seconds'])} {words}"
        for name, words in _TIMES.items()
        if f"{name}_seconds" in totals
    ]
    held = _counted(totals.get("eval_clips", 0), "clip")
    text = (
        f"Of {duration(totals.get('input_seconds', 0.0))} of audio {', '.join(times)}; "
        f"{held} held out to judge the training."
    )
    told: list[Line] = [[(f" {line}", "")] for line in wrapped(text, max(20, width - 2))]
    told.append([(" Next: ", "bold"), ("press 1 and go through the clips, worst first.", "accent")])
    return told


def _reason(code: str) -> str:
    return Reason(code).value.replace("_", " ") if code in set(Reason) else code


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def confirm_stop() -> Choose:
    """Asks whether a preparation shall stop."""
    return Choose(
        "Stop the preparation?",
        "It stops within a second and keeps what is done; the next one goes on from there.",
        [Choice("x", "stop it")],
    )


def confirm_again() -> Choose:
    """Asks whether to prepare what was prepared before."""
    return Choose(
        "Prepare again?",
        "Recordings that did not change are not done again, and your edits are kept.",
        [Choice("p", "prepare")],
    )


def confirm_fetch(name: str, size: str) -> Choose:
    """Asks whether a speech recognition model may be fetched."""
    about = f" (about {size})" if size else ""
    return Choose(
        "Fetch a speech recognition model?",
        f"None that fits is on this machine. {name}{about} is fetched from Hugging Face once and "
        "kept; an interrupted download goes on where it stopped.",
        [Choice("y", f"fetch {name}, then prepare")],
    )


def source_names(folder: Path, paths: Iterable[Path]) -> list[str]:
    """The recordings of a project as people know them."""
    return [
        str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
        for path in paths
    ]
