"""The dashboard: one run, live or from its log, and what can be asked of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.containers import Container
from textual.widget import Widget

from engine import project as projects
from engine.errors import VoicetuiError
from engine.eventlog import Record
from engine.events import Failed, Saved
from engine.status import newest_jobs
from engine.text import clean
from engine.training import checkpoint
from voicetui.asking import Asking
from voicetui.machine import Machine
from voicetui.screens.errands import Errands
from voicetui.screens.pane_keys import PaneKeys
from voicetui.screens.panels.advice import advice_on, full_advice, short_advice
from voicetui.screens.panels.headline import headline
from voicetui.screens.panels.machine import Gauges
from voicetui.screens.panels.panes import tab_line
from voicetui.screens.panels.work import work_lines
from voicetui.widgets.chart import LossChart
from voicetui.widgets.evaluations import earlier_lines, evaluation_lines, verdict_line
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.lines import Lines
from voicetui.widgets.pager import Pager
from voicetui.widgets.panel import Panel
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, wrapped

_PERIOD_SECONDS = 0.5
# A long log is read in small pieces, with time for keys in between.
_READING_SECONDS = 0.02
_LOOK_FOR_RUN_TICKS = 6
# Read in about 30 ms.
_EVENTS_READ = 500
_GAUGE_ROWS, _ADVICE_ROWS = 8, 5
# What the table of evaluations keeps of its rows, and the most that the earlier voices take.
_LEAST_EVALUATION_ROWS, _EARLIER_ROWS = 3, 3
# No terminal is wider; what does not fit is cut.
_WIDEST = 500


class DashboardScreen(PaneKeys):
    """One job of a project: its newest training run, or the job given.

    It polls the job twice a second and draws what changed.
    """

    scope = "dashboard"
    heading = "dashboard"
    # Unix seconds; tests set another one.
    clock: ClassVar[Callable[[], float]] = staticmethod(time.time)

    def __init__(self, folder: Path, job: Path | None = None) -> None:
        super().__init__()
        self.folder = folder
        self._wanted = job
        self._voice = folder.name
        # Where it is on this machine.
        self._base: Path | None = None
        self._told_state: tuple[str, str] = ("", "")
        self._caught_up = False
        self._reading = False
        self._ticks = 0

    # --- what it is made of -----------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        yield Lines([[]], id="headline")
        yield Lines(id="nothing")
        with Container(id="run"):
            yield LossChart(id="chart")
            yield Lines([[]], id="tabs")
            with Container(id="lower"):
                yield Panel(self._evaluations, heading="EVAL PERFORMANCE", id="evaluations")
                yield Panel(self._work, heading="WORK", id="work")
                with Container(id="side"):
                    with Container(id="facts"):
                        yield Panel(
                            self._machine, heading="MACHINE", limit=_GAUGE_ROWS, id="machine"
                        )
                        yield Panel(
                            self._short_advice, heading="ADVICE", limit=_ADVICE_ROWS, id="advice"
                        )
                        yield Lines(_heading("WARNINGS"), id="warnings-head")
                        yield Pager(id="warnings")
                    with Container(id="happened"):
                        yield Lines(_heading("EVENTS"), id="events-head")
                        rows = RowList(self.rows, id="events", empty="Nothing happened yet.")
                        yield rows
                        yield FilterLine(rows, id="events-filter")

    def on_mount(self) -> None:
        super().on_mount()
        self.errands = Errands(self, self.folder)
        self._hardware = Machine(self.folder)
        self._gauges = Gauges()
        try:
            project = projects.load(self.folder)
            self._voice, self._base = project.name, _base_of(project)
        except VoicetuiError:
            self._voice = self.folder.name
        job = self._wanted or self._newest_run()
        if job is not None:
            self.attach(job)
        else:
            self._show_nothing()
        self.query_one("#chart").can_focus = False
        self.set_pane(0)
        self.set_interval(_PERIOD_SECONDS, self.tick)
        self.call_after_refresh(self.tick)

    def on_unmount(self) -> None:
        self._hardware.close()
        if self.asking is not None:
            self.asking.close()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._hardware.watch(True)
        self.call_after_refresh(self.draw_all)

    def on_screen_suspend(self) -> None:
        self._hardware.watch(False)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self.draw_all)

    def title_text(self) -> str:
        return clean(f"{self._voice} · {self._job_name}" if self.watched else self._voice)

    @property
    def _job_name(self) -> str:
        name = self.watched.folder.name if self.watched is not None else ""
        return f"run {name}" if self.is_run else name

    def now(self) -> float:
        return type(self).clock()

    # --- which job --------------------------------------------------------------------------------

    def _newest_run(self) -> Path | None:
        return next((job for job in newest_jobs(self.folder) if job.parent.name == "runs"), None)

    def attach(self, job: Path) -> None:
        if self.asking is not None:
            self.asking.close()
        self.watched = self.console.watch_job(job)
        self.asking = Asking(self.watched)
        self.overlays = ()
        self._caught_up = False
        self.has_checkpoints = self.is_run and bool(saved := checkpoint.folders(job))
        if self.is_run:
            self._gauges.set_needed(saved[0] if self.has_checkpoints else None, self._base)
        self.rows.load([])
        self.set_class(False, "-empty")
        self.set_class(not self.is_run, "-other")
        self.chart.reset_view()
        self.refresh_title()
        self.tick()

    def _show_nothing(self) -> None:
        self.set_class(True, "-empty")
        self.console.run_worker(self._advise(), group="advice")

    async def _advise(self) -> None:
        from engine.overview import overview

        seen = await asyncio.to_thread(overview, self.folder)
        if self.watched is not None or not self.is_attached:
            return
        text = [seen.advice, "", "c starts the training, d opens the dataset, q goes back."]
        lines: list[Line] = [[], [("  No training run yet.", "title")], []]
        lines += [[(f"  {line}", "")] for part in text for line in wrapped(part, 70)]
        self.query_one("#nothing", Lines).show(lines)

    # --- polling ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """Read on, tell, and draw what changed."""
        self._ticks += 1
        if self._ticks % _LOOK_FOR_RUN_TICKS == 0:
            self._look_for_run()
        if self.watched is None:
            return
        records = self._read()
        state = (self.state.state, self.asking.doing if self.asking else "")
        if state != self._told_state:
            self._told_state = state
            self.refresh_keys()
            self.draw(changed=True)
        else:
            self.draw(changed=bool(records) or self.watched.behind)
        if self.watched.behind and not self._reading:
            self._reading = True
            self.set_timer(_READING_SECONDS, self._read_on)

    def _look_for_run(self) -> None:
        """Another shell may have started a run."""
        if self._wanted is not None or (self.watched is not None and self.is_live):
            return
        newest = self._newest_run()
        if newest is not None and (self.watched is None or newest.name > self.watched.folder.name):
            self.attach(newest)

    def _read(self) -> list[Record]:
        watched, asking = self.watched, self.asking
        if watched is None or asking is None:
            return []
        records = watched.poll()
        if not self._caught_up:
            if watched.behind:
                return records
            self._caught_up = True
            earlier = watched.recent(_EVENTS_READ)
            self.rows.load(earlier)
            for record in earlier:
                self._gauges.learn(record.event)
        else:
            self.rows.add(records)
            for text, style in asking.take(records, self.now()):
                # What ended meanwhile is told here only, and not on the screen in sight.
                self.say(text, style)
        for record in records:
            self._note(record)
        return records

    def _note(self, record: Record) -> None:
        self._gauges.learn(record.event)
        match record.event:
            case Saved():
                self.has_checkpoints = True
            case Failed(error="NotExactError") if self.watched is not None and self.watched.is_ours:
                self.action_go_on()

    def _read_on(self) -> None:
        """Read the next piece of a long log."""
        self._reading = False
        if self.watched is None or not self.is_attached:
            return
        self._read()
        if self.watched.behind:
            self._reading = True
            self.set_timer(_READING_SECONDS, self._read_on)
        else:
            self.draw(changed=True)

    # --- drawing ----------------------------------------------------------------------------------

    def draw_all(self) -> None:
        if self.is_attached:
            self.draw(changed=True)

    def draw(self, *, changed: bool) -> None:
        """Show what is known; without `changed` only what goes on with the clock."""
        if self.watched is None or not self.in_sight:
            return
        width = self.size.width
        doing = self.asking.doing if self.asking else ""
        line = headline(self.state, doing, self.now(), width)
        if self.watched.behind:
            line = [(f" reading the log… {100 * self.watched.read_share:.0f} %  ", "warn"), *line]
        self.query_one("#headline", Lines).show([line])
        self.query_one("#machine", Panel).update()
        if changed:
            self._show_details()

    def _show_details(self) -> None:
        self.arrange_panes()
        for panel in self.query(Panel):
            panel.with_heading = not self.has_class("-narrow")
            panel.update()
        self.query_one("#tabs", Lines).show([tab_line(self.pane, len(self.state.warnings))])
        self._show_warnings()
        self.show_chart()
        self.show_events()

    def _show_warnings(self) -> None:
        pager = self.query_one(Pager)
        lines = full_advice(advice_on(self.state), pager.text_width)
        if lines != pager.lines:
            pager.show(lines, top=pager.top)

    def on_pager_widened(self) -> None:
        if self.watched is not None:
            self._show_warnings()

    def _evaluations(self, width: int, rows: int) -> Sequence[Line]:
        evaluations = self.state.evaluations
        if not evaluations or rows < 2:
            return _indented(evaluation_lines(evaluations, width - 1, rows))
        ((text, style),) = verdict_line(evaluations)
        verdict = wrapped(text, width - 3)
        # The table keeps its header and two evaluations.
        spare = rows - len(verdict) - _LEAST_EVALUATION_ROWS
        earlier = earlier_lines(self.state.earlier_voices, width - 1, min(_EARLIER_ROWS, spare))
        lines = evaluation_lines(evaluations, width - 1, rows - len(verdict) - len(earlier))
        marks = ["→ ", *("  " for _ in verdict[1:])]
        said = zip(marks, verdict, strict=True)
        return _indented(
            [*lines, *earlier, *([(mark, "dim"), (part, style)] for mark, part in said)]
        )

    def _work(self, width: int, rows: int) -> Sequence[Line]:  # noqa: ARG002 - the panel cuts it
        return work_lines(self.state, width)

    def _machine(self, width: int, rows: int) -> Sequence[Line]:
        return _indented(self._gauges.lines(self._hardware.latest, width - 1, rows))

    def _short_advice(self, width: int, rows: int) -> Sequence[Line]:
        is_small = self.has_class("-narrow") and self.has_class("-short")
        return short_advice(advice_on(self.state), width, min(rows, 2) if is_small else rows)


def _base_of(project: projects.Project) -> Path | None:
    from engine.xtts import base as bases

    vocabulary = bases.vocab_of(project.base_reference)
    return vocabulary.parent if vocabulary is not None else None


def _indented(lines: Iterable[Line]) -> list[Line]:
    return [[(" ", ""), *line] for line in lines]


def _heading(text: str) -> list[Line]:
    return [[(f" {text}".ljust(_WIDEST), "head")]]
