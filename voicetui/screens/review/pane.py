"""The review as it is seen: the list of clips, the clip under the cursor, and the line of search."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from engine.errors import VoicetuiError
from voicetui.screens.review.clip import ClipPane, read
from voicetui.screens.review.rows import ClipRows, head_of
from voicetui.screens.review.view import View
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, wrapped

if TYPE_CHECKING:
    from engine.dataset.review.review import Review
    from engine.dataset.review.rows import Row

# The clip follows the cursor so much later, and the list what is typed: held keys stay quick.
_FOLLOW_SECONDS = 0.05
_SEARCH_SECONDS = 0.12
_EMPTY = "There are no clips. Press 2 to see the preparation, p there to prepare again."


class ReviewPane(Container):
    """Shows a review. What a person does to clips is the screen's; here is only what is seen."""

    class Changed(Message):
        """Other clips are listed, or others are selected."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.review: Review | None = None
        self.view = View()
        self.chosen: set[str] = set()
        self.clip = ClipPane(id="clip")
        self._order: list[str] = []
        self._anchor: tuple[int, set[str]] | None = None
        self._follow: Timer | None = None
        self._search: Timer | None = None
        self._asked = 0
        self._count = 0

    def compose(self) -> ComposeResult:
        clips = RowList(header=[(" ", "")], empty="Reading the clips …", id="clips")
        yield Lines(id="trouble")
        yield clips
        yield self.clip
        yield FilterLine(clips, id="search")

    # --- what there is ----------------------------------------------------------------------------

    @property
    def clip_list(self) -> RowList:
        return self.query_one("#clips", RowList)

    @property
    def order(self) -> Sequence[str]:
        """The ids of the clips that are listed, in order."""
        return self._order

    @property
    def current(self) -> Row | None:
        """The clip under the cursor."""
        rows = self.clip_list.rows
        return rows.row(self.clip_list.cursor) if isinstance(rows, ClipRows) else None

    @property
    def targets(self) -> list[str]:
        """What an action is done to: the selected clips as they are listed, else the current one."""
        if self.chosen:
            listed = [identifier for identifier in self._order if identifier in self.chosen]
            return listed + sorted(self.chosen - set(listed))
        return [self.current.id] if self.current else []

    # --- showing ----------------------------------------------------------------------------------

    def tell_loading(self, text: str) -> None:
        """Say how far the reading is."""
        self.clip_list.show(self.clip_list.rows, empty=text)

    def tell_trouble(self, text: str) -> None:
        """Show what is wrong with the dataset in place of its clips; "" shows the clips."""
        self.set_class(bool(text), "-trouble")
        # It may be told before the pane has its size.
        room = max(40, (self.size.width or self.app.size.width) - 4)
        told = [line for part in text.split("\n") for line in wrapped(part, room)]
        lines: list[Line] = [[], *([(f"  {line}", "warn")] for line in told)]
        # The reading may end when the screen is closing already.
        for trouble in self.query("#trouble").results(Lines):
            trouble.show(lines)

    async def open(self, review: Review) -> None:
        """Show another review; the cursor stays on the clip where it was."""
        self.review = review
        self.tell_trouble("")
        self.clip.most_tokens = review.project.settings.dataset.max_text_tokens
        self.clip.forget_cut()
        self._anchor = None
        self.chosen &= {row.id for row in review.clips}
        await self.requery()

    async def look_at(self, view: View, *, first: bool = True) -> None:
        """List other clips, or in another order."""
        self.view = view
        self._anchor = None
        await self.requery(first=first)

    async def requery(self, *, first: bool = False) -> None:
        """List anew what the view asks for; the newest question wins."""
        review, view = self.review, self.view
        if review is None:
            return
        self._asked += 1
        asked = self._asked
        order = await asyncio.to_thread(view.listed, review)
        if asked != self._asked or not self.is_attached:
            return
        current = None if first else self.current
        self._order, self._count = order, len(review.clips)
        cursor = order.index(current.id) if current and current.id in set(order) else None
        if first:
            cursor = 0
        self._show_list(cursor)

    def _show_list(self, cursor: int | None) -> None:
        assert self.review is not None
        rows = ClipRows(self.review, self._order, self.chosen)
        words = self.view.words
        empty = f"No clip is {words}; f and / change that." if words else _EMPTY
        self.clip_list.show(rows, cursor=cursor, header=self._head(), empty=empty)
        self.clip.forget_cut()
        self.post_message(self.Changed())
        self.follow_soon()

    def _head(self) -> Line:
        return head_of(self.clip_list.size.width, self.view.sort, descending=self.view.descending)

    def refresh_clips(self, identifiers: Sequence[str]) -> None:
        """Draw clips again that an edit has changed; new ones get a place, others leave."""
        assert self.review is not None
        known = set(self._order)
        place = self.review.place
        new = [each for each in identifiers if each not in known and place(each) is not None]
        # A split or merge changes how many there are; so does taking one back.
        recut = self._count != len(self.review.clips)
        self._count = len(self.review.clips)
        if recut or new:
            self._replace_rows(list(identifiers), new)
        elif len(identifiers) > 2 * self.clip_list.visible_rows:
            self.clip_list.refresh()
        else:
            for identifier in identifiers:
                if identifier in known:
                    self.clip_list.refresh_row(self._order.index(identifier))
        if self.clip.shown is None or self.clip.shown.id in identifiers or recut or new:
            self.follow_soon()
        self.post_message(self.Changed())

    def _replace_rows(self, changed: list[str], new: list[str]) -> None:
        """Take clips that are no more out of the list, and put new ones beside what they came of."""
        assert self.review is not None
        at = min(self.clip_list.cursor, len(self._order))
        for identifier in changed:
            if identifier in self._order:
                at = self._order.index(identifier) + 1
                break
        order = [*self._order[:at], *new, *self._order[at:]]
        cursor = self.clip_list.cursor
        current = order[cursor] if cursor < len(order) else ""
        order = [each for each in order if self.review.place(each) is not None]
        self.chosen &= set(order)
        self._order = order
        self._show_list(order.index(current) if current in order else max(0, cursor - (not new)))

    # --- the clip under the cursor ----------------------------------------------------------------

    def on_row_list_moved(self) -> None:
        self.clip.forget_cut()
        if self._anchor is not None:
            start, before = self._anchor
            low, high = sorted((start, self.clip_list.cursor))
            self._select(before | set(self._order[low : high + 1]))
        self.follow_soon()

    def follow_soon(self) -> None:
        """Show the clip under the cursor, once the cursor rests."""
        if self._follow is not None:
            self._follow.stop()
        self._follow = self.set_timer(_FOLLOW_SECONDS, self._show_current)

    async def _show_current(self) -> None:
        row, review = self.current, self.review
        if row is None or review is None:
            self.clip.show(None)
            return
        try:
            shown = await asyncio.to_thread(read, review, row.id)
        except VoicetuiError as error:
            self.clip.show(None, str(error))
            return
        if self.is_attached and self.current is not None and self.current.id == row.id:
            self.clip.show(shown)

    def on_resize(self) -> None:
        self._lay_out_soon()

    def zoom(self) -> None:
        """Give the clip more room, or the list again."""
        self.toggle_class("-zoomed")
        self.clip.explains = self.has_class("-zoomed")
        self._lay_out_soon()

    def _lay_out_soon(self) -> None:
        self.call_after_refresh(self._lay_out_again)

    def _lay_out_again(self) -> None:
        if self.review is not None:
            self.clip_list.show(self.clip_list.rows, header=self._head())
            self.clip.draw()

    def move_cut(self, steps: int, *, seconds: float = 0.0) -> None:
        """Move the place where the clip under the cursor would be cut, see ClipPane."""
        shown, row = self.clip.shown, self.current
        # Right after the cursor moved the clip before is shown still.
        if shown is not None and row is not None and shown.id == row.id:
            self.clip.move_cut(steps, seconds=seconds)

    # --- selection --------------------------------------------------------------------------------

    @property
    def extending(self) -> bool:
        """Whether moving the cursor selects."""
        return self._anchor is not None

    def toggle(self) -> None:
        """Select the clip under the cursor or not, and go to the next."""
        if self.current is not None:
            self._select(self.chosen ^ {self.current.id})
            self.clip_list.move_to(self.clip_list.cursor + 1)

    def toggle_all(self) -> None:
        """Select all that are listed, or none when they are."""
        listed = set(self._order)
        self._select(self.chosen - listed if listed <= self.chosen else self.chosen | listed)

    def toggle_extending(self) -> None:
        """From here on moving selects, or no longer."""
        if self._anchor is not None:
            self._anchor = None
        elif self.current is not None:
            self._anchor = (self.clip_list.cursor, set(self.chosen))
            self._select(self.chosen | {self.current.id})

    def clear_selection(self) -> None:
        """Select nothing."""
        self._anchor = None
        self._select(set())

    def _select(self, chosen: set[str]) -> None:
        rows = self.clip_list.rows
        changed = self.chosen ^ chosen
        self.chosen = chosen
        if isinstance(rows, ClipRows):
            rows.chosen = chosen
        if len(changed) == 1 and self.current is not None and self.current.id in changed:
            self.clip_list.refresh_row(self.clip_list.cursor)
        elif changed:
            self.clip_list.refresh()
        self.post_message(self.Changed())

    # --- search -----------------------------------------------------------------------------------

    def open_search(self) -> None:
        """Open the line in which the search is typed."""
        line = self.query_one("#search", FilterLine)
        line.placeholder = "words of the text, or the name of a recording"
        line.open()

    def clear_search(self) -> None:
        """Search for nothing."""
        self.query_one("#search", FilterLine).clear_filter()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._search is not None:
            self._search.stop()
        self._search = self.set_timer(_SEARCH_SECONDS, self._searched)

    async def _searched(self) -> None:
        wanted = self.query_one("#search", FilterLine).value
        if wanted != self.view.search:
            await self.look_at(replace(self.view, search=wanted), first=bool(wanted))
