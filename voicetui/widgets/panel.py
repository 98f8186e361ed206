"""A panel of lines that is made anew for the room it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events

from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line

# Makes the lines for a width and at most so many rows.
Maker = Callable[[int, int], Sequence[Line]]


class Panel(Lines):
    """Shows what `make` gives for its size; `update` makes it again. At most `limit` rows.

    `heading` stands above where the screen has room for it (`with_heading`).
    """

    def __init__(
        self,
        make: Maker,
        *,
        heading: str = "",
        limit: int = 1000,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._make = make
        self._heading = heading
        self.limit = limit
        self.with_heading = False

    def update(self) -> None:
        """Make the lines again."""
        width = self.size.width
        if not width:
            return
        rows = self.limit if self.styles.is_auto_height else min(self.limit, self.size.height)
        head: list[Line] = []
        if self.with_heading and self._heading:
            head = [[(f" {self._heading}".ljust(width), "head")]]
        self.show([*head, *list(self._make(width, rows - len(head)))[: max(0, rows - len(head))]])

    def on_resize(self, _event: events.Resize) -> None:
        self.update()
