"""Dialogs that find a folder or files on this machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from engine.text import clean
from voicetui.screens.base import Dialog, Result
from voicetui.screens.dialogs import Prompt
from voicetui.typed import path_of
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.folder_browser import Entry, FolderBrowser, Looks, list_folder
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, fitted, wrapped

_KEYS = (("Enter", "open"), ("Space", "take it"), ("←", "up"), ("t", "type"), ("/", "filter"))


class _BrowseDialog(Dialog[Result]):
    """Walks through folders; `take` gets the paths that a person chose."""

    BINDINGS: ClassVar[list[tuple[str, str, str]]] = [
        ("escape,ctrl+g,q", "cancel", "cancel"),
        ("space", "take", "take"),
        ("left,backspace", "up", "up"),
        ("right", "into", "open"),
        ("t", "type", "type a path"),
        ("slash", "filter", "filter"),
    ]

    def __init__(self, title: str, text: str, start: Path, looks: Looks) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._start = start
        self._looks = looks

    def take(self, path: Path) -> None:
        """Do with a path what the dialog is for."""
        raise NotImplementedError

    def refusal(self, text: str) -> str:
        """Why a path that is typed cannot be taken, or ""."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog folders"):
            explained: list[Line] = [[(line, "")] for line in wrapped(self._text, self.text_width)]
            yield Lines([[(self._title, "title")], *explained, []])
            yield Lines([[]], id="place")
            browser = FolderBrowser(self._start, self._looks)
            yield browser
            yield FilterLine(browser)
            line: Line = []
            for key, label in (*_KEYS, ("q", "cancel")):
                line += [(f" {key} ", "inverse"), (f" {label} ", "")]
            yield Lines([[], line])

    def on_mount(self) -> None:
        self._browser.focus()

    @property
    def _browser(self) -> FolderBrowser:
        return self.query_one(FolderBrowser)

    def on_folder_browser_entered(self, event: FolderBrowser.Entered) -> None:
        listing = event.listing
        place: Line = [(fitted(clean(str(listing.folder)), self.text_width), "bold")]
        if listing.problem:
            place = [(fitted(listing.problem, self.text_width), "warn")]
        self.query_one("#place", Lines).show([place])

    def on_folder_browser_picked(self, event: FolderBrowser.Picked) -> None:
        self.take(event.entry.path)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._browser.narrow(event.value)

    def action_take(self) -> None:
        entry = self._browser.entry
        if entry is not None:
            self.take(entry.path)

    def action_up(self) -> None:
        self._browser.up()

    def action_into(self) -> None:
        self._browser.into()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def action_type(self) -> None:
        self.app.push_screen(
            Prompt(self._title, "Its path; ~ is your home.", check=self.refusal), self._typed
        )

    def _typed(self, text: str | None) -> None:
        if text is not None:
            self.take(path_of(text))


class FolderDialog(_BrowseDialog[Path]):
    """Gives the folder that was chosen, None when none was.

    Enter goes into a folder, or takes it when it has a note; Space takes the one under the cursor.
    """

    def take(self, path: Path) -> None:
        self.dismiss(path)

    def refusal(self, text: str) -> str:
        return (
            "" if os.path.isdir(path_of(text)) else f"There is no folder {clean(text.strip())!r}."
        )


class FilesDialog(_BrowseDialog[list[Path]]):
    """Gives `count` files with one of the `endings`, or a folder instead of several; None when none.

    Enter goes into a folder; Enter and Space take a file or give it back, and the last one that is
    needed closes the dialog. Space takes a folder.
    """

    def __init__(
        self, title: str, text: str, start: Path, endings: Collection[str], count: int
    ) -> None:
        def is_wanted(name: str) -> bool:
            return os.path.splitext(name)[1].lower() in endings

        super().__init__(title, text, start, Looks(files=is_wanted))
        self._count = count
        self._taken: list[Path] = []

    def take(self, path: Path) -> None:
        if os.path.isdir(path):
            self._take_folder(path)
            return
        if path in self._taken:
            self._taken.remove(path)
        else:
            self._taken.append(path)
        if len(self._taken) == self._count:
            self.dismiss(self._taken)
        else:
            self._browser.show_marks(frozenset(self._taken))

    def _take_folder(self, folder: Path) -> None:
        if self._count == 1 or folder == self._browser.listing.folder.parent:
            self._browser.enter(folder)
        elif sum(not entry.is_folder for entry in self._inside(folder)) >= self._count:
            self.dismiss([folder])
        else:
            told = f"{clean(folder.name)} holds no {self._count} such files; Enter opens it."
            self.query_one("#place", Lines).show([[(fitted(told, self.text_width), "warn")]])

    def _inside(self, folder: Path) -> Sequence[Entry]:
        return list_folder(folder, self._looks).entries

    def refusal(self, text: str) -> str:
        path = path_of(text)
        if os.path.isfile(path) or (os.path.isdir(path) and self._count > 1):
            return ""
        what = "file" if self._count == 1 else "file or folder"
        return f"There is no {what} {clean(text.strip())!r}."
