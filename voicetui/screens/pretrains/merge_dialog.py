"""The dialog that chooses which pretrains are merged, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from engine.errors import InputError
from engine.text import clean
from voicetui.screens.base import Dialog
from voicetui.screens.pretrains.shelf import Item
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, Span, fitted, plain, wrapped

_KEYS = (
    ("Space", "in/out"),
    ("← →", "weight"),
    ("b", "base"),
    ("Enter", "go on"),
    ("q", "cancel"),
)
_PAIR = 2
# Of the list; with fewer than some in sight the warning is told in short.
_LEAST_ROWS, _SOME_ROWS, _MOST_ROWS = 2, 4, 8
# What is told of the choice has so many rows in any case.
_NOTE_ROWS = 3
_STEP, _MOST, _USUAL = 5, 100, 50


@dataclass(frozen=True)
class Recipe:
    """What is merged: pretrains with their weights, which sum to 1 unless there is a base.

    With one, that much of what each differs from it by is added to it.
    """

    parts: Sequence[tuple[Item, float]]
    base: Item | None = None

    @property
    def items(self) -> list[Item]:
        """The base, if there is one, and the parts."""
        return [*([self.base] if self.base is not None else []), *(item for item, _ in self.parts)]

    @property
    def in_words(self) -> str:
        if self.base is None:
            return "; ".join(f"{weight:.0%} of {item.title}" for item, weight in self.parts) + "."
        added = ", ".join(f"{weight:+.0%} of {item.title}" for item, weight in self.parts)
        return f"{self.base.title}, and of what each differs from it by: {added}."


@dataclass
class _Candidate:
    """`weight`, in hundredths, 0 leaves it out; `why_not` says why it cannot be in."""

    item: Item
    weight: int = 0
    why_not: str = ""


@dataclass(frozen=True)
class _Rows:
    candidates: Sequence[_Candidate]
    base: _Candidate | None

    def __len__(self) -> int:
        return len(self.candidates)

    def line(self, index: int, width: int) -> Line:
        each = self.candidates[index]
        sign = "✗" if each.why_not else "●" if each.weight else "○"
        if each is self.base:
            sign = "◆"
        return [
            (f" {sign} ", "dim" if each.why_not else "accent"),
            (fitted(each.item.title, width - 18), "dim" if each.why_not else ""),
            (fitted(self._share(each), 14, right=True), "dim" if each.why_not else "bold"),
            (" ", ""),
        ]

    def _share(self, each: _Candidate) -> str:
        if each.why_not:
            return "does not fit"
        if each is self.base:
            return "base"
        if not each.weight:
            return ""
        if self.base is not None:
            return f"{each.weight:+}%"
        return f"{each.weight / sum(other.weight for other in self.candidates):.0%}"


class MergeDialog(Dialog[Recipe]):
    """Gives what shall be merged; `first` is in to begin with."""

    BINDINGS: ClassVar[list[tuple[str, str, str]]] = [
        ("escape,ctrl+g,q", "cancel", "cancel"),
        ("space", "mark", "in or out"),
        ("left,minus", "less", "less"),
        ("right,plus,equals_sign", "more", "more"),
        ("b", "base", "base"),
    ]

    def __init__(self, first: Item, others: Sequence[Item], warning: str) -> None:
        super().__init__()
        self._warning = warning
        judged = [_Candidate(item, 0, why_not_together(first, item)) for item in others]
        judged.sort(key=lambda each: bool(each.why_not))
        self._candidates = [_Candidate(first, _USUAL), *judged]
        self._base: _Candidate | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines([[]], id="head")
            yield RowList(_Rows(self._candidates, None), id="candidates")
            yield Lines([[]], id="note")
            yield Lines([[]], id="keys")

    def on_mount(self) -> None:
        self._rows.focus()
        self._show()

    def on_resize(self, _event: events.Resize) -> None:
        self.call_after_refresh(self._show)

    @property
    def _rows(self) -> RowList:
        return self.query_one("#candidates", RowList)

    @property
    def _chosen(self) -> list[_Candidate]:
        return [each for each in self._candidates if each.weight]

    @property
    def _fewest(self) -> int:
        return _PAIR if self._base is None else 1

    def _show(self) -> None:
        cursor = self._rows.cursor
        self._rows.show(_Rows(self._candidates, self._base), cursor=cursor)
        each = self._candidates[cursor]
        told = each.why_not or self._told()
        self._fit(wrapped(clean(told), self.text_width), "warn" if each.why_not else "dim")

    def _fit(self, note: list[str], style: str) -> None:
        """Share the rows of the screen: the keys are whole, then the note, and the list has the rest."""
        keys = _key_lines(self.text_width)
        warning = wrapped(self._warning, self.text_width)
        # The title, and the empty lines before the note and the keys.
        room = self.rows_inside - 3 - len(keys)
        wanted = min(len(self._candidates), _MOST_ROWS)
        if room - _NOTE_ROWS - len(warning) - 2 >= min(wanted, _SOME_ROWS):
            warning = ["", *warning, ""]
        else:
            warning = [fitted(f"{self._warning.partition(':')[0]}.", self.text_width)]
        room -= len(warning)
        if len(note) > room - _LEAST_ROWS:
            note = [*note[: room - _LEAST_ROWS - 1], "…"]
        self._rows.styles.height = min(wanted, room - max(len(note), _NOTE_ROWS))
        head: list[Line] = [[("Merge pretrains", "title")], *([(line, "warn")] for line in warning)]
        self.query_one("#head", Lines).show(head)
        self.query_one("#note", Lines).show([[], *([(line, style)] for line in note)])
        self.query_one("#keys", Lines).show([[], *keys])

    def _told(self) -> str:
        if len(self._chosen) < self._fewest:
            return "Take in one more with Space."
        if self._base is None:
            return f"{len(self._chosen)} are in; Enter asks for a name. b takes a base."
        return (
            f"Difference mode: {self._base.item.title}, plus so much of what the others differ from "
            "it by. Enter asks for a name; b again is without a base."
        )

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._show()

    def action_mark(self) -> None:
        each = self._candidates[self._rows.cursor]
        if each.why_not:
            return
        if each is self._base:
            self._stand_on(None)
        each.weight = 0 if each.weight else _USUAL
        self._show()

    def action_base(self) -> None:
        """The base of the difference; again, an average as before."""
        each = self._candidates[self._rows.cursor]
        if each.why_not:
            return
        self._stand_on(None if each is self._base else each)
        each.weight = 0 if each is self._base else _USUAL
        self._show()

    def _stand_on(self, base: _Candidate | None) -> None:
        self._base = base
        if base is None:
            # Nothing can be taken away from an average.
            for each in self._chosen:
                each.weight = abs(each.weight)

    def action_less(self) -> None:
        self._change(-_STEP)

    def action_more(self) -> None:
        self._change(_STEP)

    def _change(self, by: int) -> None:
        each = self._candidates[self._rows.cursor]
        if not each.weight:
            return
        least = _STEP if self._base is None else -_MOST
        # 0 would leave it out.
        weight = each.weight + by or by
        each.weight = max(least, min(_MOST, weight))
        self._show()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if len(self._chosen) < self._fewest:
            self._show()
            return
        base = self._base.item if self._base is not None else None
        total = _MOST if base is not None else sum(each.weight for each in self._chosen)
        self.dismiss(Recipe([(each.item, each.weight / total) for each in self._chosen], base))


def _key_lines(width: int) -> list[Line]:
    lines: list[list[Span]] = [[]]
    for key, label in _KEYS:
        spans: list[Span] = [(f" {key} ", "inverse"), (f" {label}  ", "")]
        if cell_len(plain([*lines[-1], *spans]).rstrip()) > width:
            lines.append([])
        lines[-1] += spans
    return [*lines]


def why_not_together(first: Item, other: Item) -> str:
    """Why two pretrains cannot be merged, or ""."""
    from engine.pretrains.together import require_together

    assert first.stored is not None
    assert other.stored is not None
    try:
        require_together([first.stored, other.stored])
    except InputError as error:
        return str(error)
    return ""
