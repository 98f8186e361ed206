"""What a person should know about a run: how it ended, and its warnings with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.runstate import RunState
from engine.text import clean
from voicetui.widgets.styled import Line, wrapped


@dataclass(frozen=True)
class Advice:
    """What was seen, what it means, and what to do; the last two may be empty."""

    sign: str
    style: str
    seen: str
    means: str = ""
    remedy: str = ""


def advice_on(state: RunState) -> list[Advice]:
    """How the run stands if that needs a word, then its warnings, newest first."""
    found = [standing] if (standing := _standing(state)) else []
    seen: set[tuple[str, str]] = set()
    for warning in reversed(state.warnings):
        if (key := (warning.code, warning.seen)) in seen:
            continue
        seen.add(key)
        found.append(
            Advice("⚠", "warn", clean(warning.seen), clean(warning.means), clean(warning.remedy))
        )
    return found


def _standing(state: RunState) -> Advice | None:
    saved = f"step {state.saved_step} is saved" if state.saved_step is not None else ""
    match state.state:
        case "failed":
            return Advice(
                "✗", "bad", f"Failed: {clean(state.message)}", saved.capitalize(), _again(state)
            )
        case "crashed":
            return Advice(
                "✗", "bad", f"It {clean(state.message)}.", saved.capitalize(), _again(state)
            )
        case "stopped" if state.job == "train":
            where = f"Stopped at step {state.step:,}; {saved or 'nothing was saved yet'}."
            return Advice("■", "warn", where, "", _again(state))
        case "paused":
            return Advice(
                "‖",
                "warn",
                f"Paused at step {state.step:,}.",
                "The model stays in memory, nothing is computed.",
                "p goes on.",
            )
        case "finished" if state.job == "train":
            best = state.best
            by = f" Best held-out loss {best.loss:.3f} at step {best.step:,}." if best else ""
            return Advice(
                "✓",
                "good",
                f"Finished.{by}",
                "",
                "t lets the voice speak, o exports it, c trains further.",
            )
    return None


def _again(state: RunState) -> str:
    if state.job != "train":
        return "Start it again where it was started; what is done is kept."
    if state.saved_step is None:
        return "c starts it again."
    return f"c goes on from step {state.saved_step:,}."


def short_advice(found: Sequence[Advice], width: int, rows: int) -> list[Line]:
    """The first pieces of advice in few rows: what was seen and what to do, as whole as it fits."""
    lines: list[Line] = []
    for advice in found:
        room = rows - len(lines)
        wanted = _short(advice, width, room)
        if lines and len(wanted) > room:
            break
        lines += wanted
    return lines[:rows] or [[(" ✓ ", "good"), ("no warnings", "dim")]]


def _short(advice: Advice, width: int, rows: int) -> list[Line]:
    """At most `rows` lines, at least one for each of both."""
    remedy = wrapped(advice.remedy, width - 5) if advice.remedy else []
    seen = wrapped(advice.seen, width - 3)
    seen = _cut(seen, max(1, rows - len(remedy), rows // 2), width - 3)
    remedy = _cut(remedy, max(1, rows - len(seen)), width - 5)
    head, do = (f" {advice.sign} ", advice.style), ("   → ", "dim")
    lines = [
        [head if first else ("   ", ""), (text, advice.style)] for first, text in _marked(seen)
    ]
    return lines + [[do if first else ("     ", ""), (text, "")] for first, text in _marked(remedy)]


def _marked(lines: Sequence[str]) -> list[tuple[bool, str]]:
    return [(index == 0, line) for index, line in enumerate(lines)]


def _cut(lines: list[str], rows: int, width: int) -> list[str]:
    """At most `rows` lines; a mark at the end tells that there are more."""
    if len(lines) <= rows:
        return lines
    return [*lines[: rows - 1], f"{lines[rows - 1][: max(0, width - 1)]}…"]


def full_advice(found: Sequence[Advice], width: int) -> list[Line]:
    """All of it: what was seen, what it means, what to do."""
    lines: list[Line] = []
    for advice in found:
        if lines:
            lines.append([])
        lines += _block(f" {advice.sign} ", advice.style, advice.seen, advice.style, width)
        if advice.means:
            lines += _block("   means  ", "dim", advice.means, "", width)
        if advice.remedy:
            lines += _block("   to do  ", "dim", advice.remedy, "bold", width)
    return lines or [[(" ✓ ", "good"), ("no warnings", "dim")]]


def _block(head: str, head_style: str, text: str, style: str, width: int) -> list[Line]:
    first, *more = wrapped(text, max(8, width - len(head) - 1))
    indent = " " * len(head)
    return [[(head, head_style), (first, style)], *([(indent, ""), (line, style)] for line in more)]
