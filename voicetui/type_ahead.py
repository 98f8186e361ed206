"""Keys that arrive together, as they do over a slow line or when text is pasted.

Textual hands all of them to what has the focus when they arrive, so letters that were meant for the
dialog which the first one opens land on the screen behind it. Here a key waits until the one before
has done all that it does.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen

# A key whose end is never heard of (its widget is gone) holds the next one up for so long.
_LOST_SECONDS = 0.3
# A screen that a key opened needs so long until its fields are there and one has the focus.
_OPENING_SECONDS = 0.1


class KeyDone(Message):
    """Follows a key on its way through the widgets, and reaches the app behind it."""


class TypeAhead(App[None]):
    """An app that takes one key after the other. Ctrl-C waits for nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._waiting: deque[events.Key] = deque()
        self._at_work = False
        self._moved_at = 0.0
        self._under: Screen[Any] | None = None

    async def on_event(self, event: events.Event) -> None:
        is_new_key = isinstance(event, events.Key) and not event.is_forwarded
        if not is_new_key or event.key == "ctrl+c":  # type: ignore[attr-defined]
            await super().on_event(event)
            return
        self._waiting.append(event)  # type: ignore[arg-type]
        if not self._at_work:
            await self._hand_on()
        elif len(self._waiting) == 1:
            self.set_timer(_LOST_SECONDS, self._look_for_lost)

    async def _hand_on(self) -> None:
        key = self._waiting.popleft()
        self._under = self.screen
        target = self.focused or self._under
        self._at_work = True
        self._moved_at = time.monotonic()
        await super().on_event(key)
        if not target.post_message(KeyDone()):
            self._at_work = False

    async def on_key_done(self) -> None:
        if self.screen is not self._under:
            self._moved_at = time.monotonic()
            self.set_timer(_OPENING_SECONDS, self._next_key)
        else:
            await self._next_key()

    async def _next_key(self) -> None:
        self._at_work = False
        # An app that is closing has no screen any more.
        if self._waiting and self.screen_stack:
            await self._hand_on()

    async def _look_for_lost(self) -> None:
        if not self._waiting:
            return
        if time.monotonic() - self._moved_at >= _LOST_SECONDS:
            await self._next_key()
        self.set_timer(_LOST_SECONDS, self._look_for_lost)
