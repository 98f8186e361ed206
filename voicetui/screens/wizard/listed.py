"""Dialogs with a list: the chosen sources, what cannot be read, all settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical

from voicetui.screens.base import Dialog
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, Span, wrapped

_LEAST_HEIGHT = 3


class _Texts:
    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def line(self, index: int, width: int) -> Line:  # noqa: ARG002 - the widget cuts it
        return [(f" {self._texts[index]}", "")]


class Listed(Dialog[None]):
    """Shows texts, the whole one under the cursor below them; `remove` may take one away."""

    BINDINGS: ClassVar[list[tuple[str, str, str]]] = [
        ("escape,ctrl+g,q,enter", "cancel", "close"),
        ("x", "remove", "remove"),
    ]

    def __init__(
        self, title: str, texts: Sequence[str], remove: Callable[[int], None] | None = None
    ) -> None:
        super().__init__()
        self._title = title
        self._texts = list(texts)
        self._remove = remove

    def compose(self) -> ComposeResult:
        keys: list[Span] = [(" q ", "inverse"), (" close ", "")]
        if self._remove is not None:
            keys = [(" x ", "inverse"), (" remove ", ""), *keys]
        with Vertical(classes="dialog listed"):
            yield Lines([[(self._title, "title")], []])
            yield RowList(_Texts(self._texts), empty="Nothing.")
            yield Lines([[]], id="whole")
            yield Lines([[], keys])

    def on_mount(self) -> None:
        self.query_one(RowList).styles.height = max(_LEAST_HEIGHT, min(10, len(self._texts)))
        self._show()

    def on_row_list_moved(self) -> None:
        self._show()

    def on_row_list_chosen(self) -> None:
        self.dismiss(None)

    def _show(self) -> None:
        rows = self.query_one(RowList)
        whole = self._texts[rows.cursor] if self._texts else ""
        lines: list[Line] = [[(line, "dim")] for line in wrapped(whole, self.text_width)]
        self.query_one("#whole", Lines).show([[], *lines])

    def action_remove(self) -> None:
        rows = self.query_one(RowList)
        if self._remove is not None and self._texts:
            self._remove(rows.cursor)
            del self._texts[rows.cursor]
            rows.show(_Texts(self._texts))
            self._show()
