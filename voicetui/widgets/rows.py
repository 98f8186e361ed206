"""A list of any length: only the rows in sight are ever made."""

from __future__ import annotations

from typing import Protocol

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from voicetui import keys
from voicetui.widgets.styled import Line, Styled


class Rows(Protocol):
    """What a list shows."""

    def __len__(self) -> int: ...

    def line(self, index: int, width: int) -> Line:
        """The row `index`, at most `width` cells wide."""


class FixedRows:
    """Rows that are lines already."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, index: int, width: int) -> Line:  # noqa: ARG002 - the widget cuts it
        return self._lines[index]


class RowList(Styled, can_focus=True):
    """A list with a cursor. `Moved` tells where the cursor is, `Chosen` that Enter was pressed."""

    DEFAULT_CSS = "RowList { height: 1fr; }"
    BINDINGS = keys.bindings(keys.LIST)

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, rows: RowList, index: int) -> None:
            super().__init__()
            self.rows = rows
            self.index = index

        @property
        def control(self) -> RowList:
            return self.rows

    class Chosen(Moved):
        """A row was chosen."""

    def __init__(
        self,
        rows: Rows | None = None,
        *,
        header: Line | None = None,
        empty: str = "Nothing here yet.",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._rows: Rows = rows if rows is not None else FixedRows([])
        self._header = header
        self._empty = empty
        self._cursor = 0
        self._top = 0

    # --- what it shows ----------------------------------------------------------------------------

    @property
    def cursor(self) -> int:
        """The row under the cursor; 0 in an empty list."""
        return self._cursor

    @property
    def rows(self) -> Rows:
        return self._rows

    @property
    def visible_rows(self) -> int:
        return max(1, self.size.height - (self._header is not None))

    def show(
        self,
        rows: Rows,
        *,
        cursor: int | None = None,
        header: Line | None = None,
        empty: str | None = None,
    ) -> None:
        """Show other rows; the cursor stays where it was unless another place is given."""
        self._rows = rows
        if header is not None:
            self._header = header
        if empty is not None:
            self._empty = empty
        self._place(self._cursor if cursor is None else cursor)
        self.refresh()

    def refresh_row(self, index: int) -> None:
        """Draw one row again."""
        y = index - self._top + (self._header is not None)
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and bring it into sight."""
        before, top = self._cursor, self._top
        self._place(index)
        if self._top != top:
            self.refresh()
        elif self._cursor != before:
            self.refresh_row(before)
            self.refresh_row(self._cursor)
        if self._cursor != before:
            self.post_message(self.Moved(self, self._cursor))

    def _place(self, index: int) -> None:
        count = len(self._rows)
        self._cursor = max(0, min(index, count - 1))
        page = self.visible_rows
        self._top = min(self._top, self._cursor)
        self._top = max(self._top, self._cursor - page + 1)
        self._top = max(0, min(self._top, count - page))

    # --- keys -------------------------------------------------------------------------------------

    def action_up(self) -> None:
        self.move_to(self._cursor - 1)

    def action_down(self) -> None:
        self.move_to(self._cursor + 1)

    def action_page_up(self) -> None:
        self.move_to(self._cursor - self.visible_rows)

    def action_page_down(self) -> None:
        self.move_to(self._cursor + self.visible_rows)

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self._rows) - 1)

    def action_choose(self) -> None:
        if len(self._rows):
            self.post_message(self.Chosen(self, self._cursor))

    # --- drawing ----------------------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        before = self._top
        self._place(self._cursor)
        if self._top != before:
            self.refresh()

    def on_focus(self) -> None:
        self.refresh_row(self._cursor)

    def on_blur(self) -> None:
        self.refresh_row(self._cursor)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._header is not None:
            if y == 0:
                return self.strip_of(self._header, width, "head")
            y -= 1
        index = self._top + y
        if not len(self._rows):
            return self.strip_of([(f"  {self._empty}", "dim")] if y == 0 else [], width)
        if index >= len(self._rows):
            return self.strip_of([], width)
        bar = scroll_bar(y, self._top, self.visible_rows, len(self._rows))
        line = self._rows.line(index, width - len(bar))
        under = "cursor" if index == self._cursor and self.has_focus else ""
        if index == self._cursor and not self.has_focus:
            under = "chosen"
        strip = self.strip_of(line, width - len(bar), under)
        return Strip.join([strip, self.strip_of([(bar, "dim")], len(bar))]) if bar else strip


def scroll_bar(y: int, top: int, page: int, count: int) -> str:
    """The scroll bar's cell of a line; none where all lines are in sight."""
    if count <= page:
        return ""
    size = max(1, page * page // count)
    start = round((page - size) * top / (count - page))
    return "█" if start <= y < start + size else "│"
