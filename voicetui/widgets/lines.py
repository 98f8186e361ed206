"""A panel of lines that repaints only what changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.strip import Strip

from voicetui.cells import shown
from voicetui.widgets.styled import Line, Styled


class Lines(Styled):
    """Shows lines from its top; what does not fit is cut.

    `show` compares with what is on the screen and repaints the changed part of each changed line
    only, which keeps a live panel at some hundred bytes a second.
    """

    DEFAULT_CSS = "Lines { height: auto; }"

    def __init__(
        self,
        lines: Sequence[Line] = (),
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: list[Line] = _shown(lines)

    @property
    def lines(self) -> list[Line]:
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines."""
        before, self._lines = self._lines, _shown(lines)
        if len(before) != len(self._lines) and self.styles.is_auto_height:
            # Textual 8.2.8 counts only the first of several changes before it is idle, and takes
            # the height that it remembers of that count.
            self._layout_updates += 1
            self.refresh(layout=True)
            return
        regions = []
        for y in range(max(len(before), len(self._lines))):
            old = before[y] if y < len(before) else []
            new = self._lines[y] if y < len(self._lines) else []
            if old != new:
                start, end = _changed_cells(old, new)
                regions.append(Region(start, y, min(end, self.size.width) - start, 1))
        if regions:
            self.refresh(*regions)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return max(1, len(self._lines))

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else []
        return self.strip_of(line, self.size.width)


def _shown(lines: Sequence[Line]) -> list[Line]:
    return [[(shown(text), style) for text, style in line] for line in lines]


def _changed_cells(old: Line, new: Line) -> tuple[int, int]:
    """The first and the end cell in which two lines differ."""
    start = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            if before[1] == after[1]:
                start += _common_prefix(before[0], after[0])
            break
        start += cell_len(after[0])
    end = max(sum(cell_len(text) for text, _ in line) for line in (old, new))
    return start, end


def _common_prefix(before: str, after: str) -> int:
    """The cells of whole letters that two texts begin with; a mark belongs to the one before it."""
    pairs = zip(before, after, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    while same and any(same < len(text) and not cell_len(text[same]) for text in (before, after)):
        same -= 1
    return cell_len(after[:same])
