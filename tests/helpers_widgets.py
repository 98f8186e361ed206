"""Runs and an app for tests of the dashboard's widgets."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widget import Widget

import voicetui
from engine.events import Evaluated, Step
from engine.series import Series
from voicetui.themes import THEMES
from voicetui.widgets.styled import STYLE_CLASSES


def step(number: int, loss: float = 3.5, **changes: Any) -> Step:
    values: dict[str, Any] = {
        "step": number,
        "steps": 1000,
        "epoch": 1,
        "epochs": 2,
        "loss": loss,
        "loss_text_ce": 0.03,
        "loss_mel_ce": loss - 0.03,
        "text_ce": 3.0,
        "mel_ce": loss - 0.03,
        "lr": 5e-6,
        "grad_norm": 1.0,
        "clips": 4,
        "audio_seconds": 20.0,
        "seconds": 2.0,
        "loader_seconds": 0.01,
        "eta": 600.0,
        "memory": 18.2e9,
    }
    return Step(**{**values, **changes})


def series(losses: list[float]) -> Series:
    """The steps from 1 on with these losses."""
    made = Series()
    for number, loss in enumerate(losses, 1):
        made.add(step(number, loss))
    return made


def evaluated(number: int, loss: float, epoch: int = 1) -> Evaluated:
    return Evaluated(number, epoch, loss, 0.02, loss - 0.02, 2.0, loss - 0.02, False, 1.0)


def falling(count: int, seed: int = 1) -> list[float]:
    """Noisy losses that fall from 4.4 to 2.6, with a spike now and then."""
    noise = random.Random(seed)
    losses = [2.6 + 1.8 * math.exp(-5 * n / count) + noise.gauss(0, 0.12) for n in range(count)]
    for n in range(30, count, 70):
        losses[n] += 1.2
    return losses


class PlainScreen(Screen[None]):
    """A screen for the console's own widgets and nothing else."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*STYLE_CLASSES}


class Host(App[None]):
    """Shows one widget in the console's colours."""

    CSS_PATH = Path(voicetui.__file__).parent / "theme" / "console.tcss"

    def __init__(self, widget: Widget, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.widget = widget
        self.ascii_only = ascii_only
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def get_default_screen(self) -> Screen[None]:
        return PlainScreen()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(THEMES[0].variables)

    def compose(self) -> ComposeResult:
        yield self.widget


def rows_of(widget: Widget) -> list[str]:
    """What a widget draws."""
    return [widget.render_line(y).text for y in range(widget.size.height)]
