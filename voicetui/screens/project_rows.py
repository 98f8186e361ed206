"""The rows of the list of projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.text import clean
from voicetui.widgets.styled import Line, fitted

if TYPE_CHECKING:
    from engine.overview import ProjectOverview

# All columns but those of the name and of the next step, with the scroll bar.
_OTHER_WIDTH = 61
_MOST_NAME_WIDTH = 34
_LEAST_NEXT_WIDTH = 24
_SIGNS = {
    "running": ("▶", "good"),
    "paused": ("‖", "warn"),
    "finished": ("✓", "good"),
    "stopped": ("•", ""),
    "failed": ("✗", "bad"),
    "crashed": ("✗", "bad"),
}


def name_width(width: int) -> int:
    """The width of the column of names in a list of a width."""
    return max(10, min(_MOST_NAME_WIDTH, width - _OTHER_WIDTH))


class ProjectRows:
    """The rows: a folder each, with what is known of it so far."""

    def __init__(
        self, folders: Sequence[Path], seen: Mapping[Path, ProjectOverview], name_width: int
    ) -> None:
        self.folders = folders
        self._seen = seen
        self._name_width = name_width

    def __len__(self) -> int:
        return len(self.folders)

    def line(self, index: int, width: int) -> Line:
        folder = self.folders[index]
        seen = self._seen.get(folder)
        if seen is None:
            return [("   ", ""), (fitted(folder.name, self._name_width), "dim"), (" …", "dim")]
        name_width = self._name_width
        if seen.problem:
            head = (fitted(seen.name, name_width), "dim")
            return [
                (" ✗ ", "bad"),
                head,
                (fitted(f" {seen.problem}", width - name_width - 4), "warn"),
            ]
        sign, style = ("▶", "good") if seen.running else _SIGNS.get(seen.run_state, (" ", ""))
        return [
            (f" {sign} ", style),
            (fitted(seen.name, name_width), "bold"),
            (f" {fitted(seen.language, 5)}", ""),
            (fitted(_minutes(seen.minutes), 8, right=True), ""),
            (fitted(f"{seen.clips:,}" if seen.clips else "", 7, right=True), ""),
            (f"  {fitted(_base_name(seen.base), 12)}", "dim"),
            (f" {fitted(_progress(seen), 14)}", style if seen.running else ""),
            (fitted(_loss(seen.best_loss), 7, right=True), "accent"),
            (_next(seen.advice, width, name_width), "dim"),
        ]


def header(name_width: int, width: int) -> Line:
    text = (
        f"   {'project':<{name_width}} {'lang':<5}{'minutes':>8}{'clips':>7}  {'base':<12} "
        f"{'last run':<14}{'best':>7}"
    )
    return [(text + _next("next step", width, name_width), "")]


def _next(text: str, width: int, name_width: int) -> str:
    """A text of the last column, where there is room for it."""
    room = width - name_width - _OTHER_WIDTH - 3
    return f"   {fitted(text, room)}" if room >= _LEAST_NEXT_WIDTH else ""


def _minutes(minutes: float) -> str:
    if not minutes:
        return ""
    return f"{minutes:.1f}" if minutes < 100 else f"{minutes:,.0f}"


def _base_name(base: str) -> str:
    return clean(Path(base).name or base)


def _progress(seen: ProjectOverview) -> str:
    """How far the last run is, or what works now in its place."""
    if seen.running and seen.running != seen.run:
        return clean(seen.running.partition("-")[2] or seen.running)
    if not seen.run:
        return ""
    if seen.epochs:
        return f"epoch {seen.epoch}/{seen.epochs}"
    return str(seen.run_state)


def _loss(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.3f}"
