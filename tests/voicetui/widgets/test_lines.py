"""Panels of lines: only what changed is painted, and what does not fit is cut."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest
from helpers_console import make_console, screen_text
from helpers_widgets import PlainScreen
from rich.cells import cell_len
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget

from voicetui.app import Console
from voicetui.keys import Key
from voicetui.widgets.bars import KeyBar, StatusLine, TitleBar
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import fitted, plain, wrapped

Story = Callable[[Console, Pilot[None]], Awaitable[None]]


class Noting(Lines):
    """Lines of a fixed height that note what they paint again."""

    DEFAULT_CSS = "Noting { height: 3; }"

    def refresh(self, *regions: Region, **how: bool) -> Noting:
        if not hasattr(self, "painted"):
            self.painted: list[Region] = []
        self.painted += regions or (Region(-1, -1, 0, 0),)
        super().refresh(*regions, **how)
        return self


class Holder(PlainScreen):
    def __init__(self, held: Iterable[Widget]) -> None:
        super().__init__()
        self.held = held

    def compose(self) -> Iterable[Widget]:
        yield from self.held


def run(held: Iterable[Widget], story: Story, size: tuple[int, int] = (80, 10)) -> None:
    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(Holder(held)))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(app, pilot)

    asyncio.run(tell())


def test_only_changed_spans_are_painted() -> None:
    panel = Noting([[("loss ", "dim"), ("3.412", "bold")], [("step 7", "")], []])

    async def story(app: Console, pilot: Pilot[None]) -> None:
        def change(*lines: list[tuple[str, str]]) -> list[Region]:
            panel.painted.clear()
            panel.show(lines)
            return panel.painted

        same = [("step 7", "")]
        assert change([("loss ", "dim"), ("3.412", "bold")], same, []) == []
        # From the first digit that differs on.
        assert change([("loss ", "dim"), ("3.399", "bold")], same, []) == [Region(7, 0, 3, 1)]
        # Another style paints the whole piece.
        assert change([("loss ", "dim"), ("3.399", "bad")], same, []) == [Region(5, 0, 5, 1)]
        # What became shorter is wiped.
        assert change([("loss ", "dim"), ("3", "bad")], same, []) == [Region(6, 0, 4, 1)]
        assert change([("loss ", "dim"), ("3", "bad")], same, [("new", "")]) == [Region(0, 2, 3, 1)]
        # Fewer lines: the last one is wiped.
        assert change([("loss ", "dim"), ("3", "bad")], same) == [Region(0, 2, 3, 1)]
        # Wide letters count as two cells.
        change([("日本a", "")])
        assert change([("日本b", "")]) == [Region(4, 0, 1, 1)]
        await pilot.pause()
        assert screen_text(app).splitlines()[0] == "日本b"

    run([panel], story)


def test_what_was_painted_in_parts_is_what_a_whole_paint_gives() -> None:
    panel = Lines([[("a" * 20, "")]], classes="fixed")

    async def story(app: Console, pilot: Pilot[None]) -> None:
        panel.styles.height = 2
        for text in ("a" * 20, "日" * 5 + "tail", "x", "", "a[b]c$d"):
            panel.show([[(text, "good")], [("|", "")]])
            await pilot.pause()
            assert screen_text(app).splitlines()[:2] == [text, "|"]

    run([panel], story)


def test_a_panel_grows_with_its_lines() -> None:
    panel, below = Lines([[("one", "")]]), Lines([[("below", "")]])

    async def story(app: Console, pilot: Pilot[None]) -> None:
        assert screen_text(app).splitlines()[1] == "below"
        panel.show([[("one", "")], [("two", "")]])
        await pilot.pause()
        assert screen_text(app).splitlines()[1:3] == ["two", "below"]

    run([panel, below], story)


ROWS = [Key("s", f"do_{n}", f"f{n}", f"label{n}", "Does it.", n) for n in range(1, 10)]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_bars_use_the_width_and_no_more(width: int) -> None:
    title, status, bar = TitleBar(), StatusLine(), KeyBar()

    async def story(app: Console, pilot: Pilot[None]) -> None:
        title.set_title("a title " * 40, "▶ train 3/9")
        status.say("said " * 60, "warn")
        bar.show_keys([*ROWS, Key("s", "hidden", "x", "hidden", "Is not shown.")])
        await pilot.pause()
        rows = screen_text(app).splitlines()
        assert rows[0].startswith(" voicetui  a title")
        assert rows[0].endswith("… ▶ train 3/9")
        assert cell_len(rows[0]) == width - 1
        assert cell_len(rows[1]) == width
        assert cell_len(rows[2]) <= width
        assert "hidden" not in rows[2]
        # The lowest ranks stay, in the order in which they came, and none is cut.
        shown = [row.label for row in ROWS if f" {row.label} " in plain(bar.lines[0])]
        assert shown == [row.label for row in ROWS][: len(shown)]
        assert len(shown) == {60: 5, 80: 6, 200: 9}[width]
        status.say("")
        await pilot.pause()
        assert screen_text(app).splitlines()[1] == ""

    run([title, status, bar], story, (width, 10))


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日 …"),
        ("abc", 0, ""),
        ("abc", 1, "…"),
        ("a\x1b[2Jb", 8, "a␛[2Jb  "),
    ],
)
def test_texts_are_fitted(text: str, width: int, shown: str) -> None:
    assert fitted(text, width) == shown
    assert cell_len(fitted(text, width)) == width


def test_texts_are_wrapped_at_spaces_and_long_words_anywhere() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("abcdefgh ij", 4) == ["abcd", "efgh", "ij"]
    assert wrapped("日本語テキスト", 5) == ["日本", "語テ", "キス", "ト"]
    assert wrapped("", 10) == [""]
    assert all(cell_len(line) <= 66 for line in wrapped("[" * 10_000, 66))
