"""Typing that runs ahead of the screen, as over a slow line."""

from __future__ import annotations

import asyncio
import contextlib

from textual.widget import Widget

_PATIENCE_SECONDS = 0.5


async def settled(*places: Widget | None) -> None:
    """Wait until widgets, one after the other, took in what was sent to them before.

    Not to be called by what handles a message of one of them: it would wait for itself.
    """
    for place in places:
        if place is not None:
            done = asyncio.Event()
            place.call_later(done.set)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _PATIENCE_SECONDS)
