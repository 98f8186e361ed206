"""Draws one frame of the loss chart into a grid of cells. No widgets, no state."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from engine.events import Evaluated
from engine.series import Bucket, Series
from engine.text import clean
from voicetui.widgets.chart_axes import Plot, draw_steps, draw_values
from voicetui.widgets.chart_data import ASCII, UNICODE, ChartData, best_of, cursor_cells
from voicetui.widgets.chart_legend import Legend, legend
from voicetui.widgets.chart_view import View
from voicetui.widgets.metrics import Metric, axis_texts
from voicetui.widgets.plot import (
    DOTS_ACROSS,
    Dots,
    Grid,
    Scale,
    ascii_sign,
    braille,
    robust_ends,
    scale_of,
    ticks,
)

# Below this height the steps stand in the axis itself.
_COMPACT_ROWS = 9
# The cells of the axis on the left, where no text is longer: digits come and go, it stays.
_AXIS_CELLS = 6
# Below this width every cell counts.
_NARROW_CELLS = 40
_LEAST_PLOT = 4


@dataclass(frozen=True)
class Frame:
    """A drawn chart. `columns` is the width of its plot in cells; `first` to `last` are its steps."""

    grid: Grid
    first: int
    last: int
    columns: int
    legend: Legend


def draw(
    data: ChartData,
    metric: Metric,
    view: View,
    width: int,
    height: int,
    *,
    ascii_only: bool = False,
    focused: bool = False,
) -> Frame:
    """The chart in a grid of `width` x `height` cells; never raises, whatever the numbers are."""
    return _Drawing(data, metric, view, max(1, width), max(1, height), ascii_only).frame(focused)


class _Drawing:
    """The parts of a frame, in the order in which they cover each other."""

    def __init__(
        self,
        data: ChartData,
        metric: Metric,
        view: View,
        width: int,
        height: int,
        ascii_only: bool,
    ) -> None:
        self.data, self.metric, self.view = data, metric, view
        self.ascii_only = ascii_only
        self.signs = ASCII if ascii_only else UNICODE
        self.grid = Grid(width, height)
        self.compact = height < _COMPACT_ROWS
        self.rows = max(0, height - (2 if self.compact else 3))
        first, last = view.shown(data.series.steps, data.planned)
        # Cells of the series are whole buckets.
        bucket = data.series.width
        self.first, self.last = first // bucket * bucket, (last // bucket + 1) * bucket - 1
        self.evaluations = self._held_out()
        self._place(_AXIS_CELLS)

    def _place(self, left: int) -> None:
        """Lay out the plot to the right of an axis, and take the numbers for its columns."""
        columns = max(0, self.grid.width - left)
        self.left, self.columns = left, columns
        self.plot = Plot(left, columns, self.rows, self.first, self.last, self.compact)
        dots = columns * DOTS_ACROSS
        self.cells = self.data.series.window(self.metric.series, self.first, self.last, dots)
        self.smooth = self._smoothed(self.data.series, dots) if self.metric.is_noisy else []
        self.overlays = [self._smoothed(each.series, dots) for each in self.data.overlays]

    def frame(self, focused: bool) -> Frame:
        self.scale = self._scale()
        marks = self._y_ticks()
        texts = axis_texts(self.metric, marks)
        longest = max(map(len, texts), default=0) + 2
        if longest > _AXIS_CELLS or self.grid.width < _NARROW_CELLS:
            self._place(longest)
        if self.rows > 0 and self.columns >= _LEAST_PLOT:
            self._draw_plot()
            self._draw_axes(marks, texts)
        shown = self._legend()
        for x, text, style in shown.placed(self.grid.width, focused):
            self.grid.put(x, 0, text, style)
        return Frame(self.grid, self.first, self.last, self.columns, shown)

    # --- numbers ----------------------------------------------------------------------------------

    def _held_out(self) -> list[tuple[int, float, Evaluated]]:
        read = self.metric.held_out
        if read is None:
            return []
        return [(each.step, read(each), each) for each in self.data.evaluations]

    def _smoothed(self, series: Series, dots: int) -> list[float]:
        return series.smoothed(self.metric.series, self.first, self.last, dots)

    def _is_drawn(self, value: float) -> bool:
        return math.isfinite(value) and (value > 0 or not self.view.log)

    def _scale(self) -> Scale | None:
        """The scale for what lies in the view; None when that is nothing."""
        log = self.view.log
        spans = [
            (self._drawable_low(cell), cell.high)
            for cell in self.cells
            if self._is_drawn(cell.high)
        ]
        firm = [value for value in self.smooth if self._is_drawn(value)]
        firm += itertools.chain(*([v for v in line if self._is_drawn(v)] for line in self.overlays))
        firm += [
            value
            for step, value, _ in self.evaluations
            if self.first <= step <= self.last and self._is_drawn(value)
        ]
        if log:
            spans = [(math.log10(low), math.log10(high)) for low, high in spans]
            firm = [math.log10(value) for value in firm]
        ends = robust_ends(spans, firm)
        if ends is None:
            return None
        if log:
            ends = 10 ** max(-300.0, ends[0]), 10 ** min(300.0, ends[1])
        return scale_of(*ends, log=log)

    def _drawable_low(self, cell: Bucket) -> float:
        """The low end of a cell; on a log scale what is not above 0 cannot be shown."""
        if not self.view.log or cell.low > 0:
            return cell.low
        return cell.mean if cell.mean > 0 else cell.high

    def _y_ticks(self) -> list[float]:
        if self.scale is None:
            return []
        most = (
            6
            if self.rows >= 16
            else 5
            if self.rows >= 9
            else 4
            if self.rows >= 6
            else 3
            if self.rows >= 4
            else 2
        )
        return ticks(self.scale, most)

    # --- the plot ---------------------------------------------------------------------------------

    def _draw_plot(self) -> None:
        if self.scale is not None:
            raw = self._raw_dots(self.scale)
            noisy = self.metric.is_noisy
            self._paint(raw, "faint" if noisy else "one", faint=noisy)
            for line in self.overlays:
                self._paint(self._line_dots(self.scale, line), "dim")
            if noisy:
                self._paint(self._line_dots(self.scale, self.smooth), "one")
            self._mark_outside(self.scale)
        else:
            self.grid.put(self.left + 1, 1 + self.rows // 2, self._why_empty(), "dim")
        self._mark_overtraining()
        if self.scale is not None:
            self._mark_evaluations(self.scale)
        self._mark_cursor()

    def _why_empty(self) -> str:
        if not self.data.series.steps:
            return "no steps yet"
        if any(cell.count for cell in self.cells):
            return "nothing above 0 to draw on a log scale"
        if any(cell.bad for cell in self.cells):
            return "no finite values here"
        return "no values here"

    def _centres(self, count: int) -> list[int]:
        """The dot columns of so many cells that share the plot evenly."""
        across = self.columns * DOTS_ACROSS
        return [(2 * cell + 1) * across // (2 * count) for cell in range(count)]

    def _raw_dots(self, scale: Scale) -> Dots:
        dots = Dots(self.columns, self.rows)
        before: tuple[int, int] | None = None
        for x, cell in zip(self._centres(len(self.cells)), self.cells, strict=True):
            if not self._is_drawn(cell.high):
                before = None
                continue
            top = scale.dot(cell.high, dots.down)
            bottom = scale.dot(self._drawable_low(cell), dots.down)
            if top is None or bottom is None:
                continue
            dots.column(x, top, bottom)
            middle = (top + bottom) // 2
            if before is not None:
                dots.line(*before, x, middle)
            before = (x, middle)
        return dots

    def _line_dots(self, scale: Scale, values: list[float]) -> Dots:
        dots = Dots(self.columns, self.rows)
        before: tuple[int, int] | None = None
        for x, value in zip(self._centres(len(values)), values, strict=True):
            y = scale.dot(value, dots.down) if self._is_drawn(value) else None
            if y is not None:
                dots.line(*(before or (x, y)), x, y)
            before = None if y is None else (x, y)
        return dots

    def _paint(self, dots: Dots, style: str, *, faint: bool = False) -> None:
        chars, styles, left = self.grid.chars, self.grid.styles, self.left
        for column, row, bits in dots.used():
            sign = ascii_sign(bits, faint=faint) if self.ascii_only else braille(bits)
            chars[row + 1][left + column] = sign
            styles[row + 1][left + column] = style

    def _mark_outside(self, scale: Scale) -> None:
        """Signs at the edge for values that reach beyond the scale, so that no spike is missed."""
        for index, cell in enumerate(self.cells):
            if not self._is_drawn(cell.high):
                continue
            x = self.plot.column_of_cell(index, len(self.cells))
            if cell.high > scale.high:
                self.grid.put(x, 1, self.signs.above, "warn")
            if self._drawable_low(cell) < scale.low:
                self.grid.put(x, self.rows, self.signs.below, "warn")

    def _mark_overtraining(self) -> None:
        step = self.data.overtrained_at
        x = None if step is None else self.plot.column_of(step)
        if x is None:
            return
        for y in range(1, self.rows + 1):
            if self.grid.is_blank(x, y):
                self.grid.put(x, y, self.signs.upright, "warn")
        word = "overtraining"
        for start in (x + 2, x - 1 - len(word)):
            if start >= self.left and start + len(word) <= self.grid.width:
                self.grid.put(start, 1, word, "warn")
                return

    def _row_of(self, scale: Scale, value: float) -> int | None:
        """The row of a value in the grid; at the edge when it lies outside."""
        dot = scale.dot(value, self.rows * 4) if self._is_drawn(value) else None
        return None if dot is None else 1 + max(0, min(dot // 4, self.rows - 1))

    def _mark_evaluations(self, scale: Scale) -> None:
        best = best_of(self.data.evaluations)
        starred: tuple[int, int, str] | None = None
        for step, value, evaluation in self.evaluations:
            x, row = self.plot.column_of(step), self._row_of(scale, value)
            if x is None or row is None:
                continue
            if evaluation is best:
                starred = x, row, self.metric.show(value)
            else:
                self.grid.put(x, row, self.signs.held_out, "two")
        if starred is not None:
            x, row, text = starred
            self.grid.put(x, row, self.signs.best, "good bold")
            self._label(x, row, text, "good bold")

    def _label(self, x: int, row: int, text: str, style: str) -> None:
        """A text near a cell, where it covers nothing; left out when there is no such place."""
        start = max(self.left, min(x - len(text) // 2, self.grid.width - len(text)))
        places = ((start, row + 1), (x + 2, row), (start, row - 1), (x - 1 - len(text), row))
        inside = [
            (at, y)
            for at, y in places
            if self.left <= at <= self.grid.width - len(text) and 1 <= y <= self.rows
        ]
        for free in ("", "faint"):
            for at, y in inside:
                if all(
                    self.grid.is_blank(cell, y) or self.grid.styles[y][cell] == free
                    for cell in range(at, at + len(text))
                ):
                    self.grid.put(at, y, text, style)
                    return

    def _mark_cursor(self) -> None:
        found = cursor_cells(self.view, self.first, self.last, self.columns)
        if found is None:
            return
        x = self.left + found[0]
        for y in range(1, self.rows + 1):
            if self.grid.is_blank(x, y):
                self.grid.put(x, y, self.signs.axis, "accent")
            else:
                self.grid.styles[y][x] += " cursor"

    # --- the axes ---------------------------------------------------------------------------------

    def _draw_axes(self, marks: list[float], texts: list[str]) -> None:
        def row_of(value: float) -> int | None:
            return None if self.scale is None else self._row_of(self.scale, value)

        ticked = zip(marks, texts, strict=True)
        draw_values(self.grid, self.plot, self.signs, ticked, row_of)
        draw_steps(self.grid, self.plot, self.signs)
        for index, cell in enumerate(self.cells):
            if cell.bad:
                x = self.plot.column_of_cell(index, len(self.cells))
                self.grid.put(x, self.plot.axis_row, self.signs.bad, "bad")

    # --- the legend -------------------------------------------------------------------------------

    def _legend(self) -> Legend:
        found = cursor_cells(self.view, self.first, self.last, max(1, self.columns))
        names = [clean(overlay.name) for overlay in self.data.overlays]
        series, steps = self.data.series, self.data.series.steps
        newest = steps[-1] if steps else 0
        if found is None:
            held_out = [value for _, value, _ in self.evaluations]
            best = best_of(self.data.evaluations)
            bests = [(step, v) for step, v, evaluation in self.evaluations if evaluation is best]
            return legend(
                self.metric,
                self.signs,
                train=series.last(self.metric.series),
                smoothed=self._smoothed_at(newest, newest),
                held_out=held_out[-1] if held_out else None,
                best=bests[0] if bests else None,
                bad=sum(cell.bad for cell in self.cells),
                overlays=names,
            )
        _, begin, end = found
        buckets = series.window(self.metric.series, begin, end, 1)
        inside = [value for step, value, _ in self.evaluations if begin <= step <= end]
        return legend(
            self.metric,
            self.signs,
            steps=(begin, max(begin, min(end, newest))),
            bucket=buckets[0] if buckets else None,
            smoothed=self._smoothed_at(begin, end),
            held_out=inside[-1] if inside else None,
            bad=sum(bucket.bad for bucket in buckets),
            overlays=names,
        )

    def _smoothed_at(self, first: int, last: int) -> float | None:
        if not self.metric.is_noisy:
            return None
        values = self.data.series.smoothed(self.metric.series, first, last, 1)
        return values[0] if values and math.isfinite(values[0]) else None
