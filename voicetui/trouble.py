"""Trouble that is foreseen: a full disk, a file or folder that is gone or cannot be read.

Textual ends the app at any error that a handler lets through, and the pump of the widget in any
case. What the file system or the engine refuses is told instead, and ends neither.
"""

from __future__ import annotations

from textual.message import Message
from textual.message_pump import MessagePump

from engine.errors import VoicetuiError

FORESEEN = (VoicetuiError, OSError)


class Sturdy(MessagePump):
    """Lets the app tell what its handlers could not do. Stands before Textual's class."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except FORESEEN as error:
            self.app._handle_exception(error)
