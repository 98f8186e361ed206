"""A console for tests: no signals, no real terminal, the size that a test wants."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from voicetui.app import Console, Opening
from voicetui.host import Host
from voicetui.signals import Signals


def make_console(opening: Opening, keymap: Mapping[str, str] | None = None) -> Console:
    """A console to use with `run_test`; `opening` shows its first screen."""

    def forced(number: int) -> None:
        raise AssertionError(f"signal {number} wanted an end at once")

    return Console(Host(Signals(), forced), None, opening, keymap)


def screen_text(app: Console) -> str:
    """What the screen shows, line by line."""
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join(strip.text.rstrip() for strip in strips)


def piloted(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Let pytest run a test that is a coroutine."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run
