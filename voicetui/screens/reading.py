"""A dialog with a text of any length, to scroll through."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from voicetui.screens.base import Dialog
from voicetui.screens.dialogs import Choice
from voicetui.widgets.lines import Lines
from voicetui.widgets.pager import Pager
from voicetui.widgets.styled import Line, fitted, wrapped

# The scroll bar of the pager, and a blank before it.
_BAR = 2
_MOST_ROWS = 30


class Reading(Dialog[str]):
    """Shows (label, text) pairs under each other; q, Enter or Space closes it.

    The letter of an `answer` closes it too, and is the result.
    """

    def __init__(
        self, title: str, rows: Sequence[tuple[str, str]], answers: Sequence[Choice] = ()
    ) -> None:
        super().__init__()
        self._title = title
        self._rows = rows
        self._answers = answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines([[(self._title, "title")], []])
            yield Pager()
            keys: Line = []
            for answer in self._answers:
                keys += [(f" {answer.key} ", "inverse"), (f"  {answer.text}   ", "")]
            yield Lines([[], [*keys, (" q ", "inverse"), ("  close", "")]])

    def on_mount(self) -> None:
        pager = self.query_one(Pager)
        lines = _laid_out(self._rows, self.text_width - _BAR)
        pager.styles.height = min(len(lines), _MOST_ROWS, max(3, self.app.size.height - 12))
        pager.focus()
        self.call_after_refresh(pager.show, lines)

    def on_key(self, event: events.Key) -> None:
        if any(answer.key == event.character for answer in self._answers):
            event.stop()
            self.dismiss(event.character)
        elif event.key in ("q", "enter", "space"):
            event.stop()
            self.dismiss(None)


def _laid_out(rows: Sequence[tuple[str, str]], width: int) -> list[Line]:
    longest = max((cell_len(label) for label, _ in rows), default=0)
    label_width = min(longest, width // 2) + 2
    lines: list[Line] = []
    for label, text in rows:
        first, *more = wrapped(text, width - label_width)
        lines.append([(fitted(label, label_width), "dim"), (first, "")])
        lines += [[(" " * label_width, ""), (line, "")] for line in more]
    return lines
