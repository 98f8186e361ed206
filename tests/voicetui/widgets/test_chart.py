"""The loss chart: what it draws, and that it draws no more than what changed."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from helpers_console import piloted
from helpers_widgets import Host, evaluated, falling, rows_of, series, step
from textual.geometry import Region

from engine.series import MAX_BUCKETS, Series
from voicetui.widgets.chart import METRICS, ChartData, LossChart, Overlay
from voicetui.widgets.chart_frame import draw
from voicetui.widgets.chart_view import View

LOSS = METRICS["loss"]
NAN, INF = math.nan, math.inf


class Watched(LossChart):
    """Notes the cells that it paints again."""

    painted: int = 0

    def refresh(self, *regions: Region, **options: Any) -> Watched:
        self.painted += sum(region.area for region in regions) if regions else self.size.area
        super().refresh(*regions, **options)
        return self


def text_of(data: ChartData, width: int = 80, height: int = 16, **view: Any) -> str:
    return draw(data, LOSS, View(**view), width, height).grid.text()


# --- what is drawn --------------------------------------------------------------------------------


def test_a_point_stands_where_its_step_and_value_are() -> None:
    # Ten steps on 40 dots: each step has two cells.
    frame = draw(ChartData(series([1.0, 2.0])), LOSS, View(), 26, 12)
    lines = frame.grid.text().splitlines()
    assert (frame.first, frame.last) == (1, 10)
    assert lines[1] == "2.00 ┤   ⡇"
    assert lines[9] == "1.00 ┤ ⡎"
    assert lines[10:] == ["     └────────┬─────────┬─", "              5         10"]


def test_everything_is_named_in_the_legend() -> None:
    data = ChartData(
        series(falling(300)),
        [evaluated(100, 3.4), evaluated(200, 3.0), evaluated(300, 3.2)],
        overtrained_at=200,
        overlays=(Overlay("run 0001", series(falling(300, 2))),),
    )
    frame = draw(data, LOSS, View(), 110, 20)
    top = frame.grid.text().splitlines()[0]
    last = data.series.last("loss")
    assert f"⣿ train {last:.3f}" in top
    assert "━ smoothed 2." in top
    assert "◆ held-out 3.200" in top
    assert "★ best 3.000 @ 200" in top
    assert "earlier: run 0001" in top
    rest = frame.grid.text().split("\n", 1)[1]
    assert rest.count("◆") == 2
    assert rest.count("★") == 1
    assert "3.000" in rest
    assert "overtraining" in rest
    assert "┆" in rest
    assert "step" in rest


def test_the_legend_drops_the_least_important_first() -> None:
    data = ChartData(series(falling(300)), [evaluated(100, 3.4)])
    for width in range(20, 120, 7):
        top = text_of(data, width).splitlines()[0]
        assert "train 2." in top
        assert len(top) <= width


def test_a_spike_is_seen_among_many_steps() -> None:
    losses = [3.0] * 9000
    losses[4321] = 4.0
    data = ChartData(series(losses))
    assert data.series.width > 1
    column = [line for line in text_of(data).splitlines()[1:-2] if line[6:].strip()]
    # It reaches from the flat line to the top.
    assert len(column) >= 12


def test_a_far_spike_is_marked_at_the_edge() -> None:
    losses = falling(300)
    losses[150] = 5e4
    lines = text_of(ChartData(series(losses))).splitlines()
    assert "▲" in lines[1]


def test_gaps_and_marks_where_numbers_are_not_finite() -> None:
    losses = [3.0] * 100
    losses[40:60] = [NAN, INF] * 10
    frame = draw(ChartData(series(losses)), LOSS, View(), 106, 12)
    axis = frame.grid.chars[10]
    marked = [x - 6 for x, char in enumerate(axis) if char == "✗"]
    assert marked == list(range(40, 60))
    for row in range(1, 10):
        assert not "".join(frame.grid.chars[row][47:65]).strip()
    assert {frame.grid.styles[10][x + 6] for x in marked} == {"bad"}
    assert "20 not finite" in frame.legend.text()


def test_a_newest_loss_that_is_no_number_is_said() -> None:
    assert "train NaN" in draw(ChartData(series([3.0, NAN])), LOSS, View(), 60, 9).legend.text()


def test_values_that_a_log_scale_cannot_show() -> None:
    assert "nothing above 0" in text_of(ChartData(series([0.0, -1.0])), log=True)
    assert "no steps yet" in text_of(ChartData(Series()))
    assert "no finite values here" in text_of(ChartData(series([NAN, INF])))


def test_hostile_names_are_shown_literally() -> None:
    data = ChartData(series([3.0]), overlays=(Overlay("[red]$x\x1b[31m声", series([2.0])),))
    top = text_of(data, 120).splitlines()[0]
    assert "[red]$x␛[31m声" in top


ODD = {
    "nothing": [],
    "one": [3.0],
    "constant": [2.0] * 50,
    "zero": [0.0] * 5,
    "nan": [NAN] * 20,
    "inf": [INF, -INF] * 10,
    "huge": [1e-30, 1e30] * 20,
    "largest": [1.7e308, -1.7e308, 5e-324],
    "negative": [-1.0, -1e-9, 4.0],
    "mixed": [NAN, 1e300, 0.0, -INF, 3.0],
}
SIZES = [(1, 1), (3, 2), (20, 5), (38, 7), (76, 12), (200, 40)]


@pytest.mark.parametrize("name", ODD)
def test_it_never_raises(name: str) -> None:
    run = series(ODD[name])
    evaluations = [evaluated(n, loss) for n, loss in enumerate(ODD[name][:3], 1)]
    data = ChartData(run, evaluations, 2, (Overlay("o", series([1.0, INF])),))
    views = [
        View(),
        View(log=True),
        View(span=10, end=-500, cursor=3),
        View(span=10, end=10**9, cursor=10**9),
        View(cursor=1, log=True),
    ]
    for metric, view, (width, height) in itertools.product(METRICS.values(), views, SIZES):
        for ascii_only in (False, True):
            frame = draw(data, metric, view, width, height, ascii_only=ascii_only)
            assert len(frame.grid.chars) == height
            assert {len(row) for row in frame.grid.chars} == {width}
            if ascii_only:
                assert frame.grid.text().isascii()


def test_a_full_series_is_drawn_quickly() -> None:
    import time

    run = series(falling(MAX_BUCKETS))
    data = ChartData(run, [evaluated(n, 3.0) for n in range(100, 4000, 100)])
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        draw(data, LOSS, View(), 120, 40)
        times.append(time.perf_counter() - begun)
    # Some 6 ms; the test machine may be busy.
    assert min(times) < 0.045


# --- the widget -----------------------------------------------------------------------------------


@piloted
async def test_only_changed_cells_are_painted() -> None:
    run = series(falling(300))
    chart = Watched(ChartData(run))
    async with Host(chart).run_test(size=(120, 40)) as pilot:
        run.add(step(301, 2.5))
        chart.show(ChartData(run))
        await pilot.pause()
        chart.painted = 0
        chart.show(ChartData(run))
        assert chart.painted == 0
        counts = []
        for number in range(302, 330):
            run.add(step(number, 2.6 + 0.1 * math.sin(number)))
            chart.painted = 0
            chart.show(ChartData(run))
            counts.append(chart.painted)
        assert 0 < max(counts) < 40
        await pilot.pause()
        # The screen is what a chart that is painted as a whole would show.
        fresh = draw(chart.data, LOSS, chart.view, 120, 40, focused=chart.has_focus)
        assert [row.rstrip() for row in rows_of(chart)] == [
            "".join(row).rstrip() for row in fresh.grid.chars
        ]


@piloted
async def test_the_view_and_what_it_says() -> None:
    chart = LossChart(ChartData(series(falling(310)), [evaluated(240, 3.38)]))
    async with Host(chart).run_test(size=(100, 20)):
        assert chart.view_text() == "steps 1-310"
        assert chart.follows
        chart.toggle_log()
        chart.toggle_freeze()
        assert chart.view_text() == "steps 1-310, log, frozen"
        assert (chart.is_log, chart.frozen, chart.follows) == (True, True, False)
        chart.reset_view()
        assert chart.view_text() == "steps 1-310"
        chart.zoom_in()
        chart.zoom_in()
        chart.pan(-1)
        first, last = chart.shown_steps
        assert last < 310
        assert chart.view_text() == f"steps {first}-{last}, zoomed"
        chart.pan(1)
        chart.pan(1)
        assert chart.follows
        chart.zoom_out()
        chart.zoom_out()
        assert chart.shown_steps == (1, 310)
        with pytest.raises(KeyError):
            chart.set_metric("nonsense")
        chart.set_metric("lr")
        assert chart.metric is METRICS["lr"]
        assert "learning rate  now 5.00e-06" in chart.legend


@piloted
async def test_the_cursor_tells_exact_values() -> None:
    losses = [3.0 + number / 1000 for number in range(10)]
    chart = LossChart(ChartData(series(losses), [evaluated(9, 2.9)]))
    async with Host(chart).run_test(size=(100, 20)):
        chart.move_cursor(-1)
        assert chart.cursor == 10
        chart.move_cursor(-1)
        assert chart.cursor == 9
        legend = chart.legend
        assert "step 9  train 3.008  smoothed 3.0" in legend
        assert "held-out 2.900" in legend
        chart.move_cursor(-1)
        assert "held-out" not in chart.legend
        chart.hide_cursor()
        assert chart.cursor is None


@piloted
async def test_the_cursor_tells_the_range_of_many_steps() -> None:
    chart = LossChart(ChartData(series([2.0, 4.0] * 1000)))
    async with Host(chart).run_test(size=(100, 20)):
        for _ in range(5):
            chart.move_cursor(-1)
        assert "train 2.000 to 4.000, mean 2.952" in chart.legend
        assert "steps 1895-1915" in chart.legend


@piloted
async def test_a_frozen_chart_stands_still() -> None:
    run = series(falling(100))
    chart = Watched(ChartData(run))
    async with Host(chart).run_test(size=(90, 20)) as pilot:
        chart.toggle_freeze()
        await pilot.pause()
        before = rows_of(chart)
        chart.painted = 0
        for number in range(101, 150):
            run.add(step(number, 9.0))
        chart.show(ChartData(run))
        assert chart.painted == 0
        assert rows_of(chart) == before
        chart.toggle_freeze()
        assert chart.shown_steps == (1, 149)
        assert rows_of(chart) != before


@piloted
async def test_resizing_draws_anew() -> None:
    chart = LossChart(ChartData(series(falling(100))))
    async with Host(chart).run_test(size=(90, 20)) as pilot:
        for size in ((20, 5), (200, 50), (61, 9)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert {len(row) for row in rows_of(chart)} == {size[0]}
            assert len(rows_of(chart)) == size[1]


@piloted
async def test_ascii_where_the_terminal_knows_no_more() -> None:
    data = ChartData(series([*falling(100), NAN]), [evaluated(50, 3.0), evaluated(90, 3.2)], 50)
    chart = LossChart(data)
    async with Host(chart, ascii_only=True).run_test(size=(100, 20)):
        shown = "\n".join(rows_of(chart))
        assert shown.isascii()
        for sign in ("o held-out", "@ best", "x 1 not finite", "overtraining"):
            assert sign in shown
