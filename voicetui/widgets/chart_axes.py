"""The axes of a chart: values on the left, steps below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voicetui.widgets.chart_data import Signs
from voicetui.widgets.plot import Grid, Scale, tick_text, ticks

_TICK_CELLS = 16
_LEAST_FOR_WORD = 40


@dataclass(frozen=True)
class Plot:
    """Where in a grid the plot lies: from column `left` on, in the rows 1 to `rows`.

    Below it is the axis, and unless `compact` a row for the numbers of the steps.
    """

    left: int
    columns: int
    rows: int
    first: int
    last: int
    compact: bool

    @property
    def axis_row(self) -> int:
        return self.rows + 1

    def column_of(self, step: int) -> int | None:
        """The grid's column of a step; None outside of the plot."""
        if not self.first <= step <= self.last:
            return None
        return self.left + (step - self.first) * self.columns // (self.last - self.first + 1)

    def column_of_cell(self, index: int, count: int) -> int:
        """The grid's column of the middle of cell `index` of `count` that share the plot."""
        return self.left + (2 * index + 1) * self.columns // (2 * count)


def draw_values(
    grid: Grid,
    plot: Plot,
    signs: Signs,
    marks: Iterable[tuple[float, str]],
    row_of: Callable[[float], int | None],
) -> None:
    """The axis on the left, with the ticks and their texts."""
    axis = plot.left - 1
    for y in range(1, plot.rows + 1):
        grid.put(axis, y, signs.axis, "dim")
    for value, text in marks:
        row = row_of(value)
        if row is not None:
            grid.put(axis - 1 - len(text), row, text, "dim")
            grid.put(axis, row, signs.tick_left, "dim")


def draw_steps(grid: Grid, plot: Plot, signs: Signs) -> None:
    """The axis below, with the steps."""
    grid.put(plot.left - 1, plot.axis_row, signs.corner + signs.level * plot.columns, "dim")
    row = plot.axis_row + (not plot.compact)
    end = grid.width
    if not plot.compact and plot.columns >= _LEAST_FOR_WORD:
        grid.put(end - len("step"), row, "step", "dim")
        end -= len("step") + 1
    after = 0
    scale = Scale(plot.first, plot.last + 1)
    for value in ticks(scale, max(2, plot.columns // _TICK_CELLS)):
        x = plot.column_of(round(value))
        if x is None or value != round(value):
            continue
        text = tick_text(round(value), 1)
        start = max(plot.left - 1, x - (len(text) - 1) // 2)
        if start < after or start + len(text) > end:
            continue
        if not plot.compact:
            grid.put(x, plot.axis_row, signs.tick_below, "dim")
        grid.put(start, row, text, "dim")
        after = start + len(text) + 1
