"""How far a job is that is no training: preparing, exporting, speaking."""

from __future__ import annotations

from engine.runstate import RunState
from engine.text import clean
from voicetui.amounts import duration, number, size
from voicetui.widgets.styled import Line, fitted

_LEAST_BAR, _MOST_BAR = 6, 30
# Around the bar: the stage, the share, and how many of what.
_BESIDE = 48


def work_lines(state: RunState, width: int) -> list[Line]:
    """Its stage with a bar, and what came of it when it has ended."""
    lines: list[Line] = [[]]
    if state.stage and not state.ended:
        lines.append([("   ", ""), (fitted(clean(state.stage).replace("_", " "), 20), "bold")])
        if state.total:
            share = max(0.0, min(1.0, state.done / state.total))
            bar = max(_LEAST_BAR, min(_MOST_BAR, width - _BESIDE))
            filled = round(share * bar)
            amount = f"{number(state.done)} of {number(state.total)} {clean(state.unit)}"
            lines[-1] += [
                ("━" * filled, "accent"),
                ("╌" * (bar - filled), "dim"),
                (f"  {100 * share:.0f} %  {amount}".rstrip(), ""),
            ]
    for reason, count in sorted(state.dropped.items(), key=lambda item: -item[1]):
        lines.append([("   dropped ", "dim"), (f"{count} ", "warn"), (clean(reason), "")])
    for key, value in state.summary.items():
        lines.append(
            [
                ("   ", ""),
                (fitted(clean(str(key)).replace("_", " "), 20), "dim"),
                (_fact(key, value), ""),
            ]
        )
    return lines


def _fact(key: str, value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if key.endswith("bytes"):
            return size(value)
        if key.endswith("seconds"):
            return duration(value)
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    return clean(str(value))
