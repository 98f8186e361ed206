"""The arithmetic of charts, cell by cell."""

from __future__ import annotations

import math

import pytest

from voicetui.widgets.plot import (
    Dots,
    Grid,
    Scale,
    ascii_sign,
    braille,
    nice_step,
    robust_ends,
    scale_of,
    tick_text,
    tick_texts,
    ticks,
)


@pytest.mark.parametrize(
    ("x", "y", "sign"),
    [
        (0, 0, "⠁"),
        (0, 1, "⠂"),
        (0, 2, "⠄"),
        (0, 3, "⡀"),
        (1, 0, "⠈"),
        (1, 1, "⠐"),
        (1, 2, "⠠"),
        (1, 3, "⢀"),
    ],
)
def test_each_dot_of_a_cell(x: int, y: int, sign: str) -> None:
    dots = Dots(2, 2)
    dots.set(x, y)
    dots.set(2 + x, 4 + y)
    assert list(map(str, dots.used())) == [
        str((0, 0, ord(sign) - 0x2800)),
        str((1, 1, ord(sign) - 0x2800)),
    ]
    assert braille(dots.bits(0, 0)) == sign


def test_dots_outside_are_left_out() -> None:
    dots = Dots(1, 1)
    for x, y in ((-1, 0), (0, -1), (2, 0), (0, 4)):
        dots.set(x, y)
    assert not list(dots.used())
    dots.column(0, -5, 99)
    assert braille(dots.bits(0, 0)) == "⡇"


def test_a_line_has_no_holes_and_stays_thin() -> None:
    dots = Dots(4, 4)
    dots.line(0, 0, 7, 15)
    found = {(x, y) for x in range(8) for y in range(16) if dots.bits(x // 2, y // 4) & _bit(x, y)}
    assert (0, 0) in found
    assert (7, 15) in found
    # One dot in each row: a steep line as thin as it can be.
    assert sorted(y for _, y in found) == list(range(16))


def _bit(x: int, y: int) -> int:
    dots = Dots(1, 1)
    dots.set(x % 2, y % 4)
    return dots.bits(0, 0)


def test_a_line_up_and_an_upright_one() -> None:
    dots = Dots(1, 2)
    dots.line(0, 7, 1, 0)
    assert {bits.bit_count() for _, _, bits in dots.used()} == {4}
    upright = Dots(1, 1)
    upright.line(1, 3, 1, 0)
    assert braille(upright.bits(0, 0)) == "⢸"


@pytest.mark.parametrize(
    ("bits", "line", "faint"),
    [(0x01, "'", "'"), (0x02, "-", "'"), (0x80, "_", "."), (0xFF, "|", ":"), (0, " ", " ")],
)
def test_ascii_tells_the_height(bits: int, line: str, faint: str) -> None:
    assert (ascii_sign(bits), ascii_sign(bits, faint=True)) == (line, faint)


def test_a_scale_places_its_ends() -> None:
    scale = Scale(2.0, 4.0)
    assert [scale.place(value) for value in (2.0, 3.0, 4.0, 5.0)] == [0.0, 0.5, 1.0, 1.5]
    assert [scale.dot(value, 9) for value in (4.0, 3.0, 2.0)] == [0, 4, 8]
    assert scale.dot(1e308, 9) == -8
    assert scale.place(math.nan) is None
    assert scale.place(-math.inf) is None


def test_a_log_scale_has_no_place_for_zero() -> None:
    scale = Scale(0.01, 100.0, log=True)
    assert scale.place(1.0) == pytest.approx(0.5)
    assert scale.place(0.0) is None
    assert scale.place(-3.0) is None


@pytest.mark.parametrize(
    ("low", "high"),
    [(3.0, 3.0), (0.0, 0.0), (-1e-320, 1e-320), (-1.7e308, 1.7e308), (1e-30, 1e30), (-5, -5)],
)
def test_scales_of_odd_ranges(low: float, high: float) -> None:
    scale = scale_of(low, high)
    assert math.isfinite(scale.low)
    assert math.isfinite(scale.high)
    assert scale.low < scale.high
    assert 1 <= len(ticks(scale, 5)) <= 5


@pytest.mark.parametrize(("low", "high"), [(1e-30, 1e30), (3.0, 3.0), (5e-324, 1e308), (2.4, 4.1)])
def test_log_scales_of_odd_ranges(low: float, high: float) -> None:
    scale = scale_of(low, high, log=True)
    assert 0 < scale.low < scale.high < math.inf
    assert 1 <= len(ticks(scale, 5)) <= 5


def test_a_scale_stays_while_values_change_a_little() -> None:
    assert scale_of(2.41, 4.32) == scale_of(2.45, 4.38)


@pytest.mark.parametrize(
    ("least", "step"), [(0.9, 1.0), (1.0, 1.0), (1.1, 2.0), (0.021, 0.025), (30, 50), (60, 100)]
)
def test_nice_steps(least: float, step: float) -> None:
    assert nice_step(least) == pytest.approx(step)


def test_ticks_are_round() -> None:
    assert ticks(Scale(2.3, 4.7), 5) == [2.5, 3.0, 3.5, 4.0, 4.5]
    assert ticks(Scale(0.0, 100.0), 5) == [0.0, 25.0, 50.0, 75.0, 100.0]
    assert ticks(Scale(0.01, 100.0, log=True), 5) == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert ticks(Scale(1.0, 100.0, log=True), 5) == pytest.approx([1, 3, 10, 30, 100])
    assert ticks(Scale(2.0, 5.0, log=True), 5) == pytest.approx([2, 3, 5])
    assert len(ticks(Scale(1e-30, 1e30, log=True), 5)) in (4, 5)


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (0.0, 0.5, "0"),
        (2.5, 0.5, "2.5"),
        (3.0, 0.5, "3.0"),
        (25.0, 25.0, "25"),
        (2.25, 0.25, "2.25"),
        (5e-6, 1e-6, "5e-6"),
        (2.5e9, 5e8, "2.5e9"),
        (-3.0, 1.0, "-3"),
    ],
)
def test_tick_texts(value: float, step: float, text: str) -> None:
    assert tick_text(value, step) == text


def test_texts_of_ticks_that_are_not_even() -> None:
    assert tick_texts([0.3, 1.0, 3.0, 10.0]) == ["0.3", "1", "3", "10"]


def test_a_few_far_spikes_are_left_outside() -> None:
    spans = [(2.5, 3.0)] * 99
    low, high = robust_ends([*spans, (2.5, 900.0)], [2.7]) or (0, 0)
    assert (low, round(high, 6)) == (2.5, 3.05)
    # One that is not far is shown, and so is all that there is much of.
    assert robust_ends([*spans, (2.5, 3.4)], []) == (2.5, 3.4)
    assert robust_ends([*spans, *[(2.5, 900.0)] * 20], []) == (2.5, 900.0)
    # Values that must be seen are.
    assert robust_ends([*spans, (2.5, 900.0)], [1000.0]) == (2.5, 1000.0)
    assert robust_ends([], []) is None


def test_a_grid_knows_wide_characters() -> None:
    grid = Grid(6, 1)
    grid.put(0, 0, "a声b", "one")
    assert grid.chars[0] == ["a", "声", "", "b", " ", " "]
    assert grid.line(0) == [("a声b", "one"), ("  ", "")]
    grid.put(5, 0, "声")
    grid.put(-1, 0, "xy")
    assert grid.text() == "y声b"
    assert not grid.is_blank(0, 0)
    assert grid.is_blank(4, 0, 2)
    assert not grid.is_blank(4, 0, 3)


def test_changes_of_a_grid_are_few_and_joined_when_near() -> None:
    before, after = Grid(40, 3), Grid(40, 3)
    after.put(2, 1, "a")
    after.put(6, 1, "b")
    after.put(30, 1, "c")
    after.put(0, 2, " ", "cursor")
    assert after.changes(before) == [(1, 2, 5), (1, 30, 1), (2, 0, 1)]
    assert after.changes(after) == []
