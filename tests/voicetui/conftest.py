"""The pilot's keys, in a fraction of the time.

After each key Textual's pilot waits until the process rests, in steps of 20 ms: most tests of the
console would spend most of their time with it. It also knows nothing of keys that our console
keeps back until the one before has done its work.
"""

from __future__ import annotations

import asyncio
import time

import textual.app
import textual.pilot
from textual import _wait
from textual._context import active_app

from voicetui.type_ahead import TypeAhead

_STEP_SECONDS = 0.005
_wait.SLEEP_GRANULARITY = _STEP_SECONDS
_wait_for_idle = _wait.wait_for_idle


async def rest(min_sleep: float = 0, max_sleep: float = 1) -> None:
    """Wait until the process rests and no key is kept back, `max_sleep` seconds at most."""
    deadline = time.monotonic() + max_sleep
    await _wait_for_idle(min_sleep, max_sleep)
    console = active_app.get(None)
    while isinstance(console, TypeAhead) and console._waiting and time.monotonic() < deadline:
        await asyncio.sleep(_STEP_SECONDS)
        await _wait_for_idle(min_sleep, max_sleep)


textual.app.wait_for_idle = textual.pilot.wait_for_idle = rest
