"""The last guard before the terminal: whatever a widget draws, no control character passes."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from engine.text import clean


class Literal(LineFilter):
    """Makes texts of Textual's own widgets safe, such as what is typed or pasted into a line."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        if all(segment.text.isprintable() or segment.control for segment in segments):
            return segments
        return [
            Segment("".join(map(_safe, segment.text)), segment.style, segment.control)
            for segment in segments
        ]


def _safe(character: str) -> str:
    """A character, or a mark as wide as it was counted: the line must not become longer."""
    shown = clean(character)
    return shown if cell_len(shown) == cell_len(character) else ""
