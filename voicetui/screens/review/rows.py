"""The list of clips: its columns, and the rows that it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicetui.widgets.styled import Line, Span, fitted

if TYPE_CHECKING:
    from engine.dataset.review.review import Review
    from engine.dataset.review.rows import Row

# Each state has a sign and a letter, so that it is known without its colour.
STATES = {"kept": ("✓k", "good"), "dropped": ("✗d", "bad"), "suspect": ("?s", "warn")}
_SETS = {"train": "train", "eval": "eval", "": "-"}
# Under this a value is worth a look; see `engine.dataset.review.scoring`.
_LOW_SCORE, _LOW_CONFIDENCE, _LOW_AGREEMENT = 0.4, 0.65, 0.75


@dataclass(frozen=True)
class Column:
    """One column: what it sorts by ("" for the order of recordings), its head and its cell.

    It is shown in lists of at least `least` cells.
    """

    sort: str
    head: str
    width: int
    cell: Callable[[Row], Span]
    least: int = 0
    left: bool = False


def _share(value: float | None, low: float) -> Span:
    if value is None:
        return "-", "dim"
    return f"{100 * value:.0f}", "warn" if value < low else ""


def _score_of(name: str, form: str) -> Callable[[Row], Span]:
    return _scaled(name, 1, form)


def _scaled(name: str, scale: float, form: str) -> Callable[[Row], Span]:
    def cell(row: Row) -> Span:
        if name not in row.names:
            return "-", "dim"
        return format(row.values[row.names.index(name)] * scale, form), ""

    return cell


def _confidence(row: Row) -> Span:
    known = "confidence" in row.names
    value = row.values[row.names.index("confidence")] if known else None
    return _share(value, _LOW_CONFIDENCE)


COLUMNS = (
    Column("state", "st", 2, lambda row: STATES.get(row.state, ("??", "warn")), left=True),
    Column("split", "set", 5, lambda row: (_SETS.get(row.split, row.split), ""), left=True),
    Column("seconds", "sec", 5, lambda row: (f"{row.seconds:.1f}", "")),
    Column("score", "score", 6, lambda row: _share(row.score, _LOW_SCORE)),
    Column("confidence", "sure", 5, _confidence),
    Column("agreement", "agree", 6, lambda row: _share(row.agreement, _LOW_AGREEMENT)),
    Column("rate", "ch/s", 5, lambda row: (f"{row.rate:.1f}", ""), least=104),
    Column("tokens", "tok", 4, _score_of("tokens", ".0f"), least=104),
    Column("snr", "snr", 5, _score_of("snr", ".0f"), least=112),
    Column("level", "level", 6, _score_of("level", ".0f"), least=112),
    Column("source", "recording", 18, lambda row: (row.source.path, "dim"), least=124, left=True),
    Column("clipping", "clip%", 5, _scaled("clipping", 100, ".1f"), least=132),
    Column("bandwidth", "kHz", 5, _scaled("bandwidth", 0.001, ".1f"), least=132),
    Column("speaker", "voice", 6, _score_of("speaker", ".2f"), least=140),
)

# The letters of the sort menu, and what each sorts by.
SORTS = (
    ("w", "score", "score, worst first"),
    ("t", "", "recording and time"),
    ("c", "confidence", "sureness of words"),
    ("a", "agreement", "agreement"),
    ("l", "seconds", "length"),
    ("r", "rate", "speaking rate"),
    ("x", "text", "text"),
    ("d", "state", "state"),
    ("g", "reason", "reason for dropping"),
    ("e", "split", "train or eval"),
    ("s", "source", "name of recording"),
    ("k", "tokens", "tokens"),
    ("n", "snr", "voice over noise (SNR)"),
    ("v", "level", "level"),
    ("p", "clipping", "clipping"),
    ("b", "bandwidth", "bandwidth"),
    ("o", "speaker", "distance to the voice"),
)
SORT_NAMES = {sort: words.partition(",")[0] for _, sort, words in SORTS}


def columns_for(width: int) -> list[Column]:
    """The columns that a list of this width has room for."""
    return [column for column in COLUMNS if width >= column.least]


def head_of(width: int, sort: str, *, descending: bool) -> Line:
    """The names of the columns; an arrow stands at the one that sorts."""
    arrow = "▼" if descending else "▲"
    line: Line = [("  ", "")]
    for column in columns_for(width):
        mark = arrow if column.sort == sort else ""
        name = column.head[: column.width - len(mark)] + mark
        line.append((fitted(name, column.width, right=not column.left) + " ", ""))
    if sort and sort not in {column.sort for column in columns_for(width)}:
        name = "text" + arrow if sort == "text" else f"text   sorted by {_named(sort)}{arrow}"
    else:
        name = "text" if sort else f"text   in the order of time{arrow if descending else ''}"
    return [*line, (f" {name}", "")]


def _named(sort: str) -> str:
    return SORT_NAMES.get(sort, sort.replace("_", " "))


class ClipRows:
    """The clips in sight, by their ids. `chosen` are those that were selected."""

    def __init__(self, review: Review, order: Sequence[str], chosen: set[str]) -> None:
        self.review = review
        self.order = order
        self.chosen = chosen

    def __len__(self) -> int:
        return len(self.order)

    def row(self, index: int) -> Row | None:
        """The clip in a row of the list; None when it was split or merged away just now."""
        if not 0 <= index < len(self.order):
            return None
        identifier = self.order[index]
        place = self.review.place(identifier)
        clips = self.review.clips
        # An edit in a helper thread may move clips between these two lines.
        if place is None or place >= len(clips) or clips[place].id != identifier:
            return None
        return clips[place]

    def line(self, index: int, width: int) -> Line:
        row = self.row(index)
        if row is None:
            return [("   …", "dim")]
        marked = row.id in self.chosen
        line: Line = [(("●" if marked else " ") + ("*" if row.edited else " "), "accent")]
        used = 2
        for column in columns_for(width):
            text, style = column.cell(row)
            cell = fitted(text, column.width, right=not column.left) + " "
            used += column.width + 1
            # A few long spans are drawn in a third of the time of many short ones.
            if line[-1][1] == style:
                line[-1] = (line[-1][0] + cell, style)
            else:
                line.append((cell, style))
        style = "dim" if row.state == "dropped" else ""
        room = max(0, width - used - 1)
        return [*line, (" " + fitted(row.text or "(no words)", room), style)]
