"""A clip as it sounds: its level over time, drawn with blocks, with its words and a place to cut.

The scale is in decibels below full scale, as loudness is heard: pauses, noise and breath show, which
a linear waveform hides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line

FLOOR_DB = -54.0
# From here on a sample is at full scale: the recording was clipped.
CLIPPED = 0.999
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LABEL = 7
_LEAST_SECONDS = 0.001


@dataclass(frozen=True)
class Wave:
    """What is drawn: `peaks` are the highest amplitudes (1 is full scale) of equal parts of the
    clip, `borders` the seconds where words begin, `cut` the second where it would be split."""

    peaks: Sequence[float]
    seconds: float
    borders: Sequence[float] = ()
    cut: float | None = None


class Waveform(Lines):
    """Draws a wave as wide as it is: `bars` rows of level, and one of time below them."""

    DEFAULT_CSS = "Waveform { height: 4; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._wave: Wave | None = None
        self._absent = ""

    def show_wave(self, wave: Wave | None, absent: str = "") -> None:
        """Draw a wave; without one say why."""
        self._wave, self._absent = wave, absent
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        height = self.size.height
        if self._wave is None or height < 2:
            self.show([[(f" {self._absent}", "dim")], *([[]] * max(0, height - 1))])
        else:
            self.show(wave_lines(self._wave, self.size.width, height - 1))


def wave_lines(wave: Wave, width: int, bars: int) -> list[Line]:
    """`bars` lines of level with their scale on the right, and the line of time."""
    columns = max(1, width - _LABEL - 1)
    peaks = spread(wave.peaks, columns)
    heights = [_eighths(peak, bars) for peak in peaks]
    cut = None if wave.cut is None else _column(wave.cut, wave.seconds, columns)
    lines: list[Line] = []
    for row in range(bars):
        base = (bars - 1 - row) * 8
        line: Line = [(" ", "")]
        for text, style in _runs(peaks, heights, base, cut, is_top=row == 0):
            line.append((text, style))
        line.append((_label(row, bars), "dim"))
        lines.append(line)
    return [*lines, _time_line(wave, columns, cut)]


def spread(peaks: Sequence[float], columns: int) -> list[float]:
    """The peaks over so many columns; the highest of each counts, so that no click vanishes."""
    count = len(peaks)
    if not count:
        return [0.0] * columns
    found = []
    for column in range(columns):
        first = column * count // columns
        last = max(first + 1, (column + 1) * count // columns)
        found.append(max(peaks[first:last]))
    return found


def decibels(peak: float) -> float:
    """An amplitude in decibels below full scale; silence is minus infinity."""
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def _eighths(peak: float, bars: int) -> int:
    level = decibels(peak)
    if not level > FLOOR_DB:
        return 0
    return min(bars * 8, max(1, round((level - FLOOR_DB) / -FLOOR_DB * bars * 8)))


def _runs(
    peaks: Sequence[float], heights: Sequence[int], base: int, cut: int | None, *, is_top: bool
) -> Line:
    """One row of bars as spans of equal style."""
    runs: Line = []
    for column, height in enumerate(heights):
        sign, style = _EIGHTHS[min(8, max(0, height - base))], "one"
        if column == cut:
            sign, style = "┃", "accent"
        elif is_top and peaks[column] >= CLIPPED:
            sign, style = "!", "bad"
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + sign, style)
        else:
            runs.append((sign, style))
    return runs


def _label(row: int, bars: int) -> str:
    level = FLOOR_DB * row / bars if row else 0.0
    return f"{level:4.0f} dB"


def _column(second: float, seconds: float, columns: int) -> int:
    return min(columns - 1, max(0, int(second / max(seconds, _LEAST_SECONDS) * columns)))


def _time_line(wave: Wave, columns: int, cut: int | None) -> Line:
    """Where words begin, and the time at both ends or at the cut."""
    signs = [" "] * columns
    for border in wave.borders:
        signs[_column(border, wave.seconds, columns)] = "╵"
    end = f"{wave.seconds:.1f} s"
    if cut is None:
        tail = f" {end}"
        _write(signs, 0, "0 s ")
        _write(signs, columns - len(tail), tail)
        return [(" ", ""), ("".join(signs), "dim")]
    label = f"▲ {wave.cut:.2f} s "
    if cut + len(label) > columns:
        label = f" {wave.cut:.2f} s ▲"
        start = max(0, cut - len(label) + 1)
    else:
        start = cut
    return [
        (" ", ""),
        ("".join(signs[:start]), "dim"),
        (label, "accent"),
        ("".join(signs[start + len(label) :]), "dim"),
    ]


def _write(signs: list[str], start: int, text: str) -> None:
    for offset, sign in enumerate(text):
        if 0 <= start + offset < len(signs):
            signs[start + offset] = sign
