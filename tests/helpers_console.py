"""A console for tests: no signals, no real terminal, the size that a test wants."""

from __future__ import annotations

from collections.abc import Mapping

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
