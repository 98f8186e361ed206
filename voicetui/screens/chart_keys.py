"""The keys of the dashboard's chart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.jobs import job_folders
from engine.status import Follower
from engine.training.verdict import overtrained_at
from voicetui.screens import flow
from voicetui.screens.base import ConsoleScreen
from voicetui.watching import Watched
from voicetui.widgets.chart import METRICS, ChartData, LossChart, Overlay

_OVERLAYS = ("none", "the run before", "all runs before")


class ChartKeys(ConsoleScreen):
    """A screen with a chart of a run. Its keys work whatever has the focus."""

    folder: Path
    watched: Watched | None = None
    overlays: tuple[Overlay, ...] = ()
    _overlay_choice = 0

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)

    def show_chart(self) -> None:
        """Draw the chart with what is known now."""
        if self.watched is None or not self.is_run:
            return
        state = self.watched.state
        self.chart.show(
            ChartData(
                self.watched.series,
                state.evaluations,
                overtrained_at(state.evaluations),
                self.overlays,
                state.steps,
            )
        )

    @property
    def is_run(self) -> bool:
        """Whether the job in sight is a training."""
        return self.watched is not None and self.watched.folder.parent.name == "runs"

    def _say_view(self) -> None:
        self.say(f"Chart: {self.chart.metric.label}, {self.chart.view_text()}.")

    def _switch_metric(self, direction: int) -> None:
        names = list(METRICS)
        place = (names.index(self.chart.metric.name) + direction) % len(names)
        self.chart.set_metric(names[place])
        metric = self.chart.metric
        self.say(f"Chart: {metric.label}. {metric.help}")

    def action_metric(self) -> None:
        self._switch_metric(1)

    def action_metric_back(self) -> None:
        self._switch_metric(-1)

    def action_log_scale(self) -> None:
        self.chart.toggle_log()
        self._say_view()

    def action_zoom_in(self) -> None:
        self.chart.zoom_in()
        self._say_view()

    def action_zoom_out(self) -> None:
        self.chart.zoom_out()
        self._say_view()

    def action_pan_left(self) -> None:
        self._pan(-1)

    def action_pan_right(self) -> None:
        self._pan(1)

    def _pan(self, direction: int) -> None:
        before = self.chart.shown_steps
        self.chart.pan(direction)
        if self.chart.shown_steps == before:
            self.say("There is nothing further that way; + zooms in first.")
        else:
            self._say_view()

    def action_cursor_left(self) -> None:
        self.chart.move_cursor(-1)
        self._say_cursor()

    def action_cursor_right(self) -> None:
        self.chart.move_cursor(1)
        self._say_cursor()

    def _say_cursor(self) -> None:
        self.say(f"{self.chart.legend}   (0 takes the cursor away)")

    def action_freeze(self) -> None:
        self.chart.toggle_freeze()
        self.say(
            "The chart stands still; the run goes on. z follows it again."
            if self.chart.frozen
            else "The chart follows the run again."
        )

    def action_reset_view(self) -> None:
        self.chart.reset_view()
        self._say_view()

    def action_overlay(self) -> None:
        flow.begin(self.console, "reading earlier runs", self._overlay())

    async def _overlay(self) -> None:
        if self.watched is None:
            return
        earlier = [run for run in job_folders(self.folder / "runs") if run < self.watched.folder]
        if not earlier:
            self.say("There is no earlier run to compare with.")
            return
        self._overlay_choice = (self._overlay_choice + 1) % (2 if len(earlier) == 1 else 3)
        chosen = {0: [], 1: earlier[-1:], 2: earlier}[self._overlay_choice]
        self.overlays = tuple([await asyncio.to_thread(_overlay_of, run) for run in chosen])
        if not self.is_attached:
            return
        self.show_chart()
        names = ", ".join(overlay.name for overlay in self.overlays)
        self.say(f"Compared with {_OVERLAYS[self._overlay_choice]}{names and ': '}{names}.")


def _overlay_of(run: Path) -> Overlay:
    follower = Follower(run)
    follower.poll()
    return Overlay(f"run {run.name}", follower.series)
