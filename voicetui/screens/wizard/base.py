"""Step 3: the model to start from."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import work
from textual.widget import Widget

from engine import licences, places, project, recent
from engine.errors import VoicetuiError
from engine.text import clean
from engine.xtts import base as bases
from voicetui import fetching
from voicetui.amounts import size
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.folder_dialog import FolderDialog
from voicetui.screens.wizard import plan
from voicetui.screens.wizard.step import Step
from voicetui.tasks import Task
from voicetui.typed import short
from voicetui.widgets.folder_browser import Looks
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted, wrapped

_ADVICE = (
    "The base is the model that learns the voice; it is never changed. The newest suits nearly "
    "everybody. An earlier export of yours learns a further voice: train them one after the other, "
    "each about as long, take voices that are alike, and listen to all of them afterwards."
)
_COLUMNS = 2
_DETAIL_HEIGHT = 9


@dataclass(frozen=True)
class Row:
    """A base that can be chosen. `known` is None for a folder."""

    reference: str
    title: str
    detail: str
    known: bases.KnownBase | None = None


@dataclass(frozen=True)
class FileCheck:
    """One file of a base: whether it is there, and its size or what to do."""

    name: str
    is_there: bool
    hint: str


def check_files(folder: Path, known: bases.KnownBase | None) -> list[FileCheck]:
    """The six files of a base folder."""
    sizes = {file.path: file.size for file in known.files} if known else {}
    found = []
    for name in bases.FILES:
        try:
            status = os.stat(folder / name)
        except OSError:
            expected = size(sizes[name]) if sizes.get(name) else "missing"
            found.append(FileCheck(name, False, expected))
            continue
        right = not sizes.get(name) or sizes[name] == status.st_size
        hint = size(status.st_size) if right else f"{size(status.st_size)}, not as published"
        found.append(FileCheck(name, right, hint))
    return found


def earlier_exports(folders: Iterable[Path]) -> list[Row]:
    """The exports of other projects, as bases."""
    rows = []
    for folder in folders:
        try:
            exports = sorted((folder / "export").iterdir())
        except OSError:
            continue
        for export in exports:
            if all((export / name).is_file() for name in bases.FILES):
                title = f"{export.name} of {folder.name}"
                rows.append(Row(str(export), title, short(export)))
    return rows


class _Rows:
    def __init__(self, rows: Sequence[Row], chosen: str) -> None:
        self.rows = rows
        self._chosen = chosen

    def __len__(self) -> int:
        return len(self.rows)

    def line(self, index: int, width: int) -> Line:
        row = self.rows[index]
        sign = "●" if row.reference == self._chosen else "○"
        return [
            (f" {sign} ", "accent"),
            (fitted(row.title, 26), "bold"),
            (" ", ""),
            (fitted(row.detail, max(0, width - 31)), "dim"),
        ]


class BaseStep(Step):
    """Known models, folders and earlier exports; the cursor chooses."""

    actions = frozenset({"fetch", "browse", "stop_fetch", "left", "right"})

    def compose(self) -> Iterable[Widget]:
        yield RowList(id="bases")
        yield Lines([[]], id="base-details")

    def on_mount(self) -> None:
        self._exports: list[Row] = []
        self._was_fetching = False
        self._show_rows()
        self._find_exports()

    def fields(self) -> list[Widget]:
        return [self.query_one(RowList)]

    def advice(self) -> str:
        return _ADVICE

    @work(exclusive=True, group="exports")
    async def _find_exports(self) -> None:
        others = [folder for folder in recent.folders() if not self._is_own(folder)]
        self._exports = await asyncio.to_thread(earlier_exports, others)
        if self._exports:
            self._show_rows()

    def _is_own(self, folder: Path) -> bool:
        return self.before is not None and folder == self.before.folder.absolute()

    # --- showing ----------------------------------------------------------------------------------

    def _show_rows(self) -> None:
        rows = [self._known_row(known) for known in bases.known().values()] + self._exports
        if self.draft.base not in [row.reference for row in rows]:
            folder = Path(self.draft.base)
            rows.append(Row(str(folder), folder.name, short(folder)))
        cursor = [row.reference for row in rows].index(self.draft.base)
        self.query_one(RowList).styles.height = min(len(rows), self._most_rows)
        self.query_one(RowList).show(_Rows(rows, self.draft.base), cursor=cursor)
        self._show_details()

    @property
    def _most_rows(self) -> int:
        """How many rows leave room for the details."""
        return max(3, self.size.height - _DETAIL_HEIGHT)

    def _known_row(self, known: bases.KnownBase) -> Row:
        here = bases.vocab_of(known.name) is not None
        whole = sum(file.size for file in known.files)
        exact = all(file.size for file in known.files)
        amount = size(whole) if exact else "about 2.1 GB"
        place = "on this machine" if here else f"not here yet, {amount} (f fetches it)"
        newest = ", the newest" if known.name == project.DEFAULT_BASE else ""
        return Row(known.name, known.name, place + newest, known)

    @property
    def _row(self) -> Row | None:
        rows = self.query_one(RowList)
        found = rows.rows
        return found.rows[rows.cursor] if isinstance(found, _Rows) and len(found) else None

    def draft_changed(self) -> None:
        self._show_rows()

    def poll(self) -> None:
        is_fetching = not self.wizard.console.fetches.is_empty
        if is_fetching != self._was_fetching:
            self._was_fetching = is_fetching
            self._show_rows()
            self.wizard.refresh_keys()
        elif is_fetching:
            self._show_details()

    def on_resize(self) -> None:
        self._show_rows()

    def _show_details(self) -> None:
        row = self._row
        if row is not None:
            self.query_one("#base-details", Lines).show(
                [[], *self._licence(row), *self._fetch_lines(row)]
            )

    def _licence(self, row: Row) -> list[Line]:
        width = max(30, self.size.width - 3)
        if row.known is not None:
            folder = places.models_dir(bases.FAMILY) / row.known.name
            lines: list[Line] = [
                [(f" {line}", "")] for line in wrapped(f"Licence: {row.known.licence}", width)
            ]
            lines.append([(f" {row.known.licence_url}", "dim")])
        else:
            folder = Path(row.reference)
            lines = [[(f" {clean(row.reference)}", "")]]
        return [*lines, *_files(check_files(folder, row.known), self.size.width)]

    def _fetch_lines(self, row: Row) -> list[Line]:
        task = self._task_of(row)
        if task is None:
            problem = plan.base_problem(self.draft, self.before)
            width = max(30, self.size.width - 5)
            return [[(f" ✗ {line}", "bad")] for line in wrapped(problem, width)] if problem else []
        if task.problem:
            width = max(30, self.size.width - 3)
            return [[(f" {line}", "bad")] for line in wrapped(task.problem, width)]
        if not task.is_over:
            return [fetching.fetch_line(task)]
        is_here = task.state == "done"
        said = "fetched and checked" if is_here else "stopped; f goes on where it was"
        return [[(f" {task.name}: {said}", "good" if is_here else "warn")]]

    def _task_of(self, row: Row) -> Task | None:
        """The fetch of a published base that was begun last."""
        return self.wizard.console.fetches.of(row.known.name) if row.known is not None else None

    # --- keys -------------------------------------------------------------------------------------

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        row = self._row
        if row is not None and row.reference != self.draft.base:
            self.wizard.change(base=row.reference)

    def browse(self) -> None:
        """Take a folder of this machine as the base."""
        own = os.path.isabs(self.draft.base)
        start = Path(self.draft.base).parent if own else Path.home()
        self.app.push_screen(
            FolderDialog(
                "A folder with an XTTS base",
                f"It holds {', '.join(bases.FILES)}.",
                start if os.path.isdir(start) else Path.home(),
                Looks(note=_base_note),
            ),
            self._browsed,
        )

    def _browsed(self, folder: Path | None) -> None:
        if folder is not None:
            self.wizard.change(base=os.path.abspath(folder))

    def fetch(self) -> None:
        """Fetch the base under the cursor, after its licence was accepted."""
        row = self._row
        task = self._task_of(row) if row is not None else None
        if row is None or row.known is None:
            self.wizard.say("Only the published bases can be fetched.", "warn")
        elif task is not None and not task.is_over:
            self.wizard.say(f"{task.name} is being fetched; x stops it.", "warn")
        elif _is_accepted(row.known):
            self._begin(row.known.name)
        else:
            self.app.push_screen(
                Choose(
                    f"The licence of {row.known.name}",
                    f"{row.known.licence}.\nRead it at {row.known.licence_url}.\nWhoever uses this "
                    "model, or a voice that is trained from it, is bound by it.",
                    [Choice("a", "accept it, and fetch the model")],
                ),
                lambda answer: self._begin(row.known.name) if answer and row.known else None,
            )

    def _begin(self, name: str) -> None:
        fetching.fetch_base(self.wizard.console, name)
        self.poll()

    def stop_fetch(self) -> None:
        task = self._task_of(self._row) if self._row is not None else None
        if task is None or task.is_over:
            task = self.wizard.console.fetches.current
        if task is None:
            self.wizard.say("Nothing is being fetched.")
        else:
            task.stop()
            self.wizard.say("Stopping; what came is kept, and f goes on from there.")


def _files(checks: Sequence[FileCheck], width: int) -> list[Line]:
    cell = max(20, (width - 2) // _COLUMNS)
    rows = -(-len(checks) // _COLUMNS)
    lines: list[Line] = []
    for row in range(rows):
        line: Line = [(" ", "")]
        for check in checks[row::rows]:
            line.append(("✓ " if check.is_there else "✗ ", "good" if check.is_there else "bad"))
            line.append((fitted(f"{check.name:<19}{check.hint}", cell - 3), ""))
        lines.append(line)
    return lines


def _is_accepted(known: bases.KnownBase) -> bool:
    try:
        return licences.is_accepted(known.name, known.licence)
    except VoicetuiError:
        # The record of licences is broken; fetching says how to mend it.
        return True


def _base_note(folder: Path) -> str:
    there = sum((folder / name).is_file() for name in bases.FILES)
    if there == len(bases.FILES):
        return "XTTS base"
    return f"{there} of {len(bases.FILES)} files" if there >= 2 else ""
