"""The lines around every screen: what it is, what was said last, and its keys."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from voicetui.keys import Key, names
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, fitted


class TitleBar(Lines):
    """One line: the screen's name on the left, what works now on the right."""

    DEFAULT_CSS = "TitleBar { height: 1; }"

    def set_title(self, title: str, right: str = "") -> None:
        width = self.size.width or 80
        name = " voicetui "
        room = max(0, width - len(name) - cell_len(right) - 2)
        self.show([[(name, "bold"), (fitted(f" {title}", room), ""), (f" {right} ", "bold")]])


class StatusLine(Lines):
    """One line for the last thing that was said to the person."""

    DEFAULT_CSS = "StatusLine { height: 1; }"

    def say(self, text: str, style: str = "") -> None:
        shown = fitted(f" {text}", self.size.width or 80).rstrip()
        self.show([[(shown, style)]] if text else [])


class KeyBar(Lines):
    """One line of keys: those of the lowest ranks, as many as fit."""

    DEFAULT_CSS = "KeyBar { height: 1; }"

    def show_keys(self, keys: Iterable[Key]) -> None:
        width = self.size.width or 80
        wanted = [key for key in keys if key.rank]
        chosen: list[Key] = []
        used = 0
        for key in sorted(wanted, key=lambda key: key.rank):
            length = len(names(key.keys)) + len(key.label) + 4
            if used + length <= width:
                chosen.append(key)
                used += length
        line: Line = []
        for key in (key for key in wanted if key in chosen):
            line += [(f" {names(key.keys)} ", "inverse"), (f" {key.label} ", "")]
        self.show([line])
