"""A text to read: it scrolls by the keys of a list, and has no cursor."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from voicetui import keys
from voicetui.widgets.rows import scroll_bar
from voicetui.widgets.styled import Line, Styled


class Pager(Styled, can_focus=True):
    """Shows lines from `top` on. `mark` is a line that stands out, such as the one that was found."""

    DEFAULT_CSS = "Pager { height: 1fr; }"
    BINDINGS = keys.bindings(keys.LIST)

    class Widened(Message):
        """It has another width: lines that were wrapped for it must be wrapped again."""

        def __init__(self, pager: Pager) -> None:
            super().__init__()
            self.pager = pager

        @property
        def control(self) -> Pager:
            return self.pager

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._top = 0
        self._mark: int | None = None
        self._width = 0

    @property
    def top(self) -> int:
        """The first line in sight."""
        return self._top

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    @property
    def text_width(self) -> int:
        """How wide lines may be; the last two cells are those of the scroll bar."""
        return max(1, self.size.width - 2)

    def show(self, lines: Sequence[Line], *, top: int = 0, mark: int | None = None) -> None:
        """Show other lines; a mark is brought into sight."""
        self._lines, self._mark = lines, mark
        self._top = self._limited(top)
        if mark is not None and not self._top <= mark < self._top + self._page:
            # A third of the page above it shows where it belongs.
            self._top = self._limited(mark - self._page // 3)
        self.refresh()

    @property
    def _page(self) -> int:
        return max(1, self.size.height)

    def _limited(self, top: int) -> int:
        return max(0, min(top, len(self._lines) - self._page))

    def _scroll(self, top: int) -> None:
        if self._limited(top) != self._top:
            self._top = self._limited(top)
            self.refresh()

    def action_up(self) -> None:
        self._scroll(self._top - 1)

    def action_down(self) -> None:
        self._scroll(self._top + 1)

    def action_page_up(self) -> None:
        self._scroll(self._top - self._page + 1)

    def action_page_down(self) -> None:
        self._scroll(self._top + self._page - 1)

    def action_first(self) -> None:
        self._scroll(0)

    def action_last(self) -> None:
        self._scroll(len(self._lines))

    def action_choose(self) -> None:
        self.action_down()

    def on_resize(self, event: events.Resize) -> None:
        self._top = self._limited(self._top)
        if event.size.width != self._width:
            self._width = event.size.width
            self.post_message(self.Widened(self))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = self._top + y
        line = self._lines[index] if index < len(self._lines) else []
        bar = scroll_bar(y, self._top, self._page, len(self._lines))
        under = "chosen" if index == self._mark else ""
        strip = self.strip_of(line, width - len(bar), under)
        return Strip.join([strip, self.strip_of([(bar, "dim")], len(bar))]) if bar else strip
