"""Text that takes the width there is, and scrolls where it is higher than its share of the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.geometry import Size
from textual.strip import Strip

from voicetui.widgets.styled import Line, Styled, plain, wrapped

# Makes the lines for a width.
Maker = Callable[[int], Sequence[Line]]


class Flowing(Styled):
    """Shows what `make` gives for its width, in at most `rows()` rows when that is given.

    Where that is not enough, its last row tells so, unless it is the only one, and `scroll_rows`
    moves the text.
    """

    DEFAULT_CSS = "Flowing { height: auto; }"

    def __init__(self, make: Maker, *, rows: Callable[[], int] | None = None) -> None:
        super().__init__()
        self._make = make
        self._rows = rows
        self._top = 0
        self._made: tuple[int, Sequence[Line]] = (-1, ())

    def lines(self, width: int) -> Sequence[Line]:
        """All lines for a width."""
        if self._made[0] != width:
            self._made = (width, self._make(width))
        return self._made[1]

    def _height(self, width: int) -> int:
        count = len(self.lines(width))
        return count if self._rows is None else max(1, min(count, self._rows()))

    def scroll_rows(self, by: int) -> None:
        """Move the text up or down, as far as there is more of it."""
        page = self.size.height - 1
        top = max(0, min(self._top + by, len(self.lines(self.size.width)) - page))
        if self.is_cut and top != self._top:
            self._top = top
            self.refresh()

    @property
    def is_cut(self) -> bool:
        """Whether there is more of it than can be in sight."""
        return len(self.lines(self.size.width)) > self.size.height

    def on_resize(self, _event: events.Resize) -> None:
        self._top = 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return self._height(width)

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        lines = self.lines(width)
        if self.is_cut and y == height - 1 > 0:
            last = min(self._top + height - 1, len(lines))
            return self.strip_of(
                [(f"↑↓ lines {self._top + 1}-{last} of {len(lines)}", "dim")], width
            )
        index = self._top + y
        return self.strip_of(lines[index] if index < len(lines) else [], width)


def paragraphs(text: str, style: str = "", head: Line | None = None) -> Maker:
    """A text with its own line breaks; `head` stands before its first line, the others below it."""

    def make(width: int) -> list[Line]:
        before = list(head or [])
        indent = len(plain(before))
        rows = [
            line
            for paragraph in text.split("\n")
            for line in wrapped(paragraph, max(1, width - indent))
        ]
        return [
            [*(before if row == 0 else [(" " * indent, "")] if indent else []), (line, style)]
            for row, line in enumerate(rows)
        ]

    return make


def together(*makers: Maker) -> Maker:
    """Several texts, one below the other."""
    return lambda width: [line for make in makers for line in make(width)]
