"""What was dropped or is suspect, and why, with what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.dataset.clips import Reason
from engine.dataset.review.rows import Row
from engine.text import SafeText, clean


@dataclass(frozen=True)
class Loss:
    """The clips of a reason: dropped, or suspect (in use, but worth a look).

    `share` is that of all clips' time, 0 to 1.
    """

    reason: str
    words: SafeText
    clips: int
    seconds: float
    share: float
    remedy: str
    state: Literal["dropped", "suspect"] = "dropped"


def ledger(rows: Iterable[Row]) -> list[Loss]:
    """The losses of a dataset, the longest first, then what is suspect."""
    total = 0.0
    times: dict[tuple[Literal["dropped", "suspect"], str], list[float]] = {}
    for row in rows:
        total += row.seconds
        if row.state != "kept" and row.reason:
            times.setdefault((row.state, row.reason), []).append(row.seconds)
    losses = [
        Loss(*_explained(reason, each, sum(each) / max(total, 1e-9)), state)
        for (state, reason), each in times.items()
    ]
    return sorted(losses, key=lambda loss: (loss.state, -loss.seconds, loss.reason))


def _explained(
    reason: str, times: Sequence[float], share: float
) -> tuple[str, SafeText, int, float, float, str]:
    figures = len(times), sum(times), share
    try:
        known = Reason(reason)
    except ValueError:
        # A newer version's reason.
        return reason, clean(reason), *figures, "Look through these clips."
    return reason, clean(known.words), *figures, known.remedy
