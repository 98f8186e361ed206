"""Help on a screen: its keys first, topics, reading, finding."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from helpers_console import make_console, screen_text
from textual.pilot import Pilot
from textual.widgets import Input

from voicetui import keys
from voicetui.app import Console
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.help import HelpScreen
from voicetui.widgets.pager import Pager

Story = Callable[[Console, Pilot[None]], Awaitable[None]]


class Plain(ConsoleScreen):
    """A screen that has nothing but its frame."""

    scope = "doctor"
    heading = "plain"


def run(story: Story, size: tuple[int, int] = (80, 24)) -> None:
    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(HelpScreen("doctor")))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(app, pilot)

    asyncio.run(tell())


def help_screen(app: Console) -> HelpScreen:
    assert isinstance(app.screen, HelpScreen)
    return app.screen


def test_the_keys_of_the_screen_come_first() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        rows = screen_text(app).splitlines()
        assert "Keys: doctor" in rows[0]
        for row, key in zip(rows[4:], keys.of("doctor"), strict=False):
            assert row.startswith(f"  {keys.names(key.keys)} ")
            assert key.help in row

    run(story)


def test_every_topic_opens_by_its_number() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        titles = set()
        for number, topic in enumerate(help_screen(app)._topics):
            await pilot.press(str(number + 1))
            titles.add(screen_text(app).splitlines()[0])
            assert topic.title in screen_text(app).splitlines()[0]
        # As many as there are keys for them.
        assert len(titles) == 9

    run(story)


def test_topics_follow_each_other() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        for key, at in [
            ("tab", 1),
            ("right", 2),
            ("l", 3),
            ("shift+tab", 2),
            ("left", 1),
            ("h", 0),
        ]:
            await pilot.press(key)
            assert help_screen(app)._at == at, key
        await pilot.press("h")
        await pilot.pause()
        assert "Every setting" in screen_text(app).splitlines()[0]

    run(story)


def test_reading_goes_down_and_up() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("3")
        pager = app.screen.query_one(Pager)
        for key, top in [("j", 1), ("down", 2), ("k", 1), ("G", None), ("g", 0), ("pagedown", 19)]:
            await pilot.press(key)
            assert pager.top == (len(pager._lines) - 20 if top is None else top), key

    run(story)


def test_a_word_is_found_in_all_topics() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        screen = help_screen(app)
        await pilot.press("slash", *"p_change")
        await pilot.pause()
        assert "1 of 2" in screen_text(app)
        assert "minima" in screen_text(app).splitlines()[0]
        await pilot.press("enter", "n")
        await pilot.pause()
        assert "2 of 2" in screen_text(app)
        assert "Every setting" in screen_text(app).splitlines()[0]
        assert any("early_stop_change" in row for row in screen_text(app).splitlines()[1:-2])
        await pilot.press("N")
        await pilot.pause()
        assert "1 of 2" in screen_text(app)
        assert screen.query_one(Pager).has_focus

    run(story)


def test_a_search_can_be_left() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        finder = app.screen.query_one(Input)
        for key in ("ctrl+g", "escape", "backspace"):
            await pilot.press("slash", *("" if key == "backspace" else "fog"))
            await pilot.pause()
            assert finder.display
            assert ("minima" in screen_text(app).splitlines()[0]) == (key != "backspace")
            await pilot.press(key)
            await pilot.pause()
            assert "Keys" in screen_text(app).splitlines()[0]
            assert not finder.display
        # The letters are keys again.
        await pilot.press("j")
        assert app.screen.query_one(Pager).top == 1

    run(story)


def test_what_stands_nowhere_is_told() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"[bold]zz")
        await pilot.pause()
        assert "“[bold]zz” stands nowhere." in screen_text(app)
        await pilot.press("enter", "n")
        assert "next" not in screen_text(app).splitlines()[-1].replace("next topic", "")

    run(story)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40), (200, 50)])
def test_topics_and_text_are_in_sight_at_each_size(size: tuple[int, int]) -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        text = screen_text(app)
        assert "1 keys" in text or "1  keys" in text
        for number in range(1, 10):
            assert str(number) in text
        assert "Check everything again." in text
        assert ("minima" in text) == (size[0] > 60)

    run(story, size)


def test_a_resize_keeps_the_topic_and_wraps_anew() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("4")
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert "Troubleshooting" in screen_text(app).splitlines()[0]
        assert any(len(row) > 90 for row in screen_text(app).splitlines())

    run(story)


def test_help_opens_over_a_screen_and_closes() -> None:
    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(Plain()))
        async with app.run_test(size=(80, 24)) as pilot:
            for key in ("q", "question_mark", "f1"):
                await pilot.press("question_mark")
                await pilot.pause()
                assert isinstance(app.screen, HelpScreen)
                await pilot.press(key)
                await pilot.pause()
                assert isinstance(app.screen, Plain)

    asyncio.run(tell())
