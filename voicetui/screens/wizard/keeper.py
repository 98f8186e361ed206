"""Keeps a wizard's draft on the disk, soon after every change, and offers it again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.timer import Timer
from textual.widget import Widget

from engine.text import clean
from voicetui import drafts
from voicetui.drafts import Draft
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.wizard import plan

_SAVE_SECONDS = 0.5


def half_filled(kept: Draft) -> Choose:
    """Asks what shall become of a draft: "g" go on with it, "a" start anew."""
    whose = f"of {clean(kept.name)} " if kept.name.strip() else ""
    number = max(0, min(kept.step, len(plan.STEPS) - 1))
    return Choose(
        "There is a half-filled wizard",
        f"The answers {whose}were kept when it was left, at step {number + 1} of "
        f"{len(plan.STEPS)} ({plan.STEPS[number]}).",
        [Choice("g", "go on with them"), Choice("a", "start anew and throw them away")],
    )


class Keeper:
    """The draft of a project's folder, or of a new project (None); written in a helper thread."""

    def __init__(self, screen: Widget, folder: Path | None) -> None:
        self._screen = screen
        self._folder = folder
        self._waiting: Draft | None = None
        self._timer: Timer | None = None
        self._disk = asyncio.Lock()

    def keep(self, draft: Draft) -> None:
        """Write a draft soon; what is changed until then goes with it."""
        self._waiting = draft
        if self._timer is None:
            self._timer = self._screen.set_timer(_SAVE_SECONDS, self._save)

    async def _save(self) -> None:
        async with self._disk:
            self._timer = None
            draft, self._waiting = self._waiting, None
            if draft is not None:
                await asyncio.to_thread(drafts.save, self._folder, draft)

    async def forget(self) -> None:
        """Throw the draft away, also one that is being written now."""
        async with self._disk:
            self._waiting = None
            await asyncio.to_thread(drafts.forget, self._folder)

    def close(self) -> None:
        """Write at once what still waits."""
        if self._waiting is not None:
            drafts.save(self._folder, self._waiting)
            self._waiting = None
