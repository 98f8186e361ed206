"""Keys that arrive in one packet do what they do when typed slowly."""

from __future__ import annotations

import asyncio

from helpers_console import make_console
from textual import events
from textual.widgets import Input

from voicetui.app import Console
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.dialogs import Prompt


class Asking(ConsoleScreen):
    """Opens a line of text by one key, as wizards do."""

    BINDINGS = [("n", "name", "")]  # noqa: RUF012
    answer: str | None = ""

    def action_name(self) -> None:
        self.app.push_screen(Prompt("Name"), self._named)

    def _named(self, answer: str | None) -> None:
        self.answer = answer


def packet(console: Console, text: str) -> None:
    """Let keys arrive together, as a terminal sends them over a slow line."""
    for character in text:
        key = "enter" if character == "\n" else character
        console.post_message(events.Key(key, character))


async def _letters_reach_the_dialog_that_the_first_one_opens() -> None:
    console = make_console(lambda app: app.push_screen(Asking()))
    async with console.run_test() as pilot:
        await pilot.pause()
        screen = console.screen
        assert isinstance(screen, Asking)
        packet(console, "nAnna n.\n")
        for _ in range(50):
            await pilot.pause()
            if screen.answer:
                break
        assert screen.answer == "Anna n."


async def _a_key_whose_widget_is_gone_holds_up_nothing() -> None:
    console = make_console(lambda app: app.push_screen(Asking()))
    async with console.run_test() as pilot:
        await pilot.press("n", "a")
        packet(console, "b")
        console.screen.query_one(Input).remove()
        packet(console, "c")
        await pilot.pause(0.5)
        assert not console._waiting


def test_letters_reach_the_dialog_that_the_first_one_opens() -> None:
    asyncio.run(_letters_reach_the_dialog_that_the_first_one_opens())


def test_a_key_whose_widget_is_gone_holds_up_nothing() -> None:
    asyncio.run(_a_key_whose_widget_is_gone_holds_up_nothing())
