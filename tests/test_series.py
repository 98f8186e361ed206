from __future__ import annotations

import json
import math
import random
import time

import pytest
from helpers_jobs import step

from engine.events import Step
from engine.series import MAX_BUCKETS, METRICS, SMOOTHING, Bucket, Series


def series_of(*told: Step) -> Series:
    series = Series()
    for each in told:
        series.add(each)
    return series


def values(series: Series, metric: str = "loss") -> list[tuple[int, float]]:
    """The first step and the mean of each bucket that is not empty."""
    if not series.steps:
        return []
    cells = series.window(metric, series.steps[0], series.steps[-1], MAX_BUCKETS)
    return [(cell.first, cell.mean) for cell in cells if not cell.empty]


def test_nothing_is_an_empty_series() -> None:
    series = Series()
    assert series.steps == range(0)
    assert series.last("loss") is None
    assert [cell.empty for cell in series.window("loss", 1, 10, 5)] == [True] * 5
    assert all(math.isnan(value) for value in series.smoothed("loss", 1, 10, 5))


def test_few_steps_have_a_cell_each() -> None:
    series = series_of(*(step(n, loss=n / 2) for n in (1, 2, 3)))
    assert series.steps == range(1, 4)
    assert series.window("loss", 1, 3, 200) == [
        Bucket(n, n, n / 2, n / 2, n / 2, 1, 0) for n in (1, 2, 3)
    ]
    assert series.last("loss") == 1.5


def test_cells_cover_the_window_also_where_nothing_came_yet() -> None:
    series = series_of(*(step(n, loss=1.0) for n in range(1, 11)))
    cells = series.window("loss", 1, 40, 4)
    assert [(cell.first, cell.last) for cell in cells] == [(1, 10), (11, 20), (21, 30), (31, 40)]
    assert [cell.count for cell in cells] == [10, 0, 0, 0]
    assert math.isnan(cells[1].low)
    assert series.window("loss", 5, 4, 10) == []


def test_numbers_that_are_not_finite_are_counted_and_leave_the_others_alone() -> None:
    told = [step(1, loss=2.0), step(2, loss=math.nan), step(3, loss=-math.inf), step(4, loss=4.0)]
    series = series_of(*told)
    assert series.window("loss", 1, 4, 1) == [Bucket(1, 4, 2.0, 4.0, 3.0, 2, 2)]
    alone = series.window("loss", 2, 3, 1)[0]
    assert (alone.count, alone.bad, alone.empty) == (0, 2, False)
    assert math.isnan(alone.mean)
    assert series.window("grad_norm", 2, 3, 1)[0].bad == 0


def test_rates_are_derived_and_what_was_not_measured_is_missing() -> None:
    series = series_of(
        step(1, clips=8, seconds=2.0, loader_seconds=0.5, memory=7e9),
        step(2, clips=8, seconds=0.0),
    )
    assert series.window("clips_per_second", 1, 1, 1)[0].mean == 4.0
    assert series.window("loader_share", 1, 1, 1)[0].mean == 0.25
    assert series.window("memory", 1, 1, 1)[0].high == 7e9
    for metric in ("clips_per_second", "loader_share", "memory"):
        assert series.window(metric, 2, 2, 1)[0].empty
        assert series.last(metric) is None


def test_no_spike_vanishes_in_a_long_run() -> None:
    series = Series()
    spikes = {777: 90.0, 65_432: 80.0, 99_999: -70.0}
    for number in range(1, 100_001):
        series.add(step(number, loss=spikes.get(number, 3.0), grad_norm=number))
    assert series.width == 32
    assert MAX_BUCKETS // 2 <= 100_000 // series.width < MAX_BUCKETS
    for number, spike in spikes.items():
        cells = series.window("loss", 1, 100_000, 100)
        assert len(cells) == 100
        (cell,) = (cell for cell in cells if cell.first <= number <= cell.last)
        assert spike in (cell.low, cell.high)
        assert sum(spike in (other.low, other.high) for other in cells) == 1
    # Nothing is lost or counted twice, at any width of the window.
    for columns in (1, 7, 200, 5000):
        cells = series.window("grad_norm", 0, 100_000, columns)
        assert sum(cell.count for cell in cells) == 100_000
        assert sum(cell.mean * cell.count for cell in cells) == pytest.approx(100_000 * 50_000.5)
        assert [cell.first for cell in cells[1:]] == [cell.last + 1 for cell in cells[:-1]]


def test_a_window_gives_what_all_steps_give() -> None:
    chance = random.Random(3)
    series, told = Series(), {}
    for number in range(1, 9_000):
        told[number] = chance.choice([math.nan, math.inf, *(chance.random() for _ in range(20))])
        series.add(step(number, loss=told[number]))
    assert series.width == 4
    for first, last, columns in ((1, 8_999, 80), (4_000, 4_100, 10), (8_000, 20_000, 33)):
        for cell in series.window("loss", first, last, columns):
            inside = [told[n] for n in range(cell.first, cell.last + 1) if n in told]
            finite = [value for value in inside if math.isfinite(value)]
            assert (cell.count, cell.bad) == (len(finite), len(inside) - len(finite))
            if finite:
                assert (cell.low, cell.high) == (min(finite), max(finite))
                assert cell.mean == pytest.approx(sum(finite) / len(finite))


def test_a_resumed_run_replaces_what_it_does_again() -> None:
    series = series_of(*(step(n, loss=1.0) for n in range(1, 21)))
    series.rewind(12)
    assert series.steps == range(1, 13)
    assert series.last("loss") is None
    series.add(step(13, loss=5.0))
    assert values(series)[-2:] == [(12, 1.0), (13, 5.0)]
    assert series.last("loss") == 5.0


def test_going_back_without_a_word_replaces_too() -> None:
    series = series_of(*(step(n, loss=1.0) for n in range(1, 21)), step(1, loss=9.0))
    assert values(series) == [(1, 9.0)]


@pytest.mark.parametrize("back", [0, -5])
def test_going_back_before_the_start_leaves_nothing(back: int) -> None:
    series = series_of(step(3), step(4))
    series.rewind(back)
    assert series.steps == range(0)
    assert values(series) == []
    series.add(step(1))
    assert series.steps == range(1, 2)


def test_a_series_may_begin_late_and_jump() -> None:
    series = series_of(step(999_999, loss=1.0), step(1_000_001, loss=2.0))
    assert values(series) == [(999_999, 1.0), (1_000_001, 2.0)]
    series.add(step(10**9, loss=3.0))
    assert series.steps[-1] == 10**9
    cells = series.window("loss", 0, 10**9, 50)
    assert sum(cell.count for cell in cells) == 3
    assert (cells[0].high, cells[-1].high) == (2.0, 3.0)


def test_the_smoothed_curve_is_the_moving_average_of_the_steps() -> None:
    losses = [3.0, 1.0, 2.0, 5.0, 4.0]
    series = series_of(*(step(n, loss=loss) for n, loss in enumerate(losses, 1)))
    total = norm = 0.0
    wanted = []
    for loss in losses:
        total = SMOOTHING * total + (1 - SMOOTHING) * loss
        norm = SMOOTHING * norm + (1 - SMOOTHING)
        wanted.append(total / norm)
    assert series.smoothed("loss", 1, 5, 10) == pytest.approx(wanted)
    # What came before the window counts.
    assert series.smoothed("loss", 4, 5, 10) == pytest.approx(wanted[3:])
    assert series.smoothed("loss", 1, 5, 1, weight=0.0) == [4.0]


def test_smoothing_passes_over_gaps_and_means_the_same_at_every_zoom() -> None:
    series = series_of(*(step(n, loss=math.nan if n == 50 else 2.0) for n in range(1, 20_001)))
    near = series.smoothed("loss", 1, 20_000, 4096)
    assert all(value == pytest.approx(2.0) for value in near)
    falling = series_of(*(step(n, loss=1000.0 - n / 20) for n in range(1, 10_001)))
    assert falling.width > 1
    for columns in (10, 100, 1000):
        assert falling.smoothed("loss", 1, 10_000, columns, 0.99)[-1] == pytest.approx(505, abs=0.5)
    short = series_of(step(1, loss=1.0), step(2, loss=math.nan), step(3, loss=1.0))
    assert [math.isnan(value) for value in short.smoothed("loss", 1, 3, 3)] == [False, True, False]


@pytest.mark.parametrize("count", [0, 1, 100, 9_000])
def test_a_series_comes_back_from_json_and_goes_on_the_same(count: int) -> None:
    chance = random.Random(count)
    series = series_of(
        *(
            step(n, loss=chance.choice([1.5, math.nan, 0.1 * n]), memory=1.0)
            for n in range(1, count)
        )
    )
    back = Series.from_json(json.loads(json.dumps(series.to_json(), allow_nan=False)))
    for each in (series, back):
        each.add(step(count + 1, loss=math.inf))
        each.rewind(count // 2)
        each.add(step(count // 2 + 1))
    assert back.to_json() == series.to_json()
    assert back.steps == series.steps


def test_a_copy_stays_as_it_is() -> None:
    series = series_of(step(1, loss=1.0))
    copied = series.copy()
    before = copied.to_json()
    series.add(step(2, loss=2.0))
    assert copied.to_json() == before
    assert values(copied) == [(1, 1.0)]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 0},
        {"metrics": ["loss"]},
        {"length": 9},
        {"length": 10**9},
        {"buckets": "AAAA"},
        {"buckets": None},
        {"width": "x"},
        {"newest": [1]},
    ],
)
def test_what_is_no_series_is_refused(change: dict[str, object]) -> None:
    written = series_of(step(1), step(2)).to_json()
    with pytest.raises(ValueError, match=r".+"):
        Series.from_json({**written, **change})


def test_it_stays_small_and_quick() -> None:
    series = Series()
    told = [step(n, loss=1 / n, grad_norm=n * math.pi) for n in range(1, 20_001)]
    begun = time.process_time()
    for each in told:
        series.add(each)
    # 10 us here; the limit only catches work that grows with the number of steps.
    assert (time.process_time() - begun) / len(told) < 0.0002
    assert len(json.dumps(series.to_json())) < 1_200_000
    assert len(METRICS) == 10
