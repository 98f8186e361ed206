"""The command palette: every action of the screen and the app, found by typing its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.fuzzy import Matcher
from textual.widgets import Input

from voicetui.keys import Key, names
from voicetui.screens.base import Dialog
from voicetui.widgets.entry import Entry
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted

_KEYS: Line = [
    (" ↑ ↓ ", "inverse"),
    (" choose   ", ""),
    (" Enter ", "inverse"),
    (" do it   ", ""),
    (" Ctrl-G ", "inverse"),
    (" close", ""),
]


@dataclass(frozen=True)
class _Found:
    keys: Sequence[Key]

    def __len__(self) -> int:
        return len(self.keys)

    def line(self, index: int, width: int) -> Line:
        key = self.keys[index]
        head = f" {key.label or key.action.replace('_', ' ')}"
        return [
            (fitted(head, 16), "bold"),
            (fitted(key.help, max(0, width - 28)), ""),
            (fitted(names(key.keys), 11, right=True), "dim"),
        ]


class Palette(Dialog[Key]):
    """Gives the key that was chosen. Backspace in an empty line closes it."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog palette"):
            yield Entry(placeholder="what do you want to do?")
            yield RowList(_Found(self._keys), empty="No command is called that.")
            yield Lines([[], _KEYS])

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        wanted = event.value.strip()
        self.query_one(RowList).show(_Found(self._matching(wanted)), cursor=0)

    def _matching(self, wanted: str) -> list[Key]:
        """The keys that fit what was typed, best first; all of them for nothing."""
        if not wanted:
            return list(self._keys)
        matcher = Matcher(wanted)
        scored = [
            (matcher.match(f"{key.label} {key.action} {key.help}"), key) for key in self._keys
        ]
        return [key for score, key in sorted(scored, key=lambda pair: -pair[0]) if score > 0]

    def on_key(self, event: events.Key) -> None:
        rows = self.query_one(RowList)
        if event.key in ("up", "down"):
            event.stop()
            rows.move_to(rows.cursor + (1 if event.key == "down" else -1))
        elif event.key == "backspace" and not self.query_one(Input).value:
            event.stop()
            self.dismiss(None)

    def on_input_submitted(self) -> None:
        found = self.query_one(RowList).rows
        assert isinstance(found, _Found)
        self.dismiss(found.keys[self.query_one(RowList).cursor] if len(found) else None)

    def on_row_list_chosen(self) -> None:
        self.on_input_submitted()
