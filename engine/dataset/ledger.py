"""What was dropped and why, with what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.dataset.clips import Reason
from engine.dataset.rows import Row
from engine.text import SafeText, clean


@dataclass(frozen=True)
class Loss:
    """The clips that were dropped for one reason. `share` is that of all clips' time, 0 to 1."""

    reason: str
    words: SafeText
    clips: int
    seconds: float
    share: float
    remedy: str


def ledger(rows: Iterable[Row]) -> list[Loss]:
    """The losses of a dataset, the longest first."""
    total = 0.0
    dropped: dict[str, list[float]] = {}
    for row in rows:
        total += row.seconds
        if row.state == "dropped":
            dropped.setdefault(row.reason, []).append(row.seconds)
    losses = [
        Loss(reason, *_explained(reason, len(times), sum(times), sum(times) / max(total, 1e-9)))
        for reason, times in dropped.items()
    ]
    return sorted(losses, key=lambda loss: (-loss.seconds, loss.reason))


def _explained(
    reason: str, clips: int, seconds: float, share: float
) -> tuple[SafeText, int, float, float, str]:
    try:
        known = Reason(reason)
    except ValueError:
        # A newer version's reason.
        return clean(reason), clips, seconds, share, "Look through these clips."
    return clean(known.words), clips, seconds, share, known.remedy
