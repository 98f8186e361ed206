"""The table of pretrains: its columns, and a line for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.pretrains.entry import rate_label
from engine.text import clean
from voicetui.amounts import number, size
from voicetui.screens.pretrains.shelf import Item
from voicetui.tasks import Task
from voicetui.widgets.styled import Line, Span, fitted

_NONE: Span = ("-", "dim")
_LEAST_NAME, _MOST_NAME = 20, 34
_KINDS = {"scratch": "scratch", "finetune": "finetune", "merge": "merge"}
# More are counted.
_MOST_LANGUAGES = 3
TaskOf = Callable[[str], Task | None]


@dataclass(frozen=True)
class _Column:
    """One column; it is shown from a list width of `least` cells on."""

    head: str
    width: int
    cell: Callable[[Item], Span]
    right: bool = False
    least: int = 0


def kind_of(item: Item) -> str:
    """How it was made, in a word; "" when that is not known."""
    if item.entry.family == "xtts":
        return "XTTS base"
    return _KINDS.get(item.entry.kind, "")


def _languages(item: Item) -> Span:
    languages = item.entry.languages
    if not languages:
        return _NONE
    codes = [clean(code).partition("-")[0] for code in languages]
    if len(codes) > _MOST_LANGUAGES:
        return f"{codes[0]} {codes[1]} +{len(codes) - 2}", ""
    return " ".join(codes), ""


def _hours(item: Item) -> Span:
    hours = item.entry.hours
    return _NONE if hours is None else (f"{number(hours)} h", "")


def _size(item: Item) -> Span:
    return (size(item.size), "") if item.size else _NONE


_COLUMNS = (
    _Column("rate", 5, lambda item: (rate_label(item.entry.rate), ""), right=True),
    _Column("kind", 9, lambda item: (kind_of(item), "") if kind_of(item) else _NONE),
    _Column(
        "author",
        21,
        lambda item: (clean(item.entry.author), "") if item.entry.author else _NONE,
        least=104,
    ),
    _Column("languages", 9, _languages, least=64),
    _Column("hours", 7, _hours, right=True, least=72),
    _Column("size", 7, _size, right=True, least=80),
)
# What stands in a row beside the share that is done.
_AT_WORK = {
    "fetching": "↓",
    "importing": "import",
    "verifying": "verify",
    "reading": "read",
    "installing": "install",
    "merging": "merge",
}
# " ✓ here", " ↓ 42 %", " unverified", and for a wide list "base of …".
_STATE = 12


@dataclass(frozen=True)
class Pretrains:
    """The rows of the list."""

    items: Sequence[Item]
    task_of: TaskOf
    width: int

    def __len__(self) -> int:
        return len(self.items)

    def line(self, index: int, width: int) -> Line:  # noqa: ARG002 - the widget cuts it
        item = self.items[index]
        state, style = state_of(item, self.task_of(item.slug))
        sign = state[0] if state[:1] in (*_SIGNS,) else " "
        line: Line = [
            (f" {sign} ", style),
            (fitted(clean(item.entry.name), name_width(self.width)), "bold"),
        ]
        for column in columns(self.width):
            text, cell_style = column.cell(item)
            line += [(" ", ""), (fitted(text, column.width, right=column.right), cell_style)]
        return [*line, ("  ", ""), (fitted(state.lstrip(_SIGNS).strip(), _STATE), style)]


_SIGNS = "✓✗↓"


def header(width: int) -> Line:
    """The heads of the columns."""
    line: Line = [("   ", ""), (fitted("name", name_width(width)), "")]
    for column in columns(width):
        line += [(" ", ""), (fitted(column.head, column.width, right=column.right), "")]
    return [*line, ("  state", "")]


def columns(width: int) -> list[_Column]:
    """The columns that a list of this width has room for."""
    return [column for column in _COLUMNS if width >= column.least]


def name_width(width: int) -> int:
    """How wide the names are; a scroll bar stands at the right of the list."""
    others = sum(column.width + 1 for column in columns(width))
    return max(_LEAST_NAME, min(_MOST_NAME, width - 3 - others - 2 - _STATE - 1))


def state_of(item: Item, task: Task | None) -> Span:
    """How an item stands, in a sign and a word or two."""
    if task is not None and not task.is_over:
        return _at_work(task)
    if item.damage:
        return "✗ damaged", "bad"
    if item.stored is not None:
        return ("✓ base", "good") if item.is_base else ("✓ here", "good")
    if task is not None and task.state == "failed":
        return "✗ failed", "bad"
    if item.part:
        return "↓ part came", "warn"
    if item.is_base:
        return "base missing", "warn"
    return ("", "") if item.entry.is_verified else ("unverified", "dim")


def _at_work(task: Task) -> Span:
    if task.is_stopping:
        return "stopping …", "warn"
    sign = _AT_WORK[task.doing]
    if task.state == "waiting":
        return f"{sign} waits", "accent"
    if task.is_checking:
        return "checking", "accent"
    return f"{sign} {'…' if task.share is None else f'{task.share:.0%}'}", "accent"
