"""What the terminal shows by now, cell by cell, so that only what differs is sent to it.

Textual paints whole widgets where it lays them out anew, and a new screen several times over.
"""

from __future__ import annotations

from itertools import groupby

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

# A sign with its marks, and its style. The second cell of a wide sign is None.
Cell = tuple[str, Style | None] | None

_UNKNOWN: Cell = ("", None)
# To skip fewer cells than this costs more bytes than to paint them again.
_LEAST_GAP = 8


class Painted:
    """Remembers what was painted. What is not remembered is painted in any case."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Cell]] = {}
        # Equal styles as one object, which makes rows quick to compare.
        self._styles: dict[Style, Style] = {}

    def forget(self) -> None:
        """Take the terminal's content for unknown: another size, another program, its own clearing."""
        self._rows.clear()
        self._styles.clear()

    def changes(
        self, strip: Strip, x: int, y: int, span: tuple[int, int] | None = None
    ) -> list[tuple[int, Strip]]:
        """What the terminal does not show yet of a strip at (x, y), from its columns `span` only.

        Gives columns and what stands there, and remembers it as painted.
        """
        new = self._cells(strip)
        if span is not None:
            start, end = max(0, span[0] - x), min(len(new), span[1] - x)
            while 0 < start < len(new) and new[start] is None:
                start -= 1
            while 0 < end < len(new) and new[end] is None:
                end += 1
            x, new = x + start, new[start:end]
        if not new:
            return []
        end = x + len(new)
        row = self._rows.setdefault(y, [])
        row.extend([_UNKNOWN] * (end - len(row)))
        old = row[x:end]
        if old == new:
            return []
        row[x:end] = new
        # What a terminal makes of the other half of a wide sign is not known.
        if old[0] is None and x:
            row[x - 1] = _UNKNOWN
        if end < len(row) and row[end] is None:
            row[end] = _UNKNOWN
        return [(x + start, _strip(new[start:stop])) for start, stop in _runs(old, new)]

    def _cells(self, strip: Strip) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in strip:
            if control:
                continue
            if style is not None:
                style = self._styles.setdefault(style, style)
            if text.isascii():
                cells.extend([(sign, style) for sign in text])
                continue
            for sign in text:
                width = get_character_cell_size(sign)
                if width:
                    cells.append((sign, style))
                    cells.extend([None] * (width - 1))
                elif cells:
                    _mark(cells, sign)
        return cells


def _strip(cells: list[Cell]) -> Strip:
    # Rich would cut between a sign and its marks.
    segments: list[Segment] = []
    seen = [cell for cell in cells if cell is not None]
    for style, same in groupby(seen, key=lambda cell: cell[1]):
        segments.append(Segment("".join(text for text, _ in same), style))
    return Strip(segments, len(cells))


def _mark(cells: list[Cell], mark: str) -> None:
    """Add a combining mark to the last sign."""
    place = len(cells) - 1
    while place and cells[place] is None:
        place -= 1
    cell = cells[place]
    if cell is not None:
        cells[place] = (cell[0] + mark, cell[1])


def _runs(old: list[Cell], new: list[Cell]) -> list[tuple[int, int]]:
    """Where rows differ, as starts and ends; no wide sign is cut, neither an old nor a new one."""
    runs: list[tuple[int, int]] = []
    count = len(new)
    for place in range(count):
        if old[place] == new[place]:
            continue
        start, end = place, place + 1
        while start and (old[start] is None or new[start] is None):
            start -= 1
        while end < count and (old[end] is None or new[end] is None):
            end += 1
        if runs and start - runs[-1][1] < _LEAST_GAP:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs
