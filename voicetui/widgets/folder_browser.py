"""A list of the folders and files in a folder, to find something on the disk of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import work
from textual.message import Message

from engine.text import clean
from voicetui.amounts import size
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted

_SIZE_WIDTH = 10
_UP = ".."


@dataclass(frozen=True)
class Entry:
    """A row: a folder or a file. `size` in bytes; `note` says what is special about a folder."""

    path: Path
    name: str
    is_folder: bool
    size: int = 0
    note: str = ""


@dataclass(frozen=True)
class Looks:
    """What is shown of a folder. `files` tells which file names, `note` what a folder is."""

    files: Callable[[str], bool] = lambda _: False
    note: Callable[[Path], str] = lambda _: ""


@dataclass(frozen=True)
class Listing:
    """A folder's entries, folders first. `others` counts the files that are not shown."""

    folder: Path
    entries: tuple[Entry, ...]
    others: int = 0
    problem: str = ""


def list_folder(folder: Path, looks: Looks) -> Listing:
    """What there is in a folder; hidden entries are left out. Never raises for what is on the disk.

    A folder that cannot be read has a `problem`, and the way up as its only entry.
    """
    found: list[Entry] = []
    others = 0
    problem = ""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                made = _entry(entry, looks)
                others += made is None
                found += [made] if made else []
    except OSError as error:
        problem = f"{clean(str(folder))} cannot be read ({clean(error.strerror or str(error))})."
    found.sort(key=lambda entry: (not entry.is_folder, entry.name.casefold(), entry.name))
    up = [Entry(folder.parent, _UP, is_folder=True)] if folder.parent != folder else []
    return Listing(folder, (*up, *found), others, problem)


def _entry(entry: os.DirEntry[str], looks: Looks) -> Entry | None:
    path = Path(entry.path)
    # A link that leads nowhere, or to itself, raises.
    with contextlib.suppress(OSError):
        if entry.is_dir():
            return Entry(path, entry.name, is_folder=True, note=looks.note(path))
        if entry.is_file() and looks.files(entry.name):
            return Entry(path, entry.name, is_folder=False, size=entry.stat().st_size)
    return None


def _inside(folder: Path) -> Path:
    """The folder to show when one is entered: a link to one that we are in leads back there."""
    real = Path(os.path.realpath(folder))
    above = {os.path.realpath(parent) for parent in folder.parents}
    return real if folder.is_symlink() and str(real) in above else folder


class _Entries:
    def __init__(self, entries: Sequence[Entry], sign: Callable[[Entry], tuple[str, str]]) -> None:
        self.entries = entries
        self._sign = sign

    def __len__(self) -> int:
        return len(self.entries)

    def line(self, index: int, width: int) -> Line:
        entry = self.entries[index]
        sign, style = self._sign(entry)
        right = size(entry.size) if not entry.is_folder else entry.note
        right_width = max(_SIZE_WIDTH, len(right) + 1)
        name = f"{entry.name}/" if entry.is_folder else entry.name
        return [
            (f" {sign} ", style),
            ("▸ " if entry.is_folder else "  ", "dim"),
            (fitted(name, max(0, width - 6 - right_width)), "bold" if entry.is_folder else ""),
            (fitted(right, right_width, right=True), "good" if entry.is_folder else "dim"),
            (" ", ""),
        ]


class FolderBrowser(RowList):
    """Walks through folders; `marks` are the paths with a sign before them.

    `Entered` tells that another folder is in sight, `Picked` that Enter was pressed on a file, or
    on a folder with a note.
    """

    class Entered(Message):
        """A folder was read."""

        def __init__(self, listing: Listing) -> None:
            super().__init__()
            self.listing = listing

    class Picked(Message):
        """An entry was picked."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, start: Path, looks: Looks, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, empty="Looking …")
        self._looks = looks
        self._start = start
        self._filter = ""
        self.listing = Listing(start, ())
        self.marks: frozenset[Path] = frozenset()
        self.bad: frozenset[Path] = frozenset()

    def on_mount(self) -> None:
        self.enter(self._start)

    # --- what is in sight -------------------------------------------------------------------------

    @property
    def entry(self) -> Entry | None:
        """The one under the cursor."""
        rows = self.rows
        return rows.entries[self.cursor] if isinstance(rows, _Entries) and len(rows) else None

    def show_marks(self, marks: frozenset[Path], bad: frozenset[Path] = frozenset()) -> None:
        """Put the signs before these paths; `bad` ones cannot be used."""
        self.marks, self.bad = marks, bad
        self.refresh()

    def narrow(self, text: str) -> None:
        """Show only names that hold a text."""
        self._filter = text.casefold()
        self._show(None)

    def _sign(self, entry: Entry) -> tuple[str, str]:
        if entry.name == _UP:
            return " ", ""
        if entry.path in self.bad:
            return "✗", "bad"
        if entry.path in self.marks:
            return "✓", "good"
        return ("·", "good") if self.marks & set(entry.path.parents) else (" ", "")

    def _show(self, select: Path | None) -> None:
        entries = [
            entry
            for entry in self.listing.entries
            if entry.name == _UP or self._filter in entry.name.casefold()
        ]
        places = (index for index, entry in enumerate(entries) if entry.path == select)
        first = 1 if len(entries) > 1 and entries[0].name == _UP else 0
        self.show(_Entries(entries, self._sign), cursor=next(places, first), empty="Nothing here.")

    # --- walking ----------------------------------------------------------------------------------

    def enter(self, folder: Path, select: Path | None = None) -> None:
        """Go into a folder, with the cursor on one of its entries."""
        self._load(_inside(folder), select)

    @work(exclusive=True, group="browse")
    async def _load(self, folder: Path, select: Path | None) -> None:
        listing = await asyncio.to_thread(list_folder, folder, self._looks)
        self.listing = listing
        self._show(select)
        self.post_message(self.Entered(listing))

    def up(self) -> None:
        """Go to the folder above."""
        folder = self.listing.folder
        if folder.parent != folder:
            self.enter(folder.parent, folder)

    def into(self) -> None:
        """Go into the folder under the cursor."""
        entry = self.entry
        if entry is not None and entry.name == _UP:
            self.up()
        elif entry is not None and entry.is_folder:
            self.enter(entry.path)

    def action_choose(self) -> None:
        entry = self.entry
        if entry is None:
            return
        if entry.is_folder and not (entry.note and entry.name != _UP):
            self.into()
        else:
            self.post_message(self.Picked(entry))
