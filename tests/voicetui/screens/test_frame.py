"""What all screens share: frame, size, footer, dialogs, palette, themes, ASCII, hostile texts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest
from helpers_console import make_console, screen_text
from helpers_jobs import HOSTILE
from textual.events import Paste
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from voicetui import preferences
from voicetui.app import Console
from voicetui.screens.base import ConsoleScreen, Dialog
from voicetui.screens.dialogs import Choice, Choose, Message, Prompt
from voicetui.screens.help import HelpScreen
from voicetui.screens.palette import Palette
from voicetui.themes import THEMES
from voicetui.widgets.bars import StatusLine, TitleBar
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import FixedRows, RowList

Story = Callable[[Console, Pilot[None]], Awaitable[None]]
# What a stranger may put into a name or a transcript.
STRANGE = (
    HOSTILE,
    "[red]no[/red] [@click=app.exit]click[/]",
    "$foreground $primary {braces} %s \\",
    "\u202eright to left\u202c שלום مرحبا",
    "zero\u200bwidth\u2060 and\ufeff hidden",
    "a" + "\u0301" * 40,
    "[" * 10_000,
)


class Frame(ConsoleScreen):
    """A list below a panel, with the doctor's keys."""

    scope = "doctor"
    heading = "frame"

    def __init__(self, text: str = "hello", possible: bool = True) -> None:
        super().__init__()
        self.text = text
        self.possible = possible
        self.done: list[str] = []

    def body(self) -> Iterable[Widget]:
        yield Lines([[(self.text, "bold")]], id="panel")
        yield RowList(FixedRows([[(self.text, "")]] * 3))

    def title_text(self) -> str:
        return self.text

    def is_possible(self, action: str) -> bool:
        return self.possible or action != "copy"

    def action_copy(self) -> None:
        self.done.append("copy")

    def action_again(self) -> None:
        self.done.append("again")


def run(story: Story, frame: Frame | None = None, size: tuple[int, int] = (80, 24)) -> None:
    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(frame or Frame()))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(app, pilot)

    asyncio.run(tell())


async def until_shown(app: Console, pilot: Pilot[None], text: str) -> None:
    """Wait until the screen in sight holds a text."""
    for _ in range(300):
        if text in screen_text(app):
            return
        await pilot.pause(0.01)
    raise AssertionError(f"{text!r} was not shown:\n{screen_text(app)}")


def is_safe(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


# --- frame --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (200, 50)])
def test_title_status_and_keys_stand_at_their_places(size: tuple[int, int]) -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.say("Saved.", "good")
        await pilot.pause()
        rows = screen_text(app).splitlines()
        assert len(rows) == size[1]
        assert rows[0].startswith(" voicetui  hello")
        assert rows[1].rstrip() == "hello"
        assert rows[-2] == " Saved."
        assert " ?  help" in rows[-1]
        assert all(len(row) <= size[0] for row in rows)

    run(story, size=size)


def test_a_screen_that_is_too_small_says_what_it_needs() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(59, 24)
        await until_shown(app, pilot, "needs")
        first, second = screen_text(app).strip().splitlines()
        assert first == "The console needs 60x18; this is 59x24."
        assert second == "Make it larger; until then only q and Ctrl-C work."
        await pilot.resize_terminal(60, 18)
        await until_shown(app, pilot, "hello")
        assert "needs" not in screen_text(app)

    run(story)


def test_a_screen_that_is_too_small_obeys_only_the_keys_that_leave() -> None:
    frame = Frame()

    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.push_screen(asked := Frame())
        field = Input()
        await pilot.pause()
        await asked.mount(field)
        await pilot.resize_terminal(59, 24)
        await until_shown(app, pilot, "needs 60x18")
        await pilot.press("y", "r", "f1", "colon", "f8", "down", "enter")
        assert app.screen is asked
        assert asked.done == []
        assert app.theme == THEMES[0].name
        field.focus()
        await pilot.press("x")
        app.post_message(Paste("pasted"))
        await pilot.press("q")
        assert app.screen is frame
        assert field.value == ""
        await pilot.resize_terminal(80, 24)
        await until_shown(app, pilot, "hello")
        await pilot.press("y")
        assert frame.done == ["copy"]

    run(story, frame)


def test_the_bottom_screen_is_quit_and_the_others_go_back() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until_shown(app, pilot, " q  quit")
        app.push_screen(Frame())
        await until_shown(app, pilot, " q  back")

    run(story)


def test_a_key_that_does_nothing_now_is_not_in_the_footer_and_does_nothing() -> None:
    frame = Frame(possible=False)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        footer = screen_text(app).splitlines()[-1]
        assert "again" in footer
        assert "copy" not in footer
        await pilot.press("y")
        await pilot.pause()
        assert "That is not possible now." in screen_text(app)
        await pilot.press("r")
        assert frame.done == ["again"]
        frame.possible = True
        frame.refresh_keys()
        await pilot.press("y")
        assert frame.done == ["again", "copy"]
        assert "copy" in screen_text(app).splitlines()[-1]

    run(story, frame)


def test_foreign_text_is_literal_everywhere() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        for text in STRANGE:
            app.push_screen(Frame(text))
            await pilot.pause()
            app.say(text, "warn")
            await pilot.pause()
            assert is_safe(screen_text(app))
            if "[" in text:
                # Title, panel, three rows and the status line.
                mark = text[text.index("[") :][:3]
                assert sum(mark in row for row in screen_text(app).splitlines()) == 6
            app.push_screen(Message(text[:200], text))
            await pilot.pause()
            assert is_safe(screen_text(app))
            app.pop_screen()
            app.push_screen(
                Prompt(text[:200], text[:200], value=text[:200], check=lambda _, told=text: told)
            )
            await pilot.pause()
            assert is_safe(screen_text(app)), text
            assert len(app.screen_stack) == 4
            app.pop_screen()
            app.pop_screen()

    run(story)


def test_titles_and_states_of_any_kind_are_made_safe() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.screen.query_one(TitleBar).set_title(HOSTILE, HOSTILE)
        app.screen.query_one(StatusLine).say(HOSTILE)
        await pilot.pause()
        assert is_safe(screen_text(app))
        assert "[bold]x[/]" in screen_text(app).splitlines()[0]

    run(story)


# --- dialogs ------------------------------------------------------------------------------------


async def ask(
    app: Console, pilot: Pilot[None], dialog: Dialog[str], *pressed: str
) -> list[str | None]:
    """The answers of a dialog after some keys; the frame is in sight again."""
    answers: list[str | None] = []
    app.push_screen(dialog, answers.append)
    await pilot.press(*pressed)
    await pilot.pause()
    assert len(app.screen_stack) == 2, "one key closed more than the dialog"
    return answers


def test_a_choice_is_made_by_its_letter_or_left_without_esc() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        choices = [Choice("s", "stop"), Choice("d", "delete")]
        for pressed, answer in [("d", "d"), ("q", None), ("ctrl+g", None), ("escape", None)]:
            dialog = Choose("Really?", "It is gone then.", choices)
            assert await ask(app, pilot, dialog, "x", pressed) == [answer], pressed
        assert await ask(app, pilot, Choose("?", "", [Choice("q", "stay")]), "q") == ["q"]

    run(story)


def test_a_message_closes_by_plain_keys() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        for pressed in ("q", "enter", "space", "ctrl+g"):
            assert await ask(app, pilot, Message("Note", "It is so."), pressed) == [None], pressed

    run(story)


def test_a_prompt_takes_only_what_its_check_allows() -> None:
    def check(value: str) -> str:
        return "" if value.isdigit() else f"{value or 'Nothing'} is no number."

    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.push_screen(Prompt("How many?", check=check))
        await pilot.press("x")
        await pilot.pause()
        assert "x is no number." in screen_text(app)
        await pilot.press("enter")
        assert isinstance(app.screen, Prompt)
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert await ask(app, pilot, Prompt("How many?", check=check), "4", "2", "enter") == ["42"]
        assert await ask(app, pilot, Prompt("How many?", value="7"), "enter") == ["7"]
        assert await ask(app, pilot, Prompt("How many?"), "q", "ctrl+g") == [None]

    run(story)


# --- palette ------------------------------------------------------------------------------------


def test_the_palette_finds_and_runs_an_action() -> None:
    frame = Frame()

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("colon")
        await pilot.pause()
        assert isinstance(app.screen, Palette)
        for shown in ("Check everything again.", "The list of projects.", "Ctrl-C"):
            assert shown in screen_text(app)
        await pilot.press(*"copy")
        await pilot.pause()
        assert "Check everything again." not in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert frame.done == ["copy"]
        assert app.screen is frame
        # An action of the app too.
        await pilot.press("f2", *"theme", "enter")
        await pilot.pause()
        assert app.theme == THEMES[1].name

    run(story, frame)


def test_the_palette_moves_by_arrows_and_closes_without_esc() -> None:
    frame = Frame()

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("colon", "down", "down", "up", "enter")
        await pilot.pause()
        assert frame.done == ["again"]
        for closing in ("backspace", "ctrl+g"):
            await pilot.press("colon", "x", "space", "backspace", "backspace")
            assert isinstance(app.screen, Palette)
            assert app.screen.query_one(Input).value == ""
            await pilot.press(closing)
            await pilot.pause()
            assert app.screen is frame
        await pilot.press("colon", *"zzzz", "enter")
        await pilot.pause()
        assert app.screen is frame

    run(story, frame)


def test_a_command_that_is_not_possible_now_says_why() -> None:
    frame = Frame(possible=False)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("colon", *"copy", "enter")
        await pilot.pause()
        assert frame.done == []
        assert "That is not possible now." in screen_text(app)

    run(story, frame)


# --- themes, colours, letters -------------------------------------------------------------------


def test_the_theme_key_switches_and_is_remembered() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        for theme in (*THEMES[1:], THEMES[0]):
            await pilot.press("f8")
            await pilot.pause()
            assert app.theme == theme.name
            assert theme.name.removeprefix("voicetui-") in screen_text(app).splitlines()[-2]
            assert preferences.load().theme == theme.name
        await pilot.press("f8")

    run(story)
    assert make_console(lambda _: None).theme == THEMES[1].name


def test_a_theme_that_is_gone_gives_the_first() -> None:
    preferences.save(preferences.Preferences(theme="pink"))
    assert make_console(lambda _: None).theme == THEMES[0].name


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_is_chosen_can_be_read_in_each_theme(theme: object) -> None:
    preferences.save(preferences.Preferences(theme=theme.name))

    async def story(app: Console, pilot: Pilot[None]) -> None:
        rows = app.screen.query_one(RowList)
        rows.focus()
        await pilot.pause()
        for name in ("cursor", "chosen", "inverse", "head", "", "dim", "good", "bad", "warn"):
            style = rows.rich_style + rows.style_of(name)
            assert style.color is not None
            assert style.bgcolor is not None
            assert contrast(style.color.triplet, style.bgcolor.triplet) >= 4.0, name

    run(story)


def contrast(one: tuple[int, int, int], two: tuple[int, int, int]) -> float:
    """WCAG 2's ratio of two colours, 1 to 21."""

    def luminance(colour: tuple[int, int, int]) -> float:
        parts = [value / 255 for value in colour]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_ascii_mode_shows_ascii_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICETUI_ASCII", "1")

    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.push_screen(HelpScreen("dashboard"))
        for number in range(8):
            await pilot.press(str(number + 1))
            assert screen_text(app).isascii(), [c for c in screen_text(app) if not c.isascii()]
        app.pop_screen()
        app.push_screen(Message("Note", "Shown … as it is"))
        await pilot.pause()
        assert screen_text(app).isascii()
        await pilot.press("q", "colon")
        await pilot.pause()
        assert screen_text(app).isascii()

    run(story)


def test_no_color_leaves_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.say("bad", "bad")
        await pilot.pause()
        colours = [
            colour
            for strip in app.screen._compositor.render_strips(app.size)
            for _, style, _ in strip
            if style is not None
            for colour in (style.color, style.bgcolor)
            if colour is not None and colour.triplet is not None
        ]
        assert colours
        assert all(len(set(colour.triplet)) == 1 for colour in colours), "greys only"

    run(story)
