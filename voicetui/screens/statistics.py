"""What a dataset is made of: the verdicts of the guide first, then the distributions behind them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING

from voicetui.amounts import duration
from voicetui.screens.recordings_table import meaning_lines, table_lines
from voicetui.widgets.styled import Line, fitted, plain, wrapped

if TYPE_CHECKING:
    from engine.dataset.accounting import Recording
    from engine.dataset.findings.coverage import Coverage
    from engine.dataset.findings.finding import Finding
    from engine.dataset.statistics import Histogram, Statistics

_SIGNS = {"good": ("✓", "good"), "watch": ("⚠", "warn"), "concern": ("✗", "bad")}
_HEADS = {"concern": "what to fix first", "watch": "worth a look", "good": "good"}
_NAME = 18
_ROOMY = 100
_CHART_WIDTH = 38
_CHART_ROWS = 5
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_BIN = 3


def statistics_lines(found: Statistics, width: int) -> list[Line]:
    """All of it, for a pager so wide."""
    return [
        _totals(found),
        *_time_lines(found),
        [],
        *_finding_lines(found.findings, width),
        [],
        *_charts(found, width),
        *_recording_lines(found.recordings, width),
        *_character_lines(found.coverage, width),
    ]


def _totals(found: Statistics) -> Line:
    return [
        (f" {found.clips:,} clips", "title"),
        (f", {duration(found.seconds)}", "title"),
        (f"   train {found.train_clips:,} ({duration(found.train_seconds)})", ""),
        (f"   held out {found.eval_clips:,} ({duration(found.eval_seconds)})", ""),
    ]


def _time_lines(found: Statistics) -> list[Line]:
    """Where the time of the recordings went; nothing where no preparation told."""
    from engine.dataset.accounting import totals

    if not found.recordings:
        return []
    times = {
        name.removesuffix("_seconds"): value for name, value in totals(found.recordings).items()
    }
    told = (
        f" of {duration(times['input'])} of audio: {duration(times['kept'])} in use, "
        f"{duration(times['dropped'])} dropped, {duration(times['non_speech'])} without speech"
    )
    return [[(told, "dim")]]


def _finding_lines(findings: Sequence[Finding], width: int) -> list[Line]:
    """One verdict after the other, what to fix first on top; what it means stands below it."""
    lines: list[Line] = []
    room = max(20, width - _NAME - 3)
    for level, group in groupby(findings, key=lambda finding: finding.level):
        lines += [[(f" {_HEADS[level]}", "title")]]
        for finding in group:
            sign, style = _SIGNS[level]
            first, *more = wrapped(finding.seen, room)
            lines.append([(f" {sign} ", style), (fitted(finding.name, _NAME), "bold"), (first, "")])
            lines += [[(" " * (_NAME + 3), ""), (line, "")] for line in more]
            # Below the name where there is little room beside it.
            indent = _NAME + 3 if width >= _ROOMY else 5
            for mark, text, style in (("", finding.means, "dim"), ("→ ", finding.advice, "")):
                for line in wrapped(f"{mark}{text}", width - indent - 1) if text else ():
                    lines.append([(" " * indent, ""), (line, style)])
        lines.append([])
    return lines[:-1]


def _recording_lines(recordings: Sequence[Recording], width: int) -> list[Line]:
    lines = table_lines(recordings, width)
    if not lines:
        return []
    for text in meaning_lines(width):
        lines += [[(f" {line}", "dim")] for line in wrapped(text, max(20, width - 2))]
    return [*lines, []]


def _charts(found: Statistics, width: int) -> list[Line]:
    charts = [_chart("length of clips", "s", found.lengths)]
    charts.append(_chart("speaking rate", "ch/s", found.rates))
    if found.levels is not None:
        charts.append(_chart("level", "LUFS", found.levels))
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


def _character_lines(found: Coverage, width: int) -> list[Line]:
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
    for told, characters in (
        ("in fewer than three places", rare[:60]),
        ("letters that never occur", found.missing_letters),
        ("letter pairs that hardly occur", found.missing_sounds),
    ):
        if characters:
            text = f"{told}: {' '.join(characters)}"
            lines += [[(f" {line}", "dim")] for line in wrapped(text, max(20, width - 2))]
    lines.append([])
    lines.append(
        [
            (" words", "title"),
            (f"  {found.all_words:,} spoken, {found.words:,} different", "dim"),
        ]
    )
    return lines
