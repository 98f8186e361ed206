"""What a dataset is made of: the verdicts of the guide first, then the distributions behind them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from voicetui.amounts import duration
from voicetui.widgets.styled import Line, fitted, plain, wrapped

if TYPE_CHECKING:
    from engine.dataset.statistics import Finding, Histogram, Statistics

_SIGNS = {"good": ("✓", "good"), "watch": ("⚠", "warn"), "concern": ("✗", "bad")}
_NAME = 16
_CHART_WIDTH = 38
_CHART_ROWS = 5
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_BIN = 3


def statistics_lines(found: Statistics, width: int) -> list[Line]:
    """All of it, for a pager so wide."""
    return [
        _totals(found),
        [],
        *_finding_lines(found.findings, width),
        [],
        *_charts(found, width),
        *_character_lines(found, width),
    ]


def _totals(found: Statistics) -> Line:
    return [
        (f" {found.clips:,} clips", "title"),
        (f", {duration(found.seconds)}", "title"),
        (f"   train {found.train_clips:,} ({duration(found.train_seconds)})", ""),
        (f"   held out {found.eval_clips:,} ({duration(found.eval_seconds)})", ""),
    ]


def _finding_lines(findings: Sequence[Finding], width: int) -> list[Line]:
    """One verdict after the other, what concerns first; the advice stands below it."""
    ranks = {"concern": 0, "watch": 1, "good": 2}
    lines: list[Line] = []
    for finding in sorted(findings, key=lambda finding: ranks[finding.level]):
        sign, style = _SIGNS[finding.level]
        room = max(20, width - _NAME - 3)
        first, *more = wrapped(finding.seen, room)
        lines.append([(f" {sign} ", style), (fitted(finding.name, _NAME), "bold"), (first, "")])
        told = [(line, "") for line in more]
        told += [(line, "dim") for line in wrapped(finding.advice, room) if line]
        lines += [[(" " * (_NAME + 3), ""), span] for span in told]
    return lines


def _charts(found: Statistics, width: int) -> list[Line]:
    charts = [_chart("length of clips", "s", found.lengths)]
    charts.append(_chart("speaking rate", "ch/s", found.rates))
    if found.levels is not None:
        charts.append(_chart("level", "dB", found.levels))
    if found.snr is not None:
        charts.append(_chart("voice over noise (SNR)", "dB", found.snr))
    across = max(1, width // _CHART_WIDTH)
    lines: list[Line] = []
    for first in range(0, len(charts), across):
        for row in zip_longest(*charts[first : first + across], fillvalue=[]):
            line: Line = []
            for part in row:
                line += [*part, (" " * (_CHART_WIDTH - len(plain(part))), "")]
            lines.append(line)
        lines.append([])
    missing = [
        name for name, chart in (("level", found.levels), ("SNR", found.snr)) if chart is None
    ]
    if missing:
        lines += [[(f" {' and '.join(missing)}: not measured in this dataset.", "dim")], []]
    return lines


def _chart(name: str, unit: str, histogram: Histogram) -> list[Line]:
    """A histogram of blocks; the columns are the bins, the highest one is full."""
    most = max(histogram.counts, default=0) or 1
    heights = [
        max(1, round(count / most * _CHART_ROWS * 8)) if count else 0 for count in histogram.counts
    ]
    head: Line = [
        (f" {name}", "title"),
        (f"  middle {histogram.median:.1f} {unit}", "dim"),
    ]
    lines: list[Line] = [head]
    for row in range(_CHART_ROWS):
        base = (_CHART_ROWS - 1 - row) * 8
        bars = "".join(
            _EIGHTHS[min(8, max(0, height - base))] * (_BIN - 1) + " " for height in heights
        )
        tail = f" {most:,}" if row == 0 else ""
        lines.append([(" ", ""), (bars, "one"), (tail, "dim")])
    low, high = histogram.edges[0], histogram.edges[-1]
    room = len(heights) * _BIN
    left, right = f"{low:.0f}", f"{high:.0f} {unit}"
    gap = max(1, room - len(left) - len(right))
    lines.append([(f" {left}{' ' * gap}{right}", "dim")])
    return lines


def _character_lines(found: Statistics, width: int) -> list[Line]:
    if not found.characters:
        return []
    rare = [character for character, count in found.characters if count < 3]
    listed = " ".join(character for character, _ in found.characters)
    lines: list[Line] = [
        [
            (" characters", "title"),
            (f"  {len(found.characters)}, the most frequent first", "dim"),
        ]
    ]
    lines += [[(f" {line}", "")] for line in wrapped(listed, max(20, width - 2))]
    if rare:
        told = f"in fewer than three places: {' '.join(rare[:60])}"
        lines += [[(f" {line}", "dim")] for line in wrapped(told, max(20, width - 2))]
    lines.append([])
    lines.append(
        [
            (" words", "title"),
            (f"  {found.all_words:,} spoken, {found.words:,} different", "dim"),
        ]
    )
    return lines
