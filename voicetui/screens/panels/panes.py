"""Which parts of the dashboard are in sight, by the room that there is and the pane that is chosen."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from voicetui.widgets.styled import Line

PANES = ("evaluations", "machine", "warnings", "events")
PARTS = ("evaluations", "facts", "machine", "advice", "warnings-head", "warnings", "happened")


@dataclass(frozen=True)
class Arrangement:
    """The parts in sight, those that take all the height they can get, and whether tabs are shown."""

    shown: frozenset[str]
    tall: frozenset[str]
    tabs: bool


def arrange(classes: Set[str], pane: int, *, is_run: bool) -> Arrangement:
    """The arrangement for the classes that Textual gives a screen by its size.

    A narrow screen shows one pane at a time, the first one with gauges and advice below it. Wider
    ones show nearly everything; the third pane brings all warnings where a short advice stood.
    """
    name = PANES[pane]
    if "-narrow" not in classes:
        everything = {"evaluations", "facts", "machine"}
        if "-wide" in classes:
            everything |= {"warnings-head", "warnings", "happened"}
        elif name == "warnings":
            everything |= {"warnings-head", "warnings"}
        else:
            everything |= {"advice", "happened"}
        tall = {"side"} | ({"facts"} if "warnings" in everything else set())
        return Arrangement(_of(everything, is_run), frozenset(tall), tabs=False)
    by_pane = {
        "evaluations": {"evaluations", "facts", "machine", "advice"},
        "machine": {"facts", "machine"},
        "warnings": {"facts", "warnings"},
        "events": {"happened"},
    }
    shown = by_pane[name]
    tall = set() if name == "evaluations" else {"side"}
    if name == "warnings":
        tall |= {"facts"}
    if name == "evaluations" and ("-tall" in classes or "-high" in classes or not is_run):
        shown, tall = shown | {"happened"}, tall | {"side"}
    return Arrangement(_of(shown, is_run), frozenset(tall), tabs=is_run)


def _of(shown: Set[str], is_run: bool) -> frozenset[str]:
    """Without what only a training has."""
    return frozenset(shown) if is_run else frozenset(shown) - {"evaluations"}


def tab_line(pane: int, warnings: int) -> Line:
    """The names of the panes with their keys; the chosen one stands out."""
    line: Line = []
    for number, name in enumerate(PANES):
        counted = f" {warnings}" if name == "warnings" and warnings else ""
        style = "inverse" if number == pane else "warn" if counted else "dim"
        line += [(f" {number + 1} {name}{counted} ", style), (" ", "")]
    return line
