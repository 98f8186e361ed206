"""Frames with no more bytes than they need, because the console is watched over slow lines.

Textual 8.2.8 sends a changed span from the left edge of its widget on, and gives every piece of
text its full style and a reset. Here a span begins where it begins, and a style is told as what
differs from the one before it. What follows a text that terminals may draw wider or narrower than
we count is put in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.segment import Segment
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from voicetui.cells import is_certain
from voicetui.painted import Painted

_STYLE = re.compile("\x1b\\[([0-9;]*)m")
_MOVES = re.compile("(?:\x1b\\[[0-9;]*H|\n)*")
# Underlined, blinking, inverted, struck and overlined spaces are seen.
_SEEN_ON_SPACES = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})


class Pen(NamedTuple):
    """How a terminal writes: its attributes, and the parameters of its two colours ("": default)."""

    attributes: frozenset[str] = frozenset()
    colour: str = ""
    ground: str = ""


_PLAIN = Pen()


@lru_cache(1024)
def _pen(parameters: str) -> Pen:
    """The pen after a reset and these parameters of an SGR sequence."""
    attributes: set[str] = set()
    colour = ground = ""
    left = parameters.split(";") if parameters else []
    while left:
        code = left.pop(0)
        if code in ("38", "48"):
            length = 4 if left[:1] == ["2"] else 2
            value, left = ";".join([code, *left[:length]]), left[length:]
            colour, ground = (value, ground) if code == "38" else (colour, value)
        elif code in ("", "0"):
            attributes, colour, ground = set(), "", ""
        elif code == "39":
            colour = ""
        elif code == "49":
            ground = ""
        elif code[:-1] in ("3", "9") and len(code) == 2:
            colour = code
        elif code[:-1] in ("4", "10") and len(code) > 1:
            ground = code
        else:
            attributes.add(code)
    return Pen(frozenset(attributes), colour, ground)


def _change(before: Pen, after: Pen) -> str:
    """The sequence that takes a terminal from one pen to another."""
    if before == after:
        return ""
    if after == _PLAIN:
        return "\x1b[0m"
    if not before.attributes <= after.attributes:
        codes, before = ["0"], _PLAIN
    else:
        codes = []
    codes += sorted(after.attributes - before.attributes)
    if after.colour != before.colour:
        codes.append(after.colour or "39")
    if after.ground != before.ground:
        codes.append(after.ground or "49")
    return f"\x1b[{';'.join(codes)}m"


def compact(text: str) -> str:
    """The same output in fewer bytes; it must begin and end with the terminal's plain style."""
    out: list[str] = []
    now = wanted = _PLAIN
    pieces = _STYLE.split(text)
    for index, piece in enumerate(pieces):
        if index % 2:
            reset = not piece or piece == "0"
            wanted = _PLAIN if reset else _pen(piece) if wanted == _PLAIN else _after(wanted, piece)
            continue
        if not piece:
            continue
        if _MOVES.fullmatch(piece):
            out.append(piece)
            continue
        target = wanted
        if not piece.strip(" ") and not (now.attributes | wanted.attributes) & _SEEN_ON_SPACES:
            target = Pen(now.attributes, now.colour, wanted.ground)
        out.append(_change(now, target))
        out.append(piece)
        now = target
    out.append(_change(now, wanted))
    return "".join(out)


def _after(before: Pen, parameters: str) -> Pen:
    """The pen when a second sequence follows without a reset."""
    codes = [*sorted(before.attributes), before.colour, before.ground, parameters]
    return _pen(";".join(code for code in codes if code))


class Frame(CompositorUpdate):
    """An update of the screen in few bytes; what was `painted` already is not sent again."""

    def __init__(self, update: CompositorUpdate, painted: Painted | None = None) -> None:
        self._update = update
        self._painted = painted if painted is not None else Painted()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield cast("Any", self._update)

    def render_segments(self, console: Console) -> str:
        update = self._update
        # Exactly this class: a subclass may write something else.
        if type(update) is ChopsUpdate:
            return compact(_spans(update, console, self._painted))
        if type(update) is LayoutUpdate:
            return compact(_lines(update, console, self._painted))
        return compact(update.render_segments(console))


def _spans(update: ChopsUpdate, console: Console, painted: Painted) -> str:
    sequences: list[str] = []
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= x2 or end <= x1:
                continue
            sequences += _changed(strip, x, y, console, painted, (x1, min(end, x2)))
    return "".join(sequences)


def _lines(update: LayoutUpdate, console: Console, painted: Painted) -> str:
    sequences: list[str] = []
    for y, line in enumerate(update.strips, update.region.y):
        whole = Strip.join(line)
        sequences += _changed(whole, update.region.x, y, console, painted)
    return "".join(sequences)


def _changed(
    strip: Strip,
    x: int,
    y: int,
    console: Console,
    painted: Painted,
    span: tuple[int, int] | None = None,
) -> Iterator[str]:
    """The parts of a strip at (x, y), or of a span of it, that are not on the terminal."""
    for start, part in painted.changes(strip, x, y, span):
        yield Control.move_to(start, y).segment.text
        yield _placed(part, start, y, console)


def _placed(strip: Strip, x: int, y: int, console: Console) -> str:
    """A strip that stands at (x, y)."""
    if is_certain(strip.text):
        return strip.render(console)
    sequences: list[str] = []
    for segment in strip:
        cells = segment.cell_length
        if is_certain(segment.text):
            sequences.append(Strip([segment], cells).render(console))
        else:
            # Cells that it leaves free are blank, and what follows begins where it should.
            blank = Segment(f"\x1b[{cells}X{segment.text}", segment.style)
            sequences.append(Strip([blank], cells).render(console))
            sequences.append(Control.move_to(x + cells, y).segment.text)
        x += cells
    return "".join(sequences)
