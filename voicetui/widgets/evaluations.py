"""The EVAL PERFORMANCE table, and in one sentence what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from engine.events import Evaluated, VoiceEvaluated
from engine.text import clean
from engine.training.verdict import Verdict, judge
from voicetui.widgets.styled import Line, fitted, plain


@dataclass(frozen=True)
class _Column:
    """A loss; `cells` and `change` are the widths of its value and of its change."""

    title: str
    short: str
    value: Callable[[Evaluated], float]
    decimals: int
    cells: int
    change: int


_COLUMNS = (
    _Column("text_ce", "text_ce", lambda evaluation: evaluation.loss_text_ce, 4, 8, 9),
    _Column("mel_ce", "mel_ce", lambda evaluation: evaluation.loss_mel_ce, 3, 8, 9),
    _Column("average loss", "average", lambda evaluation: evaluation.loss, 3, 13, 8),
)
_AVERAGE = _COLUMNS[-1]
_SHORT_AVERAGE = 9
_EPOCH_CELLS, _STEP_CELLS = 5, 7
_BEST = "★ best"
# Where an earlier voice has room for the words behind its change.
_LONG_TAIL = 48


@dataclass(frozen=True)
class _Layout:
    """What has room: all changes or that of the average only, the steps, long titles."""

    all_changes: bool
    steps: bool
    long: bool

    @classmethod
    def of(cls, width: int) -> _Layout:
        return cls(width >= 75, width >= 48, width >= 56)

    def cells(self, column: _Column) -> int:
        return column.cells if self.long or column is not _AVERAGE else _SHORT_AVERAGE

    def change(self, column: _Column) -> int:
        return column.change if self.all_changes or column is _AVERAGE else 0


def evaluation_lines(evaluations: Sequence[Evaluated], width: int, rows: int) -> list[Line]:
    """At most `rows` lines: a header, then the newest evaluations, the last one at the bottom.

    The losses are weighted as coqui logs them. The signs beside them tell the change since the
    evaluation before: ▼ down is good, ▲ up is bad.
    """
    if rows <= 0:
        return []
    if not evaluations:
        return [[("no evaluation yet: the first comes at the end of epoch 1", "dim")]]
    layout = _Layout.of(width)
    # One row tells more of the last evaluation than of the columns.
    lines: list[Line] = [[(fitted(_header(layout), width), "head")]] if rows > 1 else []
    best = judge([evaluation.loss for evaluation in evaluations]).best_index
    for index in range(max(0, len(evaluations) - max(1, rows - 1)), len(evaluations)):
        line = _row(evaluations[index], evaluations[index - 1] if index else None, layout)
        if index == best:
            room = width - cell_len(plain(line))
            line.append((f" {_BEST if room > len(_BEST) else _BEST[0]}", "good"))
        lines.append(line)
    return lines


def _place(epoch: object, step: object, layout: _Layout) -> str:
    return f"{epoch:>{_EPOCH_CELLS}}" + (f"{step:>{_STEP_CELLS}}" if layout.steps else "")


def _header(layout: _Layout) -> str:
    text = _place("epoch", "step", layout)
    for column in _COLUMNS:
        title = column.title if layout.long else column.short
        text += title.rjust(layout.cells(column)) + " " * layout.change(column)
    return text


def _row(evaluation: Evaluated, before: Evaluated | None, layout: _Layout) -> Line:
    line: Line = [(_place(evaluation.epoch, evaluation.step, layout), "dim")]
    for column in _COLUMNS:
        value = column.value(evaluation)
        style = "bad" if not math.isfinite(value) else "bold" if column is _AVERAGE else ""
        line.append((_number(value, column.decimals).rjust(layout.cells(column)), style))
        if room := layout.change(column):
            earlier = None if before is None else column.value(before)
            text, style = _change(value, earlier, column.decimals)
            line.append((text.ljust(room), style))
    return line


def _number(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return f"{value:.{decimals}f}" if abs(value) < 1e4 else f"{value:.1e}"


def _change(value: float, earlier: float | None, decimals: int) -> tuple[str, str]:
    """The change with its sign, and its style."""
    if earlier is None or not (math.isfinite(value) and math.isfinite(earlier)):
        return "", ""
    change = value - earlier
    text = f"{change:+.{decimals}f}" if abs(change) < 1e3 else f"{change:+.0e}"
    if not text.strip("+-0."):
        return " =", "dim"
    sign, style = ("▼", "good") if change < 0 else ("▲", "bad")
    return f" {sign}{text}", style


def earlier_lines(voices: Sequence[VoiceEvaluated], width: int, rows: int) -> list[Line]:
    """At most `rows` lines: what each earlier voice costs more since the start, the worst first."""
    worst = sorted(voices, key=lambda each: -each.change / (each.first or 1.0))
    lines: list[Line] = []
    for voice in worst[: max(0, rows)]:
        value = _number(voice.loss, _AVERAGE.decimals)
        change, style = _change(voice.loss, voice.first, _AVERAGE.decimals)
        tail = f" {value}{change} since the start" if width >= _LONG_TAIL else f" {value}{change}"
        name = clean(voice.voice)
        name_width = min(cell_len(name), max(1, width - len(tail)))
        lines.append(
            [(fitted(name, name_width), "dim"), (f" {value}", ""), (tail[len(value) + 1 :], style)]
        )
    return lines


def verdict_line(evaluations: Sequence[Evaluated]) -> Line:
    """One sentence about the held-out losses, and its style."""
    verdict = judge([evaluation.loss for evaluation in evaluations])
    text, style = _sentence(verdict, evaluations)
    return [(text, style)]


def _sentence(verdict: Verdict, evaluations: Sequence[Evaluated]) -> tuple[str, str]:
    if verdict.kind == "early":
        return "too early to tell: the second evaluation will say more", "dim"
    best = "" if verdict.best_index is None else f"the best is step {_best(verdict, evaluations)}"
    if verdict.kind == "broken":
        tail = f"; {best}" if best else ""
        return f"the held-out loss is not a number: stop this run{tail}", "bad"
    since = evaluations[verdict.since_index]
    newest = evaluations[-1]
    match verdict.kind:
        case "falling":
            return "falling: more epochs will help", "good"
        case "slow":
            return "falling slowly: more epochs help a little; listen to judge", "good"
        case "waiting":
            return f"no better than epoch {since.epoch}: wait for the next evaluation", ""
        case "flat":
            return f"flat for {_length(since, newest, verdict, evaluations)}; {best}", "warn"
        case "diverging":
            return f"far above the start: stop, and begin again at a lower rate; {best}", "bad"
        case _:
            return f"rising since epoch {since.epoch}: overtraining, {best}", "warn"


def _best(verdict: Verdict, evaluations: Sequence[Evaluated]) -> int:
    return evaluations[verdict.best_index or 0].step


def _length(
    since: Evaluated, newest: Evaluated, verdict: Verdict, evaluations: Sequence[Evaluated]
) -> str:
    epochs = newest.epoch - since.epoch
    if epochs >= 2:
        return f"{epochs} epochs"
    return f"{len(evaluations) - 1 - verdict.since_index} evaluations"
