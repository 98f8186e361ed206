"""The keys that narrow the list of pretrains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from textual.widgets import Input

from engine.text import clean
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.pick import Pick, Pickable
from voicetui.screens.pretrains.listing import ListKeys
from voicetui.screens.pretrains.wishes import FAMILIES, KINDS, language_name, new_search
from voicetui.widgets.filter_line import FilterLine


class NarrowKeys(ListKeys):
    """By a text, a rate, and a menu of what else is known."""

    def look_for(self, **wishes: Any) -> None:
        """List what fits other wishes; those that were there stay."""
        self.wanted = replace(self.wanted, **wishes)
        self.show_list(first=bool(self.wanted.text))

    def action_search(self) -> None:
        self.query_one(FilterLine).open()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.look_for(text=event.value.strip())

    def action_clear(self) -> None:
        self.query_one(FilterLine).clear_filter()
        self.wanted = new_search()
        self.show_list()

    def action_rate(self) -> None:
        rates = [None, *sorted({item.entry.rate for item in self.shelf.items})]
        after = rates.index(self.wanted.rate) + 1 if self.wanted.rate in rates else 0
        self.look_for(rate=rates[after % len(rates)])

    def action_narrow(self) -> None:
        items = self.shelf.items
        wishes: dict[str, tuple[str, dict[str, Any], int]] = {
            "h": (
                "on this machine",
                {"installed": True},
                sum(item.stored is not None for item in items),
            )
        }
        for family, words in FAMILIES.items():
            count = sum(item.entry.family == family for item in items)
            wishes[family[0]] = (words, {"family": family}, count)
        for kind, words in KINDS.items():
            count = sum(item.entry.kind == kind for item in items)
            wishes[kind[0]] = (words, {"kind": kind}, count)
        # A small screen has no room for what would list nothing.
        choices = [
            Choice(key, f"{words} ({count})") for key, (words, _, count) in wishes.items() if count
        ]
        choices += [Choice("l", "that heard a language …"), Choice("a", "by an author …")]
        if self.words:
            choices.append(Choice("e", "everything again"))

        def chosen(key: str | None) -> None:
            if key in wishes:
                self.look_for(**wishes[key][1])
            elif key == "l":
                self._narrow_language()
            elif key == "a":
                self._narrow_author()
            elif key == "e":
                self.action_clear()

        told = "Wishes add up. r goes through the sample rates, / searches all that is known."
        self.app.push_screen(Choose("Show only those …", told, choices), chosen)

    def _narrow_language(self) -> None:
        spoken = [
            {code.partition("-")[0] for code in item.entry.languages} for item in self.shelf.items
        ]
        counts = Counter(code for codes in spoken for code in codes)
        self._pick("Show those that heard …", "language", counts, language_name)

    def _narrow_author(self) -> None:
        counts = Counter(item.entry.author for item in self.shelf.items if item.entry.author)
        self._pick("Show those by …", "author", counts, clean)

    def _pick(
        self, title: str, wish: str, counts: Mapping[str, int], name: Callable[[str], str]
    ) -> None:
        ordered = sorted(counts, key=lambda value: name(value).casefold())
        things = [Pickable(value, name(value), f"{counts[value]}") for value in ordered]

        def picked(value: str | None) -> None:
            if value is not None:
                self.look_for(**{wish: value})

        self.app.push_screen(Pick(title, things), picked)
