"""The line that `/` opens under a list: what is typed there narrows the list."""

from __future__ import annotations

from textual import events
from textual.widget import Widget

from voicetui.widgets.entry import Entry


class FilterLine(Entry):
    """Hidden while it is empty and not being typed in.

    Enter, ↑ and ↓ go back to the list and keep the filter; Ctrl-G, Esc, and Backspace in an empty
    line take it away. It posts `Input.Changed`.
    """

    DEFAULT_CSS = "FilterLine { display: none; } FilterLine.-open { display: block; }"

    def __init__(self, owner: Widget, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder="filter", id=id)
        self._owner = owner

    def open(self) -> None:
        """Show the line and type in it."""
        self.add_class("-open")
        self.screen.set_focus(self)

    def clear_filter(self) -> None:
        """Take the filter away."""
        self.value = ""
        self._back()

    def _back(self) -> None:
        self.set_class(bool(self.value), "-open")
        if self.has_focus:
            self.screen.set_focus(self._owner)

    def on_key(self, event: events.Key) -> None:
        empty = event.key == "backspace" and not self.value
        if event.key in ("ctrl+g", "escape") or empty:
            event.stop()
            event.prevent_default()
            self.clear_filter()
        elif event.key in ("enter", "up", "down"):
            event.stop()
            event.prevent_default()
            self._back()
