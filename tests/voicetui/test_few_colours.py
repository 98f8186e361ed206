"""Themes on a terminal of 16 colours: what is shown can be told apart and read."""

from __future__ import annotations

import asyncio

import pytest
from helpers_console import make_console
from rich.color import Color, ColorSystem
from rich.palette import Palette

from voicetui import preferences
from voicetui.themes import THEMES, THEMES_16
from voicetui.widgets.rows import FixedRows, RowList

# What xterm draws.
XTERM = [
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
    (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255),
    (255, 0, 255), (0, 255, 255), (255, 255, 255),
]  # fmt: skip


def drawn(colour: Color) -> tuple[int, int, int]:
    number = colour.downgrade(ColorSystem.STANDARD).number
    assert number is not None
    return Palette(XTERM)[number]


def contrast(one: tuple[int, int, int], two: tuple[int, int, int]) -> float:
    """WCAG 2's ratio of two colours, 1 to 21."""

    def luminance(colour: tuple[int, int, int]) -> float:
        parts = [part / 255 for part in colour]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_each_theme_has_one_of_its_name() -> None:
    assert [theme.name for theme in THEMES_16] == [theme.name for theme in THEMES]


@pytest.mark.parametrize("theme", THEMES_16, ids=lambda theme: theme.name)
def test_all_can_be_read_and_the_cursor_seen(
    theme: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "standard")
    preferences.save(preferences.Preferences(theme=theme.name))

    async def story() -> None:
        app = make_console(lambda console: console.open_home())
        assert app.few_colours
        async with app.run_test() as pilot:
            await pilot.pause()
            rows = RowList(FixedRows([[("one", "warn")], [("two", "bad")]]))
            await app.screen.mount(rows)
            rows.focus()
            await pilot.pause()
            assert rows.rich_style.bgcolor is not None
            ground = drawn(rows.rich_style.bgcolor)
            names = ("", "dim", "good", "bad", "warn", "accent", "title", "head", "one", "inverse")
            for name in names:
                style = rows.rich_style + rows.style_of(name)
                assert contrast(drawn(style.color), drawn(style.bgcolor)) >= 3.3, name
            chosen, other = rows.render_line(0), rows.render_line(1)
            at_cursor = {segment.style.bgcolor for segment in chosen}
            assert len(at_cursor) == 1
            assert drawn(at_cursor.pop()) != ground
            for segment in chosen:
                assert contrast(drawn(segment.style.color), drawn(segment.style.bgcolor)) >= 4
            assert {drawn(segment.style.bgcolor) for segment in other} == {ground}

    asyncio.run(story())


def test_more_colours_are_used_where_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "256")
    assert not make_console(lambda _: None).few_colours
