"""A row of questions and long calls behind one key, written as one coroutine.

It belongs to the app and not to a screen, so that a session that is being made is also started when
its screen is gone by then. Only one goes at a time.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from voicetui.app import Console
from voicetui.screens.base import Dialog

Answer = TypeVar("Answer")
_GROUP = "flow"


def begin(console: Console, what: str, steps: Coroutine[Any, Any, None]) -> None:
    """Run the steps of one action, unless those of another one have not ended."""
    busy = [worker for worker in console.workers if worker.group == _GROUP and worker.is_running]
    if busy:
        steps.close()
        console.say(f"One thing after the other: {busy[0].description} comes first.", "warn")
        return
    console.run_worker(steps, group=_GROUP, description=what)


async def ask(console: Console, dialog: Dialog[Answer]) -> Answer | None:
    """Show a dialog and wait for its answer; None when it was cancelled."""
    return await console.push_screen_wait(dialog)
