"""A dialog that finds a folder on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from engine.text import clean
from voicetui.screens.base import Dialog
from voicetui.screens.dialogs import Prompt
from voicetui.typed import path_of
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.folder_browser import FolderBrowser, Looks
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, fitted, wrapped

_KEYS = (("Enter", "open"), ("Space", "take it"), ("←", "up"), ("t", "type"), ("/", "filter"))


class FolderDialog(Dialog[Path]):
    """Gives the folder that was chosen, None when none was.

    Enter goes into a folder, or takes it when it has a note; Space takes the one under the cursor.
    """

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
        self.dismiss(event.entry.path)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._browser.narrow(event.value)

    def action_take(self) -> None:
        entry = self._browser.entry
        if entry is not None:
            self.dismiss(entry.path)

    def action_up(self) -> None:
        self._browser.up()

    def action_into(self) -> None:
        self._browser.into()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def action_type(self) -> None:
        self.app.push_screen(
            Prompt(self._title, "The path of the folder; ~ is your home.", check=_no_folder),
            self._typed,
        )

    def _typed(self, text: str | None) -> None:
        if text is not None:
            self.dismiss(path_of(text))


def _no_folder(text: str) -> str:
    return "" if os.path.isdir(path_of(text)) else f"There is no folder {clean(text.strip())!r}."
