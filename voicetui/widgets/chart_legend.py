"""The line above a chart that tells its numbers in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.cells import cell_len

from engine.series import Bucket
from voicetui.widgets.metrics import Metric

_GAP = 2
_MARGIN = 1


class LegendSigns(Protocol):
    """The signs that a legend explains."""

    @property
    def raw(self) -> str: ...
    @property
    def smoothed(self) -> str: ...
    @property
    def held_out(self) -> str: ...
    @property
    def best(self) -> str: ...
    @property
    def overlay(self) -> str: ...
    @property
    def bad(self) -> str: ...


@dataclass(frozen=True)
class Part:
    """A sign, what it stands for, and the number. The lowest ranks stay where room is short."""

    rank: int
    text: str
    style: str = ""
    sign: str = ""
    sign_style: str = ""

    @property
    def width(self) -> int:
        return cell_len(self.text) + (cell_len(self.sign) + 1 if self.sign else 0)


@dataclass(frozen=True)
class Legend:
    """The parts of the line, from left to right."""

    parts: tuple[Part, ...]

    def text(self) -> str:
        """All of it, without signs."""
        return "  ".join(part.text for part in self.parts)

    def fitting(self, width: int) -> list[Part]:
        """The most important parts that have room, in their order."""
        chosen: list[Part] = []
        used = -_GAP
        for part in sorted(self.parts, key=lambda part: part.rank):
            if used + _GAP + part.width <= width:
                chosen.append(part)
                used += _GAP + part.width
        return [part for part in self.parts if part in chosen]

    def placed(self, width: int, focused: bool) -> list[tuple[int, str, str]]:
        """Cells, texts and styles of what fits; the first part stands out when `focused`."""
        shown: list[tuple[int, str, str]] = []
        x = _MARGIN
        for number, part in enumerate(self.fitting(width - _MARGIN)):
            if part.sign:
                shown.append((x, part.sign, part.sign_style))
                x += cell_len(part.sign) + 1
            style = "title cursor" if focused and number == 0 else part.style
            shown.append((x, part.text, style))
            x += cell_len(part.text) + _GAP
        return shown


def legend(
    metric: Metric,
    signs: LegendSigns,
    *,
    train: float | None = None,
    steps: tuple[int, int] | None = None,
    bucket: Bucket | None = None,
    smoothed: float | None = None,
    held_out: float | None = None,
    best: tuple[int, float] | None = None,
    bad: int = 0,
    overlays: Sequence[str] = (),
) -> Legend:
    """The legend of the newest numbers, or with `steps` and `bucket` of those at the cursor."""
    # Without its name no number says anything.
    parts = [Part(-1, metric.label, "title")]
    if steps is not None:
        first, last = steps
        where = f"step {first}" if first == last else f"steps {first}-{last}"
        parts.append(Part(0, where, "accent"))
    word = "train " if metric.has_held_out else ""
    line = (signs.raw, "faint") if metric.is_noisy else (signs.smoothed, "one")
    if steps is None:
        broken = train is not None and not math.isfinite(train)
        style = "bad" if broken else "" if train is not None else "dim"
        now = word or "now "
        parts.append(Part(1, f"{now}{metric.show(train)}", style, *line))
    elif bucket is not None and bucket.count:
        parts.append(Part(1, word + _range(metric, bucket), "", *line))
    else:
        parts.append(Part(1, f"{word}no finite value", "dim"))
    if smoothed is not None:
        text = f"smoothed {metric.show(smoothed)}"
        parts.append(Part(4, text, "one", signs.smoothed, "one"))
    if held_out is not None:
        text = f"held-out {metric.show(held_out)}"
        parts.append(Part(2, text, "two", signs.held_out, "two"))
    if best is not None:
        text = f"best {metric.show(best[1])} @ {best[0]}"
        parts.append(Part(3, text, "good", signs.best, "good bold"))
    if bad:
        parts.append(Part(2, f"{bad} not finite", "bad", signs.bad, "bad"))
    if overlays:
        parts.append(Part(6, "earlier: " + ", ".join(overlays), "dim", signs.overlay, "dim"))
    return Legend(tuple(parts))


def _range(metric: Metric, bucket: Bucket) -> str:
    if bucket.count == 1 or bucket.low == bucket.high:
        return metric.show(bucket.mean)
    low, high = metric.text(bucket.low), metric.show(bucket.high)
    return f"{low} to {high}, mean {metric.show(bucket.mean)}"
