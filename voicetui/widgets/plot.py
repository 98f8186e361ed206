"""The arithmetic of charts: scales, ticks, braille dots, and which cells changed. No widgets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

# A braille character has 2 x 4 dots; these are the bits of U+2800 + bits, by column and row.
DOTS_ACROSS, DOTS_DOWN = 2, 4
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
# ASCII: one sign for the rows of a cell that hold dots, from the top; bit 0 is the top row.
_ASCII_FAINT = " '''.:::.:::.:::"
_ASCII_LINE = " '-'-|-|_|||_|||"
# A change of the style costs some forty bytes, moving there ten: near changes are painted as one.
_JOIN_CELLS = 6
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOG_STEPS: tuple[tuple[float, ...], ...] = ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
_LARGEST = 1e300
# The share of a chart's columns that may lie outside of its scale.
_FEW = 0.02


class Dots:
    """A field of dots that is `width` x `height` cells large; dot (0, 0) is the upper left."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.across, self.down = width * DOTS_ACROSS, height * DOTS_DOWN
        self._cells = bytearray(width * height)

    def set(self, x: int, y: int) -> None:
        """Set a dot; outside of the field nothing happens."""
        if 0 <= x < self.across and 0 <= y < self.down:
            self._cells[y // DOTS_DOWN * self.width + x // DOTS_ACROSS] |= _BITS[x & 1][y & 3]

    def column(self, x: int, top: int, bottom: int) -> None:
        """The dots of one column from `top` to `bottom`, both included."""
        for y in range(max(0, top), min(bottom, self.down - 1) + 1):
            self.set(x, y)

    def line(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """A line without holes between two dots, `x0` <= `x1`."""
        if x0 == x1:
            self.column(x0, min(y0, y1), max(y0, y1))
            return
        before = y0
        for x in range(x0, x1 + 1):
            y = y0 + round((y1 - y0) * (x - x0) / (x1 - x0))
            # The step between two columns is shared, so that a steep line stays thin.
            middle = (before + y) // 2
            if x > x0 and abs(y - before) > 1:
                down = y > before
                self.column(x - 1, min(before, middle), max(before, middle))
                start = middle + 1 if down else middle - 1
                self.column(x, min(start, y), max(start, y))
            self.set(x, y)
            before = y

    def bits(self, column: int, row: int) -> int:
        """The dots of a cell; 0 when it is blank."""
        return self._cells[row * self.width + column]

    def used(self) -> Iterator[tuple[int, int, int]]:
        """The cells with dots: column, row, bits."""
        for index, bits in enumerate(self._cells):
            if bits:
                yield index % self.width, index // self.width, bits


def braille(bits: int) -> str:
    """The character of a cell's dots."""
    return chr(0x2800 + bits)


def ascii_sign(bits: int, *, faint: bool = False) -> str:
    """What stands for a cell's dots where there is no braille: it tells their height."""
    rows = (bits | bits >> 3) & 0x07
    rows |= 0x08 if bits & 0xC0 else 0
    return (_ASCII_FAINT if faint else _ASCII_LINE)[rows]


@dataclass(frozen=True)
class Scale:
    """Where values lie between `low` and `high`, which differ; on a `log` scale both are > 0."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float | None:
        """0 at the low end, 1 at the high one, beyond them outside; None for what has no place."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return None
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        # Halves, so that nothing overflows.
        return (value / 2 - low / 2) / (high / 2 - low / 2)

    def dot(self, value: float, dots: int) -> int | None:
        """The dot, counted from the top of `dots`; those outside of the scale lie outside too."""
        place = self.place(value)
        if place is None:
            return None
        return round((1 - max(-1.0, min(2.0, place))) * (dots - 1))


def scale_of(low: float, high: float, *, log: bool = False) -> Scale:
    """A scale with calm ends around two finite values, which must be > 0 for `log`."""
    low, high = min(low, high), max(low, high)
    if log:
        most = math.log10(_LARGEST)
        powers = (max(-most, min(most, math.log10(end))) for end in (low, high))
        ends = _calm_ends(*powers)
        return Scale(10 ** max(-most, ends[0]), 10 ** min(most, ends[1]), log=True)
    return Scale(*_calm_ends(max(-_LARGEST, low), min(_LARGEST, high)))


def _calm_ends(low: float, high: float) -> tuple[float, float]:
    """Ends that stay the same while the values change a little."""
    if high - low <= 1e-9 * max(abs(low), abs(high)) or high - low < 1e-290:
        pad = abs(high) * 0.05 or 1.0
        low, high = low - pad, high + pad
    quantum = nice_step((high - low) / 12)
    return (
        math.floor(low / quantum + 1e-6) * quantum,
        math.ceil(high / quantum - 1e-6) * quantum,
    )


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least` (> 0)."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((nice * power for nice in _NICE if nice * power >= least * (1 - 1e-9)), 10 * power)


def ticks(scale: Scale, most: int) -> list[float]:
    """Round values on a scale, in order, about `most` and not more; at least one."""
    if scale.log:
        return _log_ticks(scale, most)
    low, high = scale.low, scale.high
    step = nice_step((high / 2 - low / 2) / most * 2)
    found = _multiples(low, high, step)
    while len(found) > most:
        step = nice_step(step * 1.01)
        found = _multiples(low, high, step)
    return found or [low]


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [number * step for number in range(first, last + 1)]


def _log_ticks(scale: Scale, most: int) -> list[float]:
    low, high = math.log10(scale.low), math.log10(scale.high)
    first, last = math.floor(low), math.ceil(high)
    if last - first <= 12:
        for steps in _LOG_STEPS:
            found = [
                step * 10.0**power
                for power in range(first, last + 1)
                for step in steps
                if low - 1e-9 <= math.log10(step * 10.0**power) <= high + 1e-9
            ]
            if min(3, most) <= len(found) <= most:
                return found
    if high - low < 1:
        return ticks(Scale(scale.low, scale.high), most)
    every = max(1, math.ceil((high - low) / most))
    powers = range(math.ceil(low / every - 1e-9) * every, math.floor(high + 1e-9) + 1, every)
    return [10.0**power for power in powers] or [scale.low]


def tick_text(value: float, step: float) -> str:
    """A tick's value with as many digits as the step between ticks needs."""
    if value == 0 or abs(value) < 1e-9 * step:
        return "0"
    if not 1e-4 <= abs(value) < 1e6 or step < 1e-5:
        digits = max(0, math.floor(math.log10(abs(value))) - math.floor(math.log10(step) + 1e-9))
        mantissa, _, power = f"{value:.{min(digits, 6)}e}".partition("e")
        return f"{mantissa}e{int(power)}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    # 2.5 needs one digit more than its power of ten.
    if round(step * 10**decimals, 6) != round(step * 10**decimals):
        decimals += 1
    return f"{value:.{decimals}f}"


def tick_texts(values: Sequence[float]) -> list[str]:
    """The ticks of one axis, each with the digits that it needs."""
    gaps = [later - earlier for earlier, later in itertools.pairwise(values)]
    even = gaps and max(gaps) - min(gaps) < 1e-6 * max(gaps)
    if even:
        return [tick_text(value, gaps[0]) for value in values]
    return [tick_text(value, _last_digit(value)) for value in values]


def _last_digit(value: float) -> float:
    """The place of the last digit of a value with two digits at most: 0.1 of 2.5, 10 of 30."""
    if value == 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(abs(value)) + 1e-9)
    return power if abs(value / power - round(value / power)) < 1e-6 else power / 10


def robust_ends(
    spans: Iterable[tuple[float, float]], firm: Iterable[float]
) -> tuple[float, float] | None:
    """The lowest and the highest value to show of spans (low, high) and of `firm` values.

    A few spans that reach more than once again as far as all others are left outside, because they
    would press the rest flat. None when there is nothing. All values must be finite.
    """
    spans, firm = list(spans), list(firm)
    if not spans:
        return (min(firm), max(firm)) if firm else None
    lows = sorted(low for low, _ in spans)
    highs = sorted(high for _, high in spans)
    few = 1 + int(_FEW * (len(spans) - 1)) if len(spans) > 3 else 0
    low, high = min([*firm, lows[few]]), max([*firm, highs[-1 - few]])
    # Halves, so that nothing overflows.
    room = high / 2 - low / 2
    if room <= 0 or low / 2 - lows[0] / 2 <= room:
        low = min(low, lows[0])
    else:
        low -= 0.2 * room
    if room <= 0 or highs[-1] / 2 - high / 2 <= room:
        high = max(high, highs[-1])
    else:
        high += 0.2 * room
    return low, high


class Grid:
    """Cells of text and style. A wide character takes two cells, of which the second is ""."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.chars = [[" "] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write text from a cell on; what falls outside is left out."""
        if not 0 <= y < self.height:
            return
        chars, styles = self.chars[y], self.styles[y]
        for char in text:
            cells = cell_len(char)
            if cells == 0:
                if 0 < x <= self.width:
                    chars[x - 1] += char
                continue
            if x >= 0 and x + cells <= self.width:
                chars[x], styles[x] = char, style
                if cells == 2:
                    chars[x + 1], styles[x + 1] = "", style
            x += cells

    def is_blank(self, x: int, y: int, length: int = 1) -> bool:
        """Whether these cells exist and hold nothing."""
        inside = 0 <= y < self.height and x >= 0 and x + length <= self.width
        return inside and all(char == " " for char in self.chars[y][x : x + length])

    def line(self, y: int) -> list[tuple[str, str]]:
        """A row as spans of one style each."""
        spans: list[tuple[str, str]] = []
        start = 0
        chars, styles = self.chars[y], self.styles[y]
        for style, group in itertools.groupby(styles):
            end = start + sum(1 for _ in group)
            spans.append(("".join(chars[start:end]), style))
            start = end
        return spans

    def text(self) -> str:
        """All rows, without spaces at their ends."""
        return "\n".join("".join(row).rstrip() for row in self.chars)

    def changes(self, before: Grid) -> list[tuple[int, int, int]]:
        """What differs from a grid of the same size: row, first cell, number of cells."""
        return [
            (y, start, length)
            for y in range(self.height)
            if self.chars[y] != before.chars[y] or self.styles[y] != before.styles[y]
            for start, length in self._changes_of_row(y, before)
        ]

    def _changes_of_row(self, y: int, before: Grid) -> Iterator[tuple[int, int]]:
        start = end = -1
        for x in range(self.width):
            same = self.chars[y][x] == before.chars[y][x]
            if same and self.styles[y][x] == before.styles[y][x]:
                continue
            if start >= 0 and x - end > _JOIN_CELLS:
                yield start, end - start
                start = x
            start = x if start < 0 else start
            end = x + 1
        if start >= 0:
            yield start, end - start
