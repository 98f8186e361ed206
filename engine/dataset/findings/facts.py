"""What a dataset's findings are drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.dataset.accounting import Recording
from engine.dataset.findings.coverage import Coverage
from engine.dataset.metadata import Listed


class Judged(Listed, Protocol):
    """What the figures need to know of a clip."""

    @property
    def language(self) -> str: ...
    @property
    def agreement(self) -> float | None: ...
    @property
    def scores(self) -> dict[str, float]: ...


@dataclass(frozen=True)
class Facts:
    """The clips in use and those dropped, what the texts cover, and the recordings.

    `measured` has of each score the clips in use that have it, with the value. `unknown` counts the
    clips with each character that the base's vocabulary does not know.
    """

    used: Sequence[Judged]
    dropped: Sequence[Judged]
    measured: Mapping[str, Sequence[tuple[float, Judged]]]
    coverage: Coverage
    recordings: Sequence[Recording]
    unknown: Mapping[str, int]

    @property
    def seconds(self) -> float:
        """The time of the clips in use."""
        return seconds_of(self.used)

    def share(self, clips: Iterable[Judged]) -> float:
        """Of the time of the clips in use, 0 to 1."""
        return seconds_of(clips) / max(0.001, self.seconds)

    def on(self, side: str) -> list[Judged]:
        """The clips of a set."""
        return [clip for clip in self.used if clip.split == side]

    def values(self, name: str) -> list[float]:
        """The values of a score."""
        return [value for value, _ in self.measured.get(name, ())]

    def where(
        self, name: str, *, over: float | None = None, under: float | None = None
    ) -> list[Judged]:
        """The clips whose score is over, or under, a limit."""
        return [
            clip
            for value, clip in self.measured.get(name, ())
            if (over is not None and value > over) or (under is not None and value < under)
        ]

    @property
    def heard(self) -> list[Recording]:
        """The recordings that are used."""
        return [each for each in self.recordings if each.state == "used"]


def measured(clips: Iterable[Judged]) -> dict[str, list[tuple[float, Judged]]]:
    """Of each score the clips that have it."""
    found: dict[str, list[tuple[float, Judged]]] = {}
    for clip in clips:
        for name, value in clip.scores.items():
            found.setdefault(name, []).append((value, clip))
    return found


def seconds_of(clips: Iterable[Judged]) -> float:
    """The time of clips together."""
    return sum(clip.seconds for clip in clips)


def sources_of(clips: Iterable[Judged]) -> tuple[str, ...]:
    """The recordings of clips, that with most of their time first."""
    times: Counter[str] = Counter()
    for clip in clips:
        times[clip.source.path] += clip.seconds  # type: ignore[assignment]
    return tuple(name for name, _ in times.most_common())
