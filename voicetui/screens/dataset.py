"""The dataset of a project: its preparation, its review, what was dropped, and its statistics."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

from textual.containers import Container
from textual.widget import Widget

from engine import project as projects
from engine.errors import VoicetuiError
from voicetui import crashes
from voicetui.screens import preparation
from voicetui.screens.ledger import LedgerPane
from voicetui.screens.preparation import PreparationPane
from voicetui.screens.preparation_keys import PreparationKeys
from voicetui.screens.review.editing import EditKeys
from voicetui.screens.review.reading import Reading, close
from voicetui.screens.statistics import statistics_lines
from voicetui.trouble import FORESEEN
from voicetui.widgets.lines import Lines
from voicetui.widgets.pager import Pager
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, Span, fitted, plain

TABS = ("review", "prepare", "ledger", "statistics")
_LOOK_SECONDS = 0.5
# Where the keys that move focus go.
_FOCUS = {"review": "#clips", "prepare": "#files", "ledger": "#losses", "statistics": "#figures"}
_PREPARE_KEYS = ("begin", "stop")
_EVERY_TAB = frozenset({*TABS, "next_tab", "train"})


class DatasetScreen(EditKeys, PreparationKeys):
    """Four tabs of one dataset. A preparation that runs goes on when the screen is left."""

    scope = "dataset"
    heading = "dataset"

    def __init__(self, folder: Path, *, begin: bool = False) -> None:
        """`begin` starts a preparation as soon as the screen is there."""
        super().__init__()
        self.folder = folder
        self._begins = begin
        self.tab = ""
        self._reading = Reading()
        self._read_once = False
        self._told_problem = ""

    def body(self) -> Iterable[Widget]:
        yield Lines([[]], id="dataset-tabs")
        yield self.pane
        yield PreparationPane(id="prepare")
        yield LedgerPane(id="ledger")
        yield Container(Pager(id="figures"), id="statistics")

    def title_text(self) -> str:
        name = self.project.name if self.project is not None else self.folder.name
        return f"{name} · dataset"

    # --- from beginning to end --------------------------------------------------------------------

    async def on_mount(self) -> None:  # type: ignore[override]
        for tab in TABS:
            self.query_one(f"#{tab}").display = False
        try:
            self.project = projects.load(self.folder)
        except VoicetuiError as error:
            self.show_tab("review")
            self.pane.tell_trouble(str(error))
            return
        paths = self.project.source_paths
        self.query_one(PreparationPane).sources = preparation.source_names(self.folder, paths)
        await self.find_job()
        there = (self.project.dataset_dir / "clips.jsonl").exists()
        self.show_tab("review" if there and not self.is_preparing else "prepare")
        self.set_interval(_LOOK_SECONDS, self.look)
        if there:
            self.run_worker(self.reopen())
        else:
            self.pane.tell_loading("There are no clips yet: press 2 to prepare them.")
        if self._begins and not self.is_preparing:
            await self.action_begin()

    def on_unmount(self) -> None:
        self._reading.stop()
        review = self.review
        # Behind all edits that wait there; what they need to know is on the disk already.
        if review is not None:
            self._edits.submit(close, review)
        self._edits.shutdown(wait=False)

    # --- tabs -------------------------------------------------------------------------------------

    def show_tab(self, tab: str) -> None:
        """Show one of the tabs."""
        if self.tab:
            self.query_one(f"#{self.tab}").display = False
        self.tab = tab
        self.query_one(f"#{tab}").display = True
        with contextlib.suppress(LookupError):
            self.set_focus(self.query_one(_FOCUS[tab]), scroll_visible=False)
        self._show_tabs()
        self.refresh_keys()
        self.show_preparation()

    def action_review(self) -> None:
        self.show_tab("review")

    def action_prepare(self) -> None:
        self.show_tab("prepare")

    async def action_ledger(self) -> None:
        self.show_tab("ledger")
        review = self.review
        if review is not None:
            self.query_one(LedgerPane).show(await asyncio.to_thread(review.ledger))

    async def action_statistics(self) -> None:
        self.show_tab("statistics")
        self.run_worker(self._show_statistics(), exclusive=True, group="statistics")

    def action_train(self) -> None:
        self.console.open_dashboard(self.folder)

    async def action_next_tab(self) -> None:
        following = TABS[(TABS.index(self.tab) + 1) % len(TABS)]
        await self.run_action(f"screen.{following}")

    async def _show_statistics(self) -> None:
        review, pager = self.review, self.query_one("#figures", Pager)
        if review is None:
            pager.show([[], [("  There are no clips yet; press 2 to prepare them.", "dim")]])
            return
        found = await asyncio.to_thread(review.statistics)
        if self.is_attached:
            pager.show(statistics_lines(found, self.size.width - 2))

    def _show_tabs(self) -> None:
        line: Line = []
        for number, tab in enumerate(TABS, 1):
            style = "inverse" if tab == self.tab else "dim"
            line += [(f" {number} {tab} ", style), (" ", "")]
        room = self.size.width - len(plain(line)) - 1
        self.query_one("#dataset-tabs", Lines).show([[*line, self._listed(max(0, room))]])

    def _listed(self, room: int) -> Span:
        """How many clips are listed and selected, at the right of the tabs."""
        review = self.review
        if self.tab != "review" or review is None:
            return "", ""
        listed, total = len(self.pane.order), len(review.clips)
        words = self.pane.view.words
        text = f"{listed:,} of {total:,} clips" if words else f"{total:,} clips"
        text = f"{text}: {words}" if words else text
        if self.pane.chosen:
            text = f"{len(self.pane.chosen):,} selected · {text}"
        return fitted(text, room, right=True), "accent" if self.pane.chosen or words else "dim"

    def on_review_pane_changed(self) -> None:
        self._show_tabs()

    def on_resize(self) -> None:  # type: ignore[override]
        self.call_after_refresh(self._lay_out_again)

    def _lay_out_again(self) -> None:
        self._show_tabs()
        if self.tab == "statistics":
            self.run_worker(self._show_statistics(), exclusive=True, group="statistics")

    async def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Enter: of a reason its clips, of a clip more room."""
        if event.rows.id == "losses":
            loss = self.query_one(LedgerPane).chosen
            if loss is not None:
                self.show_tab("review")
                await self.show_reason(loss.reason, loss.state)
                self.say("Ctrl-G shows all clips again.")
        elif event.rows.id == "clips":
            self.action_zoom()

    # --- keys -------------------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:
        if action in _EVERY_TAB:
            return True
        if action in _PREPARE_KEYS:
            return self.tab == "prepare" and self.is_preparing == (action == "stop")
        return self.tab == "review" and self.review is not None

    def why_not(self, action: str) -> str:
        if action in _PREPARE_KEYS:
            if self.tab != "prepare":
                return "That belongs to the preparation: press 2."
            running = self.is_preparing
            return "A preparation runs already." if running else "No preparation runs."
        if self.review is None:
            return "There are no clips to work on yet: press 2 to prepare them."
        return "That belongs to the review: press 1."

    # --- the clips --------------------------------------------------------------------------------

    async def reopen(self) -> None:
        """Read the clips in a helper thread, telling how far that is."""
        project = self.project
        if project is None or self._reading.busy:
            return
        self._read_once = True
        task = asyncio.create_task(asyncio.to_thread(self._reading.run, project))
        while not task.done():
            done, total = self._reading.progress
            if total and self.review is None:
                self.pane.tell_loading(f"Reading the clips … {done / total:.0%}")
            await asyncio.wait([task], timeout=0.2)
        try:
            review = task.result()
        except FORESEEN as error:
            told = crashes.in_words(error)
            self.pane.tell_trouble(f"{told}\n\nPress 2, then p, to prepare it again.")
            return
        if review is None or not self.is_attached:
            return
        before = self.review
        await self.pane.open(review)
        if before is not None:
            self._edits.submit(close, before)
        self.refresh_keys()
        if self.tab in ("ledger", "statistics"):
            await self.run_action(f"screen.{self.tab}")
        if review.damaged:
            self.say(
                f"{review.damaged} lines of edits.jsonl cannot be read; the rest holds.", "warn"
            )

    async def _look_at_clips(self) -> None:
        """Whether somebody else has changed the clips, or they could not be written."""
        review = self.review
        if review is None:
            there = self.project and (self.project.dataset_dir / "clips.jsonl").exists()
            if there and not self._read_once:
                await self.reopen()
            return
        if review.problem != self._told_problem:
            self._told_problem = review.problem
            if review.problem:
                self.say(f"Your edits are safe; the tables wait: {review.problem}", "warn")
        if await asyncio.to_thread(lambda: review.stale) and review is self.review:
            await self.reopen()
            self.say("The clips were changed elsewhere, and were read again.")

    # --- the preparation --------------------------------------------------------------------------

    def show_preparation(self) -> None:
        if self.tab == "prepare":
            pane = self.query_one(PreparationPane)
            pane.has_clips = self.review is not None
            pane.show(self.made, self.job.state if self.job is not None else None)

    def prepared(self) -> None:
        self._read_once = False
        self.run_worker(self.reopen())

    async def look_seldom(self) -> None:
        if not self.is_preparing:
            await self._look_at_clips()
