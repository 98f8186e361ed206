"""Which clips are listed, how they are sorted, and which are selected: keys that change no clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.text import clean
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.review.menu import Menu
from voicetui.screens.review.pane import ReviewPane
from voicetui.screens.review.rows import SORTS
from voicetui.screens.review.view import View

if TYPE_CHECKING:
    from engine.dataset.ledger import Loss
    from engine.dataset.review.review import Review
    from engine.dataset.review.selection import Filter

_FILTERS: tuple[tuple[str, Filter, str], ...] = (
    ("a", "all", "all clips"),
    ("k", "kept", "kept: they are trained on or held out"),
    ("s", "suspect", "suspect: kept, but worth a look"),
    ("d", "dropped", "dropped"),
    ("e", "edited", "edited by you"),
    ("t", "train", "in the training set"),
    ("h", "eval", "held out to judge the training (eval)"),
)


class ListKeys(ConsoleScreen):
    """The keys of the list of clips."""

    def __init__(self) -> None:
        super().__init__()
        self.pane = ReviewPane(id="review")

    @property
    def review(self) -> Review | None:
        """The clips under review; None while they are not read."""
        return self.pane.review

    def action_sort(self) -> None:
        review = self.review
        if review is None:
            return
        known = {*review.columns, ""}
        listed = [(key, sort, words) for key, sort, words in SORTS if sort in known]
        used = {key for key, _, _ in listed} | {"q"}
        others = known - {sort for _, sort, _ in SORTS} - {"start", "id", "edited"}
        free = [letter for letter in "bfhijmopuyz123456789" if letter not in used]
        listed += [
            (key, sort, sort.replace("_", " "))
            for key, sort in zip(free, sorted(others), strict=False)
        ]
        chosen_by = {key: sort for key, sort, _ in listed}

        async def chosen(key: str | None) -> None:
            if key is not None:
                await self._list_as(sort=chosen_by[key], descending=False)
                self.say("Sorted; S turns the order around.")

        choices = [Choice(key, words) for key, _, words in listed]
        self.app.push_screen(Menu("Sort by", choices), chosen)

    async def action_reverse(self) -> None:
        await self._list_as(descending=not self.pane.view.descending)

    async def action_worst(self) -> None:
        await self._list_as(sort="score", descending=False)
        self.say("Worst first.")

    async def _list_as(self, **changes: object) -> None:
        await self.pane.look_at(replace(self.pane.view, **changes))  # type: ignore[arg-type]

    def action_search(self) -> None:
        self.pane.open_search()

    def action_filter(self) -> None:
        review, row = self.review, self.pane.current
        if review is None:
            return
        counts = review.counts()
        choices = [Choice(key, f"{words} ({counts[name]:,})") for key, name, words in _FILTERS]
        losses = review.ledger()
        if losses:
            choices.append(Choice("r", "dropped or suspect for one reason …"))
        if row is not None:
            choices.append(Choice("o", f"only clips of {clean(row.source.path)}"))
        by_key = {key: name for key, name, _ in _FILTERS}

        async def chosen(key: str | None) -> None:
            if key == "r":
                self._choose_reason(losses)
            elif key == "o" and row is not None:
                await self._list_as(source=row.source.path)
            elif key is not None:
                await self._list_as(filter=by_key[key], reason="", source="")

        self.app.push_screen(
            Choose("Show which clips?", "The numbers are those of the whole dataset.", choices),
            chosen,
        )

    def _choose_reason(self, losses: Sequence[Loss]) -> None:
        by_key = dict(zip("abcdefghijklmnoprstuvwxyz", losses, strict=False))
        choices = [
            Choice(key, f"{loss.reason.replace('_', ' ')}, {loss.state} ({loss.clips:,})")
            for key, loss in by_key.items()
        ]

        async def chosen(key: str | None) -> None:
            if key is not None:
                await self.show_reason(by_key[key].reason, by_key[key].state)
                self.say("Ctrl-G shows all clips again.")

        self.app.push_screen(Menu("Show clips of which reason?", choices), chosen)

    async def show_reason(self, reason: str, state: Filter) -> None:
        """List the clips that were dropped, or are suspect, for a reason."""
        self.pane.clear_search()
        await self.pane.look_at(View(filter=state, reason=reason, sort=self.pane.view.sort))

    def action_zoom(self) -> None:
        self.pane.zoom()

    def action_select(self) -> None:
        self.pane.toggle()

    def action_select_all(self) -> None:
        self.pane.toggle_all()
        self._say_selected()

    def action_extend(self) -> None:
        self.pane.toggle_extending()
        if self.pane.extending:
            self.say("Moving selects; v ends it.")
        else:
            self._say_selected()

    async def action_clear(self) -> None:
        """Take back the last of: place to cut, selection, search, filter."""
        pane = self.pane
        if pane.clip.cut is not None:
            pane.clip.forget_cut()
        elif pane.chosen:
            pane.clear_selection()
            self.say("Nothing is selected.")
        elif pane.view.search:
            pane.clear_search()
        elif pane.view.words:
            await self._list_as(filter="all", reason="", source="")
            self.say("All clips are listed.")

    def _say_selected(self) -> None:
        self.say(f"{len(self.pane.chosen):,} clips are selected." if self.pane.chosen else "")
