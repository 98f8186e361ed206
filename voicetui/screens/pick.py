"""A dialog that picks one of any number of things, by typing a part of its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from voicetui.screens.base import Dialog
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, Span, fitted

_MOST_ROWS = 12
# Border, padding, title and keys.
_AROUND = 10


@dataclass(frozen=True)
class Pickable:
    """What can be picked: the result, what it is called, and a note beside it."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class _Rows:
    things: Sequence[Pickable]

    def __len__(self) -> int:
        return len(self.things)

    def line(self, index: int, width: int) -> Line:
        thing = self.things[index]
        room = max(10, width // 2 - 2) if thing.note else width - 1
        return [
            (" ", ""),
            (fitted(thing.name, room), ""),
            (" ", ""),
            (fitted(thing.note, max(0, width - room - 3)), "dim"),
        ]


class Pick(Dialog[str]):
    """Gives the value of the thing that was picked, None when none was."""

    BINDINGS: ClassVar[list[tuple[str, str, str]]] = [
        ("escape,ctrl+g,q", "cancel", "cancel"),
        ("slash", "filter", "filter"),
    ]

    def __init__(self, title: str, things: Sequence[Pickable]) -> None:
        super().__init__()
        self._title = title
        self._things = things
        self._shown = things

    def compose(self) -> ComposeResult:
        rows = RowList(_Rows(self._things), empty="Nothing is called that.")
        keys: list[Span] = []
        for key, label in (("Enter", "take it"), ("/", "filter"), ("q", "cancel")):
            keys += [(f" {key} ", "inverse"), (f" {label}  ", "")]
        with Vertical(classes="dialog"):
            yield Lines([[(self._title, "title")], []])
            yield rows
            yield FilterLine(rows)
            yield Lines([[], keys])

    def on_mount(self) -> None:
        rows = self.query_one(RowList)
        room = max(3, self.app.size.height - _AROUND)
        rows.styles.height = max(1, min(len(self._things), _MOST_ROWS, room))
        rows.focus()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        wanted = event.value.strip().casefold()
        self._shown = [each for each in self._things if wanted in each.name.casefold()]
        self.query_one(RowList).show(_Rows(self._shown), cursor=0)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if self._shown:
            self.dismiss(self._shown[event.index].value)
