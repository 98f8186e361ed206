"""The last guard before the terminal: whatever a widget draws, no control character passes."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from voicetui.cells import shown


class Literal(LineFilter):
    """Makes texts of Textual's own widgets safe, such as what is typed or pasted into a line."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._ascii_only = ascii_only

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        return [segment if segment.control else self._safe(segment) for segment in segments]

    def _safe(self, segment: Segment) -> Segment:
        """The segment, as wide as it was counted: the line must not become longer."""
        text = shown(segment.text, ascii_only=self._ascii_only)
        if text == segment.text:
            return segment
        return Segment(set_cell_size(text, cell_len(segment.text)), segment.style)
