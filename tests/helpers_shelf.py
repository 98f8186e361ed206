"""Stories that are told to the screen of pretrains."""

from __future__ import annotations

from helpers_story import Story

from voicetui.app import Console
from voicetui.screens.pretrains.screen import PretrainsScreen


def shelf(console: Console) -> None:
    """Open the screen for no project."""
    console.open_pretrains()


def screen_of(story: Story) -> PretrainsScreen:
    found = [screen for screen in story.app.screen_stack if isinstance(screen, PretrainsScreen)]
    return found[-1]


async def listed(story: Story) -> PretrainsScreen:
    """Wait for the list."""
    screen = screen_of(story)
    await story.until(lambda: screen.shelf.items, "the list")
    await story.pilot.pause()
    return screen


def asked(story: Story) -> str:
    """What a dialog says, as running text."""
    lines = [line.split("│") for line in story.text.splitlines()]
    return " ".join(" ".join(parts[1] for parts in lines if len(parts) > 2).split())


async def put_on(story: Story, slug: str) -> None:
    """Put the cursor on a pretrain, wherever it stands."""
    screen = screen_of(story)
    screen.wish_for(slug)
    screen.show_list()
    await story.until(lambda: screen.chosen is not None and screen.chosen.slug == slug, slug)
