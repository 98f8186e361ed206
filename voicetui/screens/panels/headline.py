"""The first line of the dashboard: what the run does, how far it is, and how long it takes yet."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from engine.runstate import RunState
from engine.text import clean
from voicetui.amounts import duration
from voicetui.widgets.styled import Line, Span

# A sign and a word; the colour only repeats them.
_SHOWN: dict[str, tuple[str, str]] = {
    "new": ("○", "dim"),
    "running": ("▶", "good"),
    "paused": ("‖", "warn"),
    "stopping": ("▶", "warn"),
    "pausing": ("▶", "warn"),
    "stopped": ("■", "warn"),
    "failed": ("✗", "bad"),
    "crashed": ("✗", "bad"),
    "finished": ("✓", "good"),
}
_GAP = "   "


@dataclass(frozen=True)
class Part:
    """A piece of the line; those of the highest number leave first where room is short."""

    spans: tuple[Span, ...]
    rank: int

    @property
    def width(self) -> int:
        return sum(cell_len(text) for text, _ in self.spans)


def shown_state(state: RunState, doing: str) -> str:
    """The state in a word; what it was asked to do counts once it was asked."""
    if state.state == "running" and doing == "stop":
        return "stopping"
    if state.state == "paused" and doing == "stop":
        return "stopping"
    if state.state == "running" and doing == "pause":
        return "pausing"
    return state.state


def elapsed(state: RunState, now: float) -> float:
    """Seconds of work until now."""
    works = not state.ended and state.state != "paused" and state.updated_at
    since = now - state.updated_at if works else 0.0
    return state.elapsed + max(0.0, since)


def remaining(state: RunState, now: float) -> float | None:
    """Seconds of work still to come; None where nobody can tell."""
    if state.eta is None or state.state != "running":
        return None
    return max(0.0, state.eta - max(0.0, now - state.updated_at))


def headline(state: RunState, doing: str, now: float, width: int) -> Line:
    """The line, at most `width` cells wide; the least important parts are left out."""
    word = shown_state(state, doing)
    sign, style = _SHOWN[word]
    parts = [Part(((f" {sign} {word}", style),), 0), *_progress(state)]
    if state.elapsed or not state.ended:
        parts.append(Part(((duration(elapsed(state, now)), ""),), 5))
    left = remaining(state, now)
    if left is not None:
        parts.append(Part((("ETA ", "dim"), (duration(left), "bold")), 3))
    if state.run:
        name = "run" if state.job == "train" else "job"
        parts.append(Part(((f"{name} ", "dim"), (clean(state.run), "")), 6))
    best = state.best
    if best is not None:
        parts.append(
            Part(
                (
                    ("best ", "dim"),
                    (f"{best.loss:.3f}", "good"),
                    (f" at step {best.step:,}", "dim"),
                ),
                7,
            )
        )
    return _joined(parts, width)


def _progress(state: RunState) -> list[Part]:
    if state.steps and state.step:
        done = min(1.0, state.step / state.steps)
        return [
            Part((("epoch ", "dim"), (f"{state.epoch}/{state.epochs}", "bold")), 2),
            Part((("step ", "dim"), (f"{state.step:,}/{state.steps:,}", "bold")), 1),
            Part(((f"{100 * done:.0f} %", ""),), 4),
        ]
    if not state.stage or state.ended:
        return []
    amount = ""
    if state.total:
        unit = f" {clean(state.unit)}" if state.unit else ""
        amount = f"  {state.done:,.0f} of {state.total:,.0f}{unit}"
    return [Part(((clean(state.stage).replace("_", " "), "bold"), (amount, "")), 1)]


def _joined(parts: list[Part], width: int) -> Line:
    kept = list(parts)
    while len(kept) > 1 and sum(part.width for part in kept) + len(_GAP) * (len(kept) - 1) > width:
        kept.remove(max(kept, key=lambda part: part.rank))
    line: Line = []
    for part in kept:
        if line:
            line.append((_GAP, ""))
        line += part.spans
    return line
