"""A menu of many answers in two columns, so that it fits a small terminal."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from voicetui.screens.dialogs import Choice, Choose
from voicetui.widgets.flowing import Flowing
from voicetui.widgets.styled import Line, fitted


class Menu(Choose):
    """Like Choose, for short answers."""

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__(title, "", choices)
        self._heading = title
        self._answers = [*choices, Choice("q", "cancel")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Flowing(self._columns)

    def _columns(self, width: int) -> list[Line]:
        half = (len(self._answers) + 1) // 2
        column = width // 2
        lines: list[Line] = [[(fitted(self._heading, width), "title")], []]
        for row in range(half):
            line: Line = []
            for choice in self._answers[row::half]:
                line += [
                    (f" {choice.key} ", "inverse"),
                    (fitted(f"  {choice.text}", column - 3), "dim" if choice.key == "q" else ""),
                ]
            lines.append(line)
        return lines
