"""Frames in few bytes: they show the same, and a small change costs little."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from helpers_console import piloted
from helpers_widgets import Host, falling, series, step
from textual._compositor import CompositorUpdate
from textual.screen import Screen

from voicetui.frames import Frame, compact
from voicetui.widgets.chart import ChartData, LossChart
from voicetui.widgets.lines import Lines

RED, BLUE = "\x1b[38;2;255;0;0;48;2;0;0;0m", "\x1b[1;38;5;33;48;2;0;0;0m"
END = "\x1b[0m"


def test_a_style_is_told_once() -> None:
    assert compact(f"{RED}a{END}{RED}b{END}") == f"{RED}ab{END}"


def test_only_what_differs_is_told() -> None:
    assert compact(f"{RED}a{END}{BLUE}b{END}") == f"{RED}a\x1b[1;38;5;33mb{END}"
    # An attribute can only be taken away with all the others.
    assert compact(f"{BLUE}a{END}{RED}b{END}") == f"{BLUE}a\x1b[0;38;2;255;0;0;48;2;0;0;0mb{END}"
    assert compact(f"{RED}a{END}b") == f"{RED}a{END}b"
    assert compact(f"{RED}a{END}\x1b[48;2;0;0;0mb{END}") == f"{RED}a\x1b[39mb{END}"


def test_blanks_need_no_colour() -> None:
    assert compact(f"{RED}a{END}{BLUE}  {END}{RED}b{END}") == f"{RED}a  b{END}"
    underlined = "\x1b[4;38;2;1;2;3;48;2;0;0;0m"
    assert compact(f"{RED}a{END}{underlined}  {END}") == f"{RED}a\x1b[4;38;2;1;2;3m  {END}"


def test_moves_change_no_style() -> None:
    assert compact(f"{RED}a{END}\x1b[3;4H{RED}b{END}\n") == f"{RED}a\x1b[3;4Hb\n{END}"


@pytest.mark.parametrize(
    "text", ["", "plain", "\x1b[2;2H", "\x1b[31;44mx\x1b[0m", "\x1b[97;105my\x1b[m"]
)
def test_what_is_short_already_stays(text: str) -> None:
    assert screen_of(compact(text)) == screen_of(text)


class Kept(Host):
    """Keeps the updates that it would write to a terminal."""

    def __init__(self, widget: Any) -> None:
        super().__init__(widget)
        self.updates: list[CompositorUpdate] = []

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.updates.append(renderable)
        super()._display(screen, renderable)


Cell = tuple[str, str]


def screen_of(output: str) -> dict[tuple[int, int], Cell]:
    """What a terminal shows after an output: characters and styles by row and column."""
    cells: dict[tuple[int, int], Cell] = {}
    row = column = 1
    style: dict[str, str] = {}
    for sgr, move, char in re.findall("\x1b\\[([0-9;]*)m|(\x1b\\[[0-9;]*H)|(.|\n)", output):
        if move:
            row, column = (int(part or 1) for part in move[2:-1].split(";"))
        elif char == "\n":
            row, column = row + 1, 1
        elif char:
            shown = {"48": style.get("48", "")} if char == " " else style
            cells[row, column] = (char, str(sorted(shown.items())))
            column += 1
        else:
            _apply(style, sgr)
    return cells


def _apply(style: dict[str, str], sgr: str) -> None:
    codes = sgr.split(";")
    while codes:
        code = codes.pop(0)
        if code in ("38", "48"):
            count = 4 if codes[0] == "2" else 2
            style[code] = ";".join(codes[:count])
            del codes[:count]
        elif code in ("0", ""):
            style.clear()
        elif code in ("39", "49"):
            style.pop(str(int(code) - 1), None)
        elif 30 <= int(code) <= 37 or 90 <= int(code) <= 97:
            style["38"] = code
        elif 40 <= int(code) <= 47 or 100 <= int(code) <= 107:
            style["48"] = code
        else:
            style[code] = "on"


def picture(app: Host) -> CompositorUpdate:
    """The whole screen as an update."""
    update = app.screen._compositor.render_update(full=True)
    assert isinstance(update, CompositorUpdate)
    return update


@piloted
async def test_a_new_step_costs_little_and_shows_the_same() -> None:
    run = series(falling(301))
    chart = LossChart(ChartData(run))
    app = Kept(chart)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        console = app.console
        shown = screen_of(picture(app).render_segments(console))
        first = Frame(picture(app)).render_segments(console)
        assert screen_of(first) == shown
        assert len(first.encode()) < 40_000
        app.updates.clear()
        sizes = []
        for number in range(302, 312):
            run.add(step(number, 2.6 + 0.1 * math.sin(number)))
            chart.show(ChartData(run))
            await pilot.pause()
            outputs = [Frame(update).render_segments(console) for update in app.updates]
            app.updates.clear()
            sizes.append(sum(len(output.encode()) for output in outputs))
            for output in outputs:
                shown |= screen_of(output)
        assert shown == screen_of(picture(app).render_segments(console))
        assert 0 < sum(sizes) / len(sizes) < 800


@piloted
async def test_a_change_at_the_right_does_not_send_the_line_again() -> None:
    lines = Lines([[("x" * 90, "one"), ("1", "two")]])
    app = Kept(lines)
    async with app.run_test(size=(120, 5)) as pilot:
        await pilot.pause()
        app.updates.clear()
        lines.show([[("x" * 90, "one"), ("2", "two")]])
        await pilot.pause()
        (update,) = app.updates
        output = Frame(update).render_segments(app.console)
        assert "x" not in output
        assert "\x1b[1;91H" in output
        assert "2" in output
