"""The chart of a run: train, smoothed and held-out numbers over the steps, drawn in braille."""

from __future__ import annotations

from dataclasses import replace

from textual import events
from textual.geometry import Region
from textual.strip import Strip

from engine.series import Series
from voicetui.widgets.chart_data import ChartData, Overlay, best_of
from voicetui.widgets.chart_frame import Frame, draw
from voicetui.widgets.chart_view import LEAST_SPAN, View
from voicetui.widgets.metrics import METRICS, Metric
from voicetui.widgets.styled import Styled

__all__ = ["METRICS", "ChartData", "LossChart", "Metric", "Overlay", "best_of"]


class LossChart(Styled, can_focus=True):
    """Shows one metric of a run at a time.

    A frame is compared with the one on the screen, and only the cells that differ are painted. The
    scales end at round values, so that a new step moves little else than its own column.
    """

    DEFAULT_CSS = "LossChart { height: 1fr; }"

    def __init__(
        self,
        data: ChartData | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._data = data if data is not None else ChartData(Series())
        # What a frozen chart goes on to show.
        self._held: ChartData | None = None
        self._metric = METRICS["loss"]
        self._view = View()
        self._frame: Frame | None = None

    # --- what it shows ----------------------------------------------------------------------------

    @property
    def data(self) -> ChartData:
        """What is drawn: what was shown last, or when frozen what was shown then."""
        return self._held if self._held is not None else self._data

    @property
    def metric(self) -> Metric:
        return self._metric

    @property
    def view(self) -> View:
        return self._view

    @property
    def is_log(self) -> bool:
        return self._view.log

    @property
    def frozen(self) -> bool:
        return self._view.frozen

    @property
    def follows(self) -> bool:
        """Whether the newest step is always in sight."""
        return self._view.follows

    @property
    def cursor(self) -> int | None:
        """The step under the cursor; None without one."""
        return self._view.cursor

    @property
    def shown_steps(self) -> tuple[int, int]:
        """The first and the last step in sight that the run has; (0, 0) when it has none."""
        steps = self.data.series.steps
        if not steps:
            return 0, 0
        first, last = self._view.shown(steps, self.data.planned)
        return max(first, steps[0]), min(last, steps[-1])

    @property
    def legend(self) -> str:
        """The numbers in words, as many as there are; the line on the screen may hold fewer."""
        return self._drawn().legend.text()

    def view_text(self) -> str:
        """What is shown, in words: "steps 1-310, log, frozen"."""
        first, last = self.shown_steps
        words = [f"steps {first}-{last}" if last else "no steps yet"]
        if self._view.span is not None:
            words.append("zoomed")
        if self.is_log:
            words.append("log")
        if self.frozen:
            words.append("frozen")
        return ", ".join(words)

    def show(self, run: ChartData) -> None:
        """Show a run as it is now; a frozen chart takes it up when it is thawed."""
        self._data = run
        self._redraw()

    def set_metric(self, name: str) -> None:
        """Show another metric, by its name in METRICS. Raises KeyError for an unknown one."""
        self._metric = METRICS[name]
        self._redraw()

    # --- the view ---------------------------------------------------------------------------------

    def toggle_log(self) -> None:
        self._look(replace(self._view, log=not self.is_log))

    def toggle_freeze(self) -> None:
        """Stand still while the run goes on, or catch up with it."""
        # The run adds to its series in place.
        self._held = (
            None
            if self.frozen
            else replace(
                self._data,
                series=self._data.series.copy(),
                evaluations=tuple(self._data.evaluations),
            )
        )
        self._look(replace(self._view, frozen=not self.frozen))

    def zoom_in(self) -> None:
        data = self.data
        least = LEAST_SPAN * data.series.width
        self._look(self._view.zoomed_in(data.series.steps, data.planned, least))

    def zoom_out(self) -> None:
        self._look(self._view.zoomed_out(self.data.series.steps))

    def pan(self, direction: int) -> None:
        """A quarter of the view to the left (-1) or to the right (1); a whole run has no sides."""
        self._look(self._view.panned(self.data.series.steps, direction))

    def reset_view(self) -> None:
        """The whole run, linear, following, without a cursor."""
        self._held = None
        self._look(View())

    def move_cursor(self, direction: int) -> None:
        """One column to the left (-1) or right (1); the first call puts it on the newest step."""
        data = self.data
        columns = self._drawn().columns
        self._look(self._view.cursor_moved(data.series.steps, direction, columns, data.planned))

    def hide_cursor(self) -> None:
        self._look(replace(self._view, cursor=None))

    def _look(self, view: View) -> None:
        self._view = view
        self._redraw()

    # --- drawing ----------------------------------------------------------------------------------

    def _draw(self) -> Frame:
        return draw(
            self.data,
            self._metric,
            self._view,
            self.size.width,
            self.size.height,
            ascii_only=bool(getattr(self.app, "ascii_only", False)),
            focused=self.has_focus,
        )

    def _drawn(self) -> Frame:
        """The frame that is on the screen, or will be."""
        if self._frame is None:
            self._frame = self._draw()
        return self._frame

    def _redraw(self) -> None:
        """Draw, and paint what is not on the screen already."""
        if not self.is_mounted:
            return
        before, self._frame = self._frame, self._draw()
        grid = self._frame.grid
        if before is None or (before.grid.width, before.grid.height) != (grid.width, grid.height):
            self.refresh()
            return
        regions = [Region(x, y, width, 1) for y, x, width in grid.changes(before.grid)]
        if regions:
            self.refresh(*regions)

    def on_resize(self, _event: events.Resize) -> None:
        self._frame = None

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def render_line(self, y: int) -> Strip:
        frame = self._drawn()
        if (frame.grid.width, frame.grid.height) != (
            max(1, self.size.width),
            max(1, self.size.height),
        ):
            self._frame = None
            frame = self._drawn()
        width = self.size.width
        return self.strip_of(frame.grid.line(y) if y < frame.grid.height else [], width)
