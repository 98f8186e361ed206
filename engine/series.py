"""The numbers of a run's steps for a chart, in bounded memory.

Steps are gathered in buckets of `width` steps. When there would be more than 4096 buckets,
neighbours are merged and the width doubles. A bucket keeps the lowest and the highest value, so a
spike is seen however long the run gets.
"""

from __future__ import annotations

import base64
import itertools
import math
import operator
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.events import Step

MAX_BUCKETS = 4096
# The weight of a step's value one step later: the average remembers about the last 20 steps.
SMOOTHING = 0.95
_FORMAT = 1
_EMPTY_LOW, _EMPTY_HIGH = math.inf, -math.inf

# What is drawn of a step. Those that give no number are of logs of other versions, or of a step
# that nobody timed.
_READERS: dict[str, Callable[[Step], Any]] = {
    "loss": operator.attrgetter("loss"),
    "loss_text_ce": operator.attrgetter("loss_text_ce"),
    "loss_mel_ce": operator.attrgetter("loss_mel_ce"),
    "text_ce": operator.attrgetter("text_ce"),
    "mel_ce": operator.attrgetter("mel_ce"),
    "lr": operator.attrgetter("lr"),
    "grad_norm": operator.attrgetter("grad_norm"),
    "clips_per_second": lambda step: step.clips / step.seconds,
    "memory": lambda step: step.memory or None,
    "loader_share": lambda step: step.loader_seconds / step.seconds,
}
METRICS: tuple[str, ...] = tuple(_READERS)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The steps `first` to `last` in one metric.

    `count` values are finite, and the three numbers are of them (NaN when there is none); `bad`
    counts those that are not.
    """

    first: int
    last: int
    low: float
    high: float
    mean: float
    count: int
    bad: int

    @property
    def empty(self) -> bool:
        """Whether no step in it has a value of any sort."""
        return not self.count and not self.bad


class _Column:
    """One metric: an entry for each bucket."""

    # Written one after the other; the letters are those of `array`.
    PARTS = (("low", "d"), ("high", "d"), ("total", "d"), ("count", "I"), ("bad", "I"))
    __slots__ = ("bad", "count", "high", "low", "total")

    def __init__(self) -> None:
        self.low, self.high, self.total = array("d"), array("d"), array("d")
        self.count, self.bad = array("I"), array("I")

    def append_empty(self) -> None:
        self.low.append(_EMPTY_LOW)
        self.high.append(_EMPTY_HIGH)
        self.total.append(0.0)
        self.count.append(0)
        self.bad.append(0)

    def put(self, value: float) -> None:
        """Take a value into the newest bucket."""
        if not math.isfinite(value):
            self.bad[-1] += 1
            return
        if value < self.low[-1]:
            self.low[-1] = value
        if value > self.high[-1]:
            self.high[-1] = value
        self.total[-1] += value
        self.count[-1] += 1

    def cut(self, length: int) -> None:
        for name, _ in self.PARTS:
            del getattr(self, name)[length:]

    def merge_pairs(self, *, first_alone: bool) -> None:
        self.low = _paired(self.low, min, first_alone)
        self.high = _paired(self.high, max, first_alone)
        self.total = _paired(self.total, operator.add, first_alone)
        self.count = _paired(self.count, operator.add, first_alone)
        self.bad = _paired(self.bad, operator.add, first_alone)

    def between(self, start: int, stop: int, first: int, last: int) -> Bucket:
        """The buckets `start` to `stop` as one, which covers the steps `first` to `last`."""
        count = sum(self.count[start:stop])
        bad = sum(self.bad[start:stop])
        if not count:
            return Bucket(first, last, math.nan, math.nan, math.nan, 0, bad)
        mean = sum(self.total[start:stop]) / count
        return Bucket(
            first, last, min(self.low[start:stop]), max(self.high[start:stop]), mean, count, bad
        )

    def copy(self) -> _Column:
        other = _Column()
        for name, _ in self.PARTS:
            setattr(other, name, getattr(self, name)[:])
        return other

    def to_bytes(self) -> bytes:
        return b"".join(_little_endian(getattr(self, name)).tobytes() for name, _ in self.PARTS)

    @classmethod
    def from_bytes(cls, data: bytes, length: int) -> _Column:
        column, start = cls(), 0
        for name, letter in cls.PARTS:
            values = array(letter)
            end = start + length * values.itemsize
            values.frombytes(data[start:end])
            setattr(column, name, _little_endian(values))
            start = end
        return column

    @classmethod
    def size(cls, length: int) -> int:
        return length * sum(array(letter).itemsize for _, letter in cls.PARTS)


def _paired(values: array[Any], join: Callable[[Any, Any], Any], first_alone: bool) -> array[Any]:
    merged = array(values.typecode, values[:1] if first_alone else ())
    start = int(first_alone)
    merged.extend(map(join, values[start::2], values[start + 1 :: 2]))
    if (len(values) - start) % 2:
        merged.append(values[-1])
    return merged


def _little_endian(values: array[Any]) -> array[Any]:
    if sys.byteorder == "little":
        return values
    swapped = values[:]
    swapped.byteswap()
    return swapped


class Series:
    """All metrics of a run's steps. Adding a step costs the same however many there are.

    Bucket `i` covers the steps from `i * width` to before `(i + 1) * width`.
    """

    def __init__(self) -> None:
        self.width = 1
        self._columns = {metric: _Column() for metric in METRICS}
        # The number of the first bucket that is kept, and how many follow it.
        self._origin = 0
        self._length = 0
        self._first = self._last = 0
        self._newest: dict[str, float] = {}

    @property
    def steps(self) -> range:
        """The steps from the first that was added to the newest; some between may be missing."""
        return range(self._first, self._last + 1) if self._length else range(0)

    def add(self, step: Step) -> None:
        """Take a step. One that is not newer than the last takes its place, as `rewind` would."""
        number = max(0, step.step)
        if self._length and number <= self._last:
            self.rewind(number - 1)
        if not self._length:
            self._origin, self._first = number // self.width, number
        while number // self.width - self._origin >= MAX_BUCKETS:
            self._widen()
        for _ in range(number // self.width - self._origin + 1 - self._length):
            self._length += 1
            for column in self._columns.values():
                column.append_empty()
        self._last = number
        for metric, read in _READERS.items():
            try:
                value = float(read(step))
            except (TypeError, ValueError, ArithmeticError):
                self._newest.pop(metric, None)
                continue
            self._newest[metric] = value
            self._columns[metric].put(value)

    def _widen(self) -> None:
        first_alone = self._origin % 2 == 1
        for column in self._columns.values():
            column.merge_pairs(first_alone=first_alone)
        self.width *= 2
        self._origin //= 2
        self._length = len(self._columns["loss"].count)

    def rewind(self, step: int) -> None:
        """Forget the steps after `step`, which a resumed run does again.

        A bucket that holds `step` and later ones keeps them all, because it cannot be taken apart.
        """
        if not self._length or step >= self._last:
            return
        self._length = max(0, step // self.width + 1 - self._origin) if step >= self._first else 0
        for column in self._columns.values():
            column.cut(self._length)
        self._last = step
        self._newest = {}

    def last(self, metric: str) -> float | None:
        """The value of the newest step, finite or not; None when it has none."""
        return self._newest.get(metric)

    def window(self, metric: str, first_step: int, last_step: int, columns: int) -> list[Bucket]:
        """The steps from `first_step` to `last_step` in at most `columns` cells, in order.

        The cells cover whole buckets, all about as many, also where there are no steps; there are
        fewer cells than columns when there are fewer buckets.
        """
        return [
            self._columns[metric].between(
                max(0, start - self._origin),
                max(0, min(stop - self._origin, self._length)),
                start * self.width,
                stop * self.width - 1,
            )
            for start, stop in self._cells(first_step, last_step, columns)
        ]

    def _cells(self, first_step: int, last_step: int, columns: int) -> Iterator[tuple[int, int]]:
        """The numbers of the buckets of each cell, the second one excluded."""
        begin, end = max(0, first_step) // self.width, last_step // self.width + 1
        count = min(columns, max(0, end - begin))
        edges = [begin + cell * (end - begin) // max(1, count) for cell in range(count + 1)]
        return itertools.pairwise(edges)

    def smoothed(
        self,
        metric: str,
        first_step: int,
        last_step: int,
        columns: int,
        weight: float = SMOOTHING,
    ) -> list[float]:
        """The exponential moving average at the end of each cell that `window` gives.

        A value counts `weight` times as much with each step that follows it, whatever the width of
        the buckets, so the curve is the same at every zoom; a bucket counts as its steps, each at
        the bucket's mean. The sum of the weights divides, so that the first values are not pulled
        to zero (Kingma and Ba 2015, Adam, section 3). NaN where a cell has no finite value.
        """
        column = self._columns[metric]
        averaged: list[float] = []
        total = norm = 0.0
        done = 0
        for start, stop in self._cells(first_step, last_step, columns):
            found = False
            upto = min(stop - self._origin, self._length)
            for index in range(done, upto):
                if count := column.count[index]:
                    decay = weight**count
                    total = decay * total + (1 - decay) * column.total[index] / count
                    norm = decay * norm + (1 - decay)
                    found = found or index >= start - self._origin
            done = max(done, upto)
            averaged.append(total / norm if found and norm else math.nan)
        return averaged

    def copy(self) -> Series:
        """A copy that later steps do not change; quick, for a thread that writes it."""
        other = Series()
        other.width, other._origin, other._length = self.width, self._origin, self._length
        other._first, other._last = self._first, self._last
        other._newest = dict(self._newest)
        other._columns = {metric: column.copy() for metric, column in self._columns.items()}
        return other

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values; the buckets are zlib's bytes in Base64."""
        raw = b"".join(column.to_bytes() for column in self._columns.values())
        return {
            "format": _FORMAT,
            "metrics": list(METRICS),
            "width": self.width,
            "origin": self._origin,
            "length": self._length,
            "first": self._first,
            "last": self._last,
            "newest": {metric: _exactly(value) for metric, value in self._newest.items()},
            "buckets": base64.b64encode(zlib.compress(raw, 1)).decode(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Series:
        """The series that `to_json` wrote. Raises ValueError when it is not one of this version."""
        try:
            if values["format"] != _FORMAT or tuple(values["metrics"]) != METRICS:
                raise ValueError("another version wrote it")
            series = cls()
            series.width, series._origin = int(values["width"]), int(values["origin"])
            series._length = length = int(values["length"])
            series._first, series._last = int(values["first"]), int(values["last"])
            series._newest = {m: float.fromhex(v) for m, v in values["newest"].items()}
            raw = zlib.decompress(base64.b64decode(values["buckets"]))
            size = _Column.size(length)
            if length > MAX_BUCKETS or len(raw) != size * len(METRICS):
                raise ValueError("it holds another number of buckets")
            for number, metric in enumerate(METRICS):
                data = raw[number * size : (number + 1) * size]
                series._columns[metric] = _Column.from_bytes(data, length)
        except (KeyError, TypeError, AttributeError, zlib.error) as error:
            raise ValueError(f"not a series: {error}") from error
        return series


def _exactly(value: float) -> str:
    return float(value).hex()
