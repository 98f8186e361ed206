"""What a chart is given to show, and the signs that it shows it with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.events import Evaluated
from engine.series import Series
from voicetui.widgets.chart_view import View


@dataclass(frozen=True)
class Overlay:
    """An earlier run to compare with, step by step."""

    name: str
    series: Series


@dataclass(frozen=True)
class ChartData:
    """What a chart shows of a run.

    `overtrained_at` is the step after which the held-out loss rose. `planned` is the last step that
    the run will have, 0 when that is not known.
    """

    series: Series
    evaluations: Sequence[Evaluated] = ()
    overtrained_at: int | None = None
    overlays: tuple[Overlay, ...] = ()
    planned: int = 0


@dataclass(frozen=True)
class Signs:
    """The signs of a chart, which its legend explains."""

    raw: str
    smoothed: str
    held_out: str
    best: str
    overlay: str
    bad: str
    above: str
    below: str
    upright: str
    corner: str
    level: str
    axis: str
    tick_left: str
    tick_below: str


UNICODE = Signs("⣿", "━", "◆", "★", "╌", "✗", "▲", "▼", "┆", "└", "─", "│", "┤", "┬")
ASCII = Signs(":", "-", "o", "@", "~", "x", "^", "v", ":", "+", "-", "|", "+", "+")


def best_of(evaluations: Iterable[Evaluated]) -> Evaluated | None:
    """The first of the evaluations with the lowest finite loss."""
    finite = [evaluation for evaluation in evaluations if math.isfinite(evaluation.loss)]
    return min(finite, key=lambda evaluation: evaluation.loss, default=None)


def cursor_cells(view: View, first: int, last: int, columns: int) -> tuple[int, int, int] | None:
    """The column of the cursor, and the first and last step that lie in it."""
    if view.cursor is None or not first <= view.cursor <= last or columns < 1:
        return None
    span = last - first + 1
    column = (view.cursor - first) * columns // span
    if span <= columns:
        return column, view.cursor, view.cursor
    begin = first + -(-column * span // columns)
    return column, begin, first + -(-(column + 1) * span // columns) - 1
