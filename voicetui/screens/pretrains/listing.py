"""Which pretrains are listed: what is read, what narrows it, and what is shown of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from textual import events, work
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input

from engine.text import clean
from voicetui import keys
from voicetui.keys import Key
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.pretrains import shelf
from voicetui.screens.pretrains.details import facts_of, lines_of
from voicetui.screens.pretrains.rows import Pretrains, header
from voicetui.screens.pretrains.shelf import Item, Shelf
from voicetui.screens.pretrains.wishes import new_search, words_of
from voicetui.screens.reading import Reading
from voicetui.tasks import Task
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.panel import Panel
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted

_TICK_SECONDS = 0.5
# So many ticks between two looks at the disk.
_LOOK_TICKS = 4


class ListKeys(ConsoleScreen):
    """The list, and the keys that choose what it shows."""

    scope = "pretrains"
    heading = "pretrains"

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.shelf = Shelf()
        self.wanted = new_search()
        self._listed: Sequence[Item] = ()
        self._stamp: tuple[object, ...] = ()
        self._ticks = 0
        # How the work stood when the disk was read.
        self._states: object = None
        self._is_warned = False
        self._wished = ""

    def body(self) -> Iterable[Widget]:
        with Container(id="shelf"):
            rows = RowList(id="pretrains", header=[(" ", "")], empty="Reading the catalogue …")
            yield rows
            yield Panel(self._details, id="pretrain")
        yield FilterLine(rows, id="search")

    def on_mount(self) -> None:
        super().on_mount()
        self._rows.focus()
        self.reload()
        self.set_interval(_TICK_SECONDS, self.tick)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self.show_list)

    # --- reading ----------------------------------------------------------------------------------

    @work(exclusive=True, group="shelf")
    async def reload(self) -> None:
        """Read the catalogue and the disk again."""
        self._stamp, self._states = shelf.stamp(), self._states_now()
        self.shelf = await asyncio.to_thread(shelf.read, self.folder)
        self.show_list()
        self._tell_problems()

    def _tell_problems(self) -> None:
        """Tell in full what cannot be read, once for the console; a line says that it is still so."""
        problems = self.shelf.problems
        if problems and not self._is_warned:
            self.say("Not all that there is can be read.", "warn")
        elif self._is_warned and not problems:
            self.say("All of it can be read again.", "good")
        self._is_warned = bool(problems)
        if not self.shelf.items or self.console.screen is not self:
            # Not read yet, or a dialog is in the way: the next tick tells it.
            return
        new = [problem for problem in problems if problem not in self.console.told_problems]
        self.console.told_problems = frozenset(problems)
        if new:
            self.console.tell("This cannot be read", "\n\n".join(new))

    def tick(self) -> None:
        """Show how far the work is, and see what changed on the disk."""
        if self._states_now() != self._states:
            self.reload()
        at_work = {item.slug for item in self._listed if self._is_at_work(item.slug)}
        for place, item in enumerate(self._listed):
            if item.slug in at_work:
                self._rows.refresh_row(place)
        if at_work:
            self._panel.update()
        self._tell_problems()
        self._ticks += 1
        if self._ticks % _LOOK_TICKS == 0 and shelf.stamp() != self._stamp:
            self.reload()

    def _states_now(self) -> object:
        return self.console.fetches.states, self.console.chores.states

    def _is_at_work(self, slug: str) -> bool:
        task = self.task_of(slug)
        return task is not None and not task.is_over

    def task_of(self, slug: str) -> Task | None:
        """What is done with a pretrain now; else how fetching it ended."""
        fetch, chore = self.console.fetches.of(slug), self.console.chores.of(slug)
        if chore is not None and not chore.is_over:
            return chore
        return fetch

    # --- showing ----------------------------------------------------------------------------------

    @property
    def _rows(self) -> RowList:
        return self.query_one("#pretrains", RowList)

    @property
    def _panel(self) -> Panel:
        return self.query_one(Panel)

    @property
    def chosen(self) -> Item | None:
        """The pretrain under the cursor."""
        cursor = self._rows.cursor
        return self._listed[cursor] if cursor < len(self._listed) else None

    def show_list(self, *, first: bool = False) -> None:
        """List what is wanted; the cursor stays on its pretrain unless it is to be the first."""
        from engine.pretrains.catalogue import search

        # The reading may end when the console is closing already.
        if not self.query("#pretrains"):
            return
        at = self.chosen
        here = {item.slug for item in self.shelf.items if item.stored is not None}
        found = search([item.entry for item in self.shelf.items], self.wanted, here)
        self._listed = [self.shelf.by_slug[entry.slug] for entry in found]
        slugs = [item.slug for item in self._listed]
        if self._wished in slugs:
            at, self._wished = self.shelf.by_slug[self._wished], ""
        cursor = slugs.index(at.slug) if at is not None and at.slug in slugs and not first else 0
        width = self._rows.size.width
        self._rows.show(
            Pretrains(self._listed, self.task_of, width),
            cursor=cursor,
            header=header(width),
            empty=f"No pretrain is {self.words}; Ctrl-G shows all again."
            if self.shelf.items
            else "Reading the catalogue …",
        )
        self._show_chosen()
        self.refresh_title()

    def _show_chosen(self) -> None:
        self._panel.update()
        self.refresh_keys()

    def _details(self, width: int, rows: int) -> list[Line]:
        item = self.chosen
        if item is None:
            return []
        lines = lines_of(facts_of(item, self.shelf.project, self.task_of(item.slug)), width)
        head: Line = [(fitted(f" {item.title}", width), "head")]
        if len(lines) >= rows:
            enter = " Enter shows all of it"
            head = [(fitted(f" {item.title}", width - len(enter) - 1), "head"), (enter, "head")]
        return [head, *lines]

    def show_project(self, folder: Path) -> None:
        """Look at the pretrains for a project."""
        self.folder = folder
        self.reload()

    def wish_for(self, slug: str) -> None:
        """Put the cursor on a pretrain as soon as it is listed."""
        self._wished = slug

    def title_text(self) -> str:
        parts = ["pretrains"]
        if self.shelf.project is not None:
            parts[0] += f" for {clean(self.shelf.project.name)}"
        if self.words:
            parts.append(f"{len(self._listed)} of {len(self.shelf.items)}: {self.words}")
        elif self.shelf.items:
            here = sum(item.stored is not None for item in self.shelf.items)
            parts.append(f"{len(self.shelf.items)} known, {here} here")
        return " · ".join(parts)

    @property
    def words(self) -> str:
        """What narrows the list, as people say it; "" for all."""
        return words_of(self.wanted)

    def keys_shown(self) -> list[Key]:
        rows = super().keys_shown()
        return keys.untyped(rows) if isinstance(self.focused, Input) else rows

    def on_row_list_moved(self) -> None:
        self._show_chosen()

    def on_row_list_chosen(self) -> None:
        item = self.chosen
        if item is not None:
            told = facts_of(item, self.shelf.project, self.task_of(item.slug))
            self.app.push_screen(Reading(item.title, [(label, text) for label, text, _ in told]))

    def on_descendant_focus(self) -> None:
        self.refresh_keys()
