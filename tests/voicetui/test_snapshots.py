"""Pictures of screens with settled data, at two sizes and in two themes.

`pytest tests/voicetui/test_snapshots.py --snapshot-update` takes them anew; look at them then.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from helpers_console import make_console
from textual.pilot import Pilot

from engine.doctor import Check
from voicetui import preferences
from voicetui.app import Opening
from voicetui.screens.doctor import DoctorScreen
from voicetui.screens.help import HelpScreen
from voicetui.themes import DARK, LIGHT

SIZES = [(80, 24), (160, 45)]
THEMES = [DARK.name, LIGHT.name]
CHECKS = [
    Check("driver", "GPU", "ok", "570.86.15, for CUDA up to 12.8", ""),
    Check("GPU 0", "GPU", "ok", "RTX 4090, 22.8 GB of 24.0 GB free, tier A", ""),
    Check("memory", "Machine", "ok", "54.0 GB of 62.7 GB free", ""),
    Check("/dev/shm", "Machine", "ok", "31.4 GB of 31.4 GB free", ""),
    Check(
        "disk",
        "Machine",
        "warning",
        "11.2 GB of 250.0 GB free for /workspace/voices",
        "A checkpoint takes 5.3 GB. Free 20 GB or more, or lower keep_checkpoints.",
    ),
    Check("size", "Terminal", "ok", "80x24", ""),
    Check("colours", "Terminal", "ok", "256 (TERM is tmux-256color)", ""),
    Check("XTTS bases", "Models", "ok", "xtts-v2.0.3", ""),
    Check(
        "torch on GPU",
        "Try-outs",
        "failure",
        "CUDA error: no kernel image is available for execution on the device",
        "This card needs a build of torch for its generation: reinstall torch.",
    ),
]
Snap = Callable[..., bool]


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the doctor has told all that it found."""
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, DoctorScreen)
    while screen._helper is None or not screen._helper.done:
        await pilot.pause(0.01)
    screen._show_more()
    await pilot.pause()


def picture(snap: Snap, opening: Opening, size: tuple[int, int], theme: str, **how: object) -> bool:
    preferences.save(preferences.Preferences(theme=theme))
    return snap(make_console(opening), terminal_size=size, **how)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_help(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    def opening(console: object) -> None:
        console.push_screen(HelpScreen("doctor"))

    assert picture(snap_compare, opening, size, theme, press=["4", "slash", *"slow", "enter"])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_doctor(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    def opening(console: object) -> None:
        console.push_screen(DoctorScreen(look=lambda *_: CHECKS))

    assert picture(snap_compare, opening, size, theme, run_before=settled)
