"""A dialog with a text of any length, to scroll through."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from voicetui.screens.base import Dialog
from voicetui.widgets.lines import Lines
from voicetui.widgets.pager import Pager
from voicetui.widgets.styled import Line, wrapped

_WIDTH = 64
_MOST_ROWS = 30


class Reading(Dialog[None]):
    """Shows (label, text) pairs under each other; q, Enter or Space closes it."""

    def __init__(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._lines = _laid_out(rows)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines([[(self._title, "title")], []])
            yield Pager()
            yield Lines([[], [(" q ", "inverse"), ("  close", "")]])

    def on_mount(self) -> None:
        pager = self.query_one(Pager)
        pager.styles.height = min(len(self._lines), _MOST_ROWS, max(3, self.app.size.height - 12))
        pager.focus()
        self.call_after_refresh(pager.show, self._lines)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("q", "enter", "space", "ctrl+c"):
            event.stop()
            self.dismiss(None)


def _laid_out(rows: Sequence[tuple[str, str]]) -> list[Line]:
    label_width = max((len(label) for label, _ in rows), default=0) + 2
    lines: list[Line] = []
    for label, text in rows:
        first, *more = wrapped(text, _WIDTH - label_width)
        lines.append([(label.ljust(label_width), "dim"), (first, "")])
        lines += [[(" " * label_width, ""), (line, "")] for line in more]
    return lines
