"""Lists and texts that scroll: all their keys, any length, nothing drawn that is not in sight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from helpers_console import make_console, screen_text
from helpers_widgets import PlainScreen
from textual.app import ComposeResult
from textual.pilot import Pilot

from voicetui.app import Console
from voicetui.widgets.pager import Pager
from voicetui.widgets.rows import FixedRows, RowList, scroll_bar
from voicetui.widgets.styled import Line

Story = Callable[[Console, Pilot[None]], Awaitable[None]]


class Counted:
    """Many rows that note which of them were drawn."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.drawn: list[int] = []

    def __len__(self) -> int:
        return self.count

    def line(self, index: int, width: int) -> Line:
        self.drawn.append(index)
        return [(f"row {index}", "")]


class Holder(PlainScreen):
    """A widget that fills the screen, and what it told."""

    def __init__(self, held: RowList | Pager) -> None:
        super().__init__()
        self.held = held
        self.told: list[RowList.Moved] = []

    def compose(self) -> ComposeResult:
        yield self.held

    def on_mount(self) -> None:
        self.held.focus()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self.told.append(event)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.told.append(event)


def run(held: RowList | Pager, story: Story, size: tuple[int, int] = (60, 20)) -> None:
    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(Holder(held)))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(app, pilot)

    asyncio.run(tell())


def told(app: Console) -> list[tuple[str, int]]:
    assert isinstance(app.screen, Holder)
    return [(type(event).__name__, event.index) for event in app.screen.told]


def test_every_key_moves_in_a_list_of_50000_rows_and_only_rows_in_sight_are_drawn() -> None:
    rows = Counted(50_000)
    listed = RowList(rows)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        last = 49_999
        for key, cursor in [
            ("down", 1),
            ("j", 2),
            ("up", 1),
            ("k", 0),
            ("k", 0),
            ("pagedown", 20),
            ("ctrl+d", 40),
            ("pageup", 20),
            ("ctrl+u", 0),
            ("G", last),
            ("j", last),
            ("g", 0),
            ("end", last),
            ("home", 0),
        ]:
            await pilot.press(key)
            assert listed.cursor == cursor, key
        assert told(app)[:2] == [("Moved", 1), ("Moved", 2)]
        assert len(rows.drawn) < 20 * 15
        await pilot.press("G")
        await pilot.pause()
        shown = screen_text(app).splitlines()
        assert shown[0].startswith("row 49980")
        assert shown[-1].startswith("row 49999")
        assert shown[-1].endswith("█")
        await pilot.press("enter")
        await pilot.pause()
        assert told(app)[-1] == ("Chosen", last)

    run(listed, story)


def test_one_step_draws_two_rows_again_and_a_scroll_all() -> None:
    rows = Counted(100)
    listed = RowList(rows, header=[("name", "")])

    async def story(app: Console, pilot: Pilot[None]) -> None:
        rows.drawn.clear()
        await pilot.press("j")
        await pilot.pause()
        assert set(rows.drawn) == {0, 1}
        listed.move_to(18)
        await pilot.pause()
        assert screen_text(app).splitlines()[0].startswith("name")
        assert screen_text(app).splitlines()[-1].startswith("row 18")
        rows.drawn.clear()
        await pilot.press("j")
        await pilot.pause()
        assert set(rows.drawn) == set(range(1, 20))

    run(listed, story)


def test_an_empty_list_says_so_and_keys_do_no_harm() -> None:
    listed = RowList(empty="No voices yet.")

    async def story(app: Console, pilot: Pilot[None]) -> None:
        assert "No voices yet." in screen_text(app)
        await pilot.press("j", "G", "pagedown", "k", "enter")
        await pilot.pause()
        assert listed.cursor == 0
        assert told(app) == []
        listed.show(FixedRows([[("one", "")], [("two", "")]]))
        await pilot.pause()
        assert "one" in screen_text(app)
        assert "No voices" not in screen_text(app)

    run(listed, story)


def test_fewer_rows_and_another_size_keep_the_cursor_in_sight() -> None:
    listed = RowList(Counted(1000))

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("G")
        listed.show(Counted(30))
        await pilot.pause()
        assert listed.cursor == 29
        assert screen_text(app).splitlines()[-1].startswith("row 29")
        await pilot.resize_terminal(60, 8)
        await pilot.pause()
        assert listed.cursor == 29
        assert "row 29" in screen_text(app)
        listed.show(Counted(0))
        await pilot.pause()
        assert listed.cursor == 0

    run(listed, story)


def test_a_text_scrolls_by_the_same_keys_and_shows_its_mark() -> None:
    pager = Pager()
    lines: list[Line] = [[(f"line {number}", "")] for number in range(100)]

    async def story(app: Console, pilot: Pilot[None]) -> None:
        pager.show(lines)
        for key, top in [
            ("down", 1),
            ("j", 2),
            ("up", 1),
            ("k", 0),
            ("k", 0),
            ("pagedown", 19),
            ("ctrl+d", 38),
            ("pageup", 19),
            ("ctrl+u", 0),
            ("G", 80),
            ("j", 80),
            ("g", 0),
            ("end", 80),
            ("home", 0),
            ("enter", 1),
        ]:
            await pilot.press(key)
            assert pager.top == top, key
        pager.show(lines, mark=50)
        await pilot.pause()
        assert pager.top <= 50 < pager.top + 20
        assert "line 50" in screen_text(app)
        pager.show(lines[:3], top=2)
        await pilot.pause()
        assert pager.top == 0
        assert "█" not in screen_text(app)

    run(pager, story)


def test_the_scroll_bar_is_at_the_ends_when_the_list_is() -> None:
    def bar(top: int, page: int, count: int) -> str:
        return "".join(scroll_bar(y, top, page, count) for y in range(page))

    assert bar(0, 5, 5) == ""
    assert bar(0, 5, 10) == "██│││"
    assert bar(5, 5, 10) == "│││██"
    assert bar(49_980, 20, 50_000) == "│" * 19 + "█"
