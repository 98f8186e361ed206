"""Zooming, panning and following."""

from __future__ import annotations

import pytest

from voicetui.widgets.chart_view import View, roomy

RUN = range(1, 1001)


@pytest.mark.parametrize(
    ("count", "size"), [(1, 10), (10, 10), (11, 12), (80, 80), (81, 100), (310, 400), (1001, 1200)]
)
def test_round_sizes(count: int, size: int) -> None:
    assert roomy(count) == size


def test_a_whole_run_keeps_its_place_while_it_grows() -> None:
    assert View().shown(range(1, 311)) == View().shown(range(1, 399)) == (1, 400)
    assert View().shown(range(1, 311), planned=320) == (1, 320)
    assert View().shown(range(0)) == (0, 9)
    assert View().shown(range(500, 501)) == (500, 509)


def test_following_moves_in_leaps() -> None:
    view = View(span=100)
    seen = {view.shown(range(1, newest + 1)) for newest in range(400, 500)}
    assert len(seen) <= 6
    for newest in range(1, 500):
        first, last = view.shown(range(1, newest + 1))
        assert first <= newest <= last
        assert last - first + 1 == 100


def test_zooming_in_has_an_end_and_out_comes_back() -> None:
    view = View()
    spans = []
    for _ in range(12):
        view = view.zoomed_in(RUN)
        spans.append(view.span)
    assert spans[:3] == [500, 250, 125]
    assert spans[-1] == spans[-2] == 10
    for _ in range(12):
        view = view.zoomed_out(RUN)
    assert view == View()


def test_zooming_goes_to_the_cursor() -> None:
    view = View(cursor=200).zoomed_in(RUN).zoomed_in(RUN)
    first, last = view.shown(RUN)
    assert first <= 200 <= last
    assert not view.follows


def test_panning_ends_at_both_ends() -> None:
    view = View().zoomed_in(RUN)
    for _ in range(20):
        view = view.panned(RUN, -1)
    assert view.shown(RUN) == (1, 500)
    assert not view.follows
    for _ in range(20):
        view = view.panned(RUN, 1)
    assert view.follows
    assert View().panned(RUN, -1) == View()


def test_the_cursor_visits_each_column_and_takes_the_view_along() -> None:
    view = View().cursor_moved(RUN, -1, 50)
    assert view.cursor == 1000
    steps = []
    for _ in range(60):
        view = view.cursor_moved(RUN, -1, 50)
        steps.append(view.cursor)
    assert steps[:3] == [961, 941, 921]
    assert steps[-1] == 1
    near = View(span=20).cursor_moved(RUN, 1, 50)
    for _ in range(40):
        near = near.cursor_moved(RUN, -1, 50)
        first, last = near.shown(RUN)
        assert near.cursor is not None
        assert first <= near.cursor <= last
    assert near.cursor == 960


def test_an_empty_run_has_nothing_to_move() -> None:
    nothing = range(0)
    view = View()
    assert view.zoomed_in(nothing) == view.zoomed_out(nothing) == view
    assert view.panned(nothing, 1) == view.cursor_moved(nothing, 1, 50) == view
