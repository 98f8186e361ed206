"""Stories that are told to a console: keys pressed, and what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from helpers_console import make_console, screen_text
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from voicetui.app import Console, Opening
from voicetui.screens.setup import SetupScreen
from voicetui.screens.wizard.step import Step

S = TypeVar("S", bound=Screen[object])
StoryTeller = Callable[["Story"], Awaitable[None]]


class Story:
    """A console and a person at its keys."""

    def __init__(self, app: Console, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Put a text into the line that has the focus, as a terminal's paste does."""
        # A paste would overtake the key that opens the line.
        await self.until(lambda: not self.app._waiting and not self.app._at_work, "the keys")
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    async def until(self, holds: Callable[[], object], what: str = "it") -> None:
        """Wait until something holds."""
        for _ in range(300):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"{what} did not come about:\n{self.text}")

    async def until_shown(self, text: str) -> None:
        await self.until(lambda: text in self.text, repr(text))

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def setup(self) -> SetupScreen:
        found = [screen for screen in self.app.screen_stack if isinstance(screen, SetupScreen)]
        return found[-1]

    async def at_step(self, kind: type[Step]) -> None:
        """Wait until a step of the wizard is in sight."""
        await self.until(lambda: isinstance(self.setup.step, kind), kind.__name__)

    async def go_to(self, kind: type[Step]) -> None:
        """Walk on to a step of the wizard."""
        await self.until(lambda: self.setup.step is not None, "the first step")
        for _ in range(6):
            if isinstance(self.setup.step, kind):
                return
            await self.press("ctrl+n")
        raise AssertionError(self.text)


def tell(story: StoryTeller, opening: Opening, size: tuple[int, int] = (80, 24)) -> None:
    """Tell a story to a console of a size, from its first screen on."""

    async def run() -> None:
        app = make_console(opening)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(Story(app, pilot))

    asyncio.run(run())
