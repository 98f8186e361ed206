"""A line to type in."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input


class Entry(Input):
    """Its cursor stands still: a screen on which nothing happens writes nothing."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_blink = False
