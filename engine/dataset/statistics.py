"""What a dataset is made of, and when to be concerned about it.

The limits of minutes are those of the XTTS fine-tuning guide, which asks for three minutes at least
and five or more; where it only names a concern (few clips, many short ones, an uneven split,
uneven levels) the number is ours.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.dataset.rows import Row

Level = Literal["good", "watch", "concern"]

_LEAST_MINUTES, _GOOD_MINUTES = 3.0, 5.0
_LEAST_CLIPS, _GOOD_CLIPS = 25, 60
_SHORT_SECONDS, _MOST_SHORT = 2.0, 0.3
_LOW_AVERAGE = 3.0
_EVAL_SHARES = (0.08, 0.25)
_MOST_DROPPED = 0.3
_LEAST_WORDS = 200
_LEAST_SNR, _GOOD_SNR = 15.0, 25.0
_MOST_SPREAD_DB = 6.0
# Half or twice the usual rate is hardly the same way of speaking.
_MOST_ODD_RATES = 0.1
_BINS = 11


@dataclass(frozen=True)
class Histogram:
    """Counts of `values` between `edges`, one more than counts; what is outside is at the ends."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    median: float


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was seen, how good that is, and what to do about it."""

    name: str
    level: Level
    seen: str
    advice: str = ""


@dataclass(frozen=True)
class Statistics:
    """The clips in use. Lengths in seconds, rates in characters a second, levels and SNR in dB.

    `levels` and `snr` are None where nobody measured them. `characters` counts each character of
    the texts in lower case, the most frequent first; `words` counts different words.
    """

    clips: int
    train_clips: int
    eval_clips: int
    seconds: float
    train_seconds: float
    eval_seconds: float
    lengths: Histogram
    rates: Histogram
    levels: Histogram | None
    snr: Histogram | None
    characters: tuple[tuple[str, int], ...]
    words: int
    all_words: int
    findings: tuple[Finding, ...]


def statistics_of(rows: Iterable[Row]) -> Statistics:
    """Look at a whole dataset; with 50,000 clips it takes about a second."""
    used: list[Row] = []
    dropped = 0.0
    for row in rows:
        if row.state == "dropped":
            dropped += row.seconds
        else:
            used.append(row)
    characters: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for row in used:
        text = row.text.casefold()
        characters.update(text)
        words.update("".join(c if c.isalnum() else " " for c in text).split())
    del characters[" "]
    train = [row for row in used if row.split == "train"]
    held_out = [row for row in used if row.split == "eval"]
    lengths = [row.seconds for row in used]
    rates = [row.rate for row in used if row.text]
    measured = {name: _measured(used, name) for name in ("level", "snr")}
    found = Statistics(
        clips=len(used),
        train_clips=len(train),
        eval_clips=len(held_out),
        seconds=sum(lengths),
        train_seconds=sum(row.seconds for row in train),
        eval_seconds=sum(row.seconds for row in held_out),
        lengths=histogram(lengths, 1.0, 12.0),
        rates=histogram(rates, *_reach(rates)),
        levels=_known(measured["level"]),
        snr=_known(measured["snr"]),
        characters=tuple(characters.most_common()),
        words=len(words),
        all_words=words.total(),
        findings=(),
    )
    return replace(found, findings=tuple(_findings(found, lengths, rates, measured, dropped)))


def histogram(values: Sequence[float], low: float, high: float) -> Histogram:
    """The values in eleven equal bins from `low` to `high`."""
    width = (high - low) / _BINS
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, max(0, int((value - low) / width)))] += 1
    edges = tuple(low + width * index for index in range(_BINS + 1))
    return Histogram(edges, tuple(counts), statistics.median(values) if values else 0.0)


def _reach(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _measured(rows: Sequence[Row], name: str) -> list[float]:
    return [row.values[row.names.index(name)] for row in rows if name in row.names]


def _known(values: Sequence[float]) -> Histogram | None:
    return histogram(values, *_reach(values)) if values else None


def _findings(
    found: Statistics,
    lengths: Sequence[float],
    rates: Sequence[float],
    measured: dict[str, list[float]],
    dropped: float,
) -> Iterable[Finding]:
    if not found.clips:
        yield Finding("clips", "concern", "no clips in use", "Add recordings and prepare again.")
        return
    yield _minutes(found.seconds / 60)
    yield _count(found.train_clips)
    yield from _lengths(lengths)
    yield _split(found)
    yield _dropped(dropped, found.seconds)
    yield _coverage(found)
    yield _rates(rates, found.rates.median)
    if measured["level"]:
        yield _levels(measured["level"])
    if measured["snr"]:
        yield _snr(statistics.median(measured["snr"]))


def _minutes(minutes: float) -> Finding:
    seen = f"{minutes:.1f} min of speech"
    if minutes < _LEAST_MINUTES:
        return Finding(
            "minutes", "concern", seen, "Three minutes are the least; add recordings of this voice."
        )
    if minutes < _GOOD_MINUTES:
        return Finding("minutes", "watch", seen, "Five minutes and more give a better voice.")
    return Finding("minutes", "good", seen)


def _count(clips: int) -> Finding:
    seen = f"{clips:,} clips to train on"
    if clips < _LEAST_CLIPS:
        return Finding(
            "clips", "concern", seen, "So few are learned by heart at once; add recordings."
        )
    if clips < _GOOD_CLIPS:
        return Finding("clips", "watch", seen, "Take few epochs, and watch the held-out loss.")
    return Finding("clips", "good", seen)


def _lengths(lengths: Sequence[float]) -> Iterable[Finding]:
    share = sum(seconds < _SHORT_SECONDS for seconds in lengths) / len(lengths)
    seen = f"{share:.0%} of the clips are shorter than {_SHORT_SECONDS:.0f} s"
    if share > _MOST_SHORT:
        yield Finding(
            "short clips",
            "concern" if share > 2 * _MOST_SHORT else "watch",
            seen,
            "Merge short ones with the clip beside them: they teach little melody.",
        )
    else:
        yield Finding("short clips", "good", seen)
    average = sum(lengths) / len(lengths)
    seen = f"{average:.1f} s on average"
    if average < _LOW_AVERAGE:
        yield Finding("average length", "watch", seen, "Merge neighbours, or add whole sentences.")
    else:
        yield Finding("average length", "good", seen)


def _split(found: Statistics) -> Finding:
    share = found.eval_seconds / found.seconds
    seen = f"{share:.0%} of the time is held out ({found.eval_clips:,} clips)"
    low, high = _EVAL_SHARES
    if not found.eval_clips or not found.train_clips:
        missing = "eval" if not found.eval_clips else "train"
        advice = f"Move some clips to {missing}: training needs both sets."
        return Finding("split", "concern", seen, advice)
    if share < low:
        return Finding(
            "split", "watch", seen, "Move clips of one recording to eval: 10-20 % is usual."
        )
    if share > high:
        return Finding("split", "watch", seen, "Move clips back to train: 10-20 % is usual.")
    return Finding("split", "good", seen)


def _dropped(dropped: float, used: float) -> Finding:
    share = dropped / (dropped + used)
    seen = f"{share:.0%} of the speech was dropped"
    if share > _MOST_DROPPED:
        return Finding("dropped", "watch", seen, "See the drop ledger: each reason has a remedy.")
    return Finding("dropped", "good", seen)


def _coverage(found: Statistics) -> Finding:
    seen = f"{found.words:,} different words, {len(found.characters)} different characters"
    if found.words < _LEAST_WORDS:
        return Finding(
            "variety",
            "watch",
            seen,
            "Add other texts: questions, names, numbers, long and short sentences.",
        )
    return Finding("variety", "good", seen)


def _rates(rates: Sequence[float], usual: float) -> Finding:
    odd = sum(not usual / 2 <= rate <= usual * 2 for rate in rates) / max(1, len(rates))
    seen = f"{usual:.1f} characters a second; {odd:.0%} of the clips are twice or half as fast"
    if odd > _MOST_ODD_RATES:
        return Finding(
            "speaking rate",
            "watch",
            seen,
            "Such texts often lack words or have too many; sort by rate and listen.",
        )
    return Finding("speaking rate", "good", seen)


def _levels(levels: Sequence[float]) -> Finding:
    spread = statistics.pstdev(levels)
    seen = f"levels differ by {spread:.1f} dB (standard deviation)"
    if spread > _MOST_SPREAD_DB:
        return Finding(
            "levels", "watch", seen, "Bring the recordings to one volume and prepare again."
        )
    return Finding("levels", "good", seen)


def _snr(usual: float) -> Finding:
    seen = f"{usual:.0f} dB between voice and noise"
    if usual < _LEAST_SNR:
        return Finding(
            "noise", "concern", seen, "The voice learns the noise; clean the recordings first."
        )
    if usual < _GOOD_SNR:
        return Finding("noise", "watch", seen, "Drop the noisiest clips, or clean the recordings.")
    return Finding("noise", "good", seen)
