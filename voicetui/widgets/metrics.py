"""What the chart can show of a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from engine.events import Evaluated
from voicetui.amounts import size
from voicetui.widgets.plot import tick_texts


def _loss(value: float) -> str:
    return f"{value:.3f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.2e}"


def _small(value: float) -> str:
    return f"{value:.4f}" if 1e-4 <= abs(value) < 1e4 or value == 0 else f"{value:.2e}"


def _rate(value: float) -> str:
    return f"{value:.2e}" if value else "0"


def _norm(value: float) -> str:
    return f"{value:.2f}" if 0.01 <= abs(value) < 1e5 or value == 0 else f"{value:.1e}"


def _speed(value: float) -> str:
    return f"{value:.2f}" if value < 1e5 else f"{value:.1e}"


def _memory(value: float) -> str:
    return size(max(0.0, value))


@dataclass(frozen=True)
class Metric:
    """One thing to show.

    `series` is its name in `engine.series`, `held_out` gives the value of an evaluation where there
    is one. `unit` is "" where `text` gives it too, and where there is none. What is not noisy needs
    no smoothed line.
    """

    name: str
    label: str
    series: str
    unit: str
    help: str
    text: Callable[[float], str]
    held_out: Callable[[Evaluated], float] | None = None
    is_noisy: bool = True

    @property
    def has_held_out(self) -> bool:
        return self.held_out is not None

    def show(self, value: float | None) -> str:
        """A value with its unit; "-" when there is none, and a word when it is not finite."""
        if value is None:
            return "-"
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
        return f"{self.text(value)} {self.unit}".rstrip()


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "loss",
            "loss",
            "loss",
            "",
            "How wrong the model is, text and sound together. Lower is better.",
            _loss,
            lambda evaluation: evaluation.loss,
        ),
        Metric(
            "text_ce",
            "text loss",
            "loss_text_ce",
            "",
            "How badly the model reads the text, weighted as coqui logs it. Lower is better.",
            _small,
            lambda evaluation: evaluation.loss_text_ce,
        ),
        Metric(
            "mel_ce",
            "mel loss",
            "loss_mel_ce",
            "",
            "How badly the model predicts the sound. Lower is better.",
            _loss,
            lambda evaluation: evaluation.loss_mel_ce,
        ),
        Metric(
            "lr",
            "learning rate",
            "lr",
            "",
            "How far each step moves the model. The schedule sets it.",
            _rate,
            is_noisy=False,
        ),
        Metric(
            "grad_norm",
            "gradient norm",
            "grad_norm",
            "",
            "How strongly a step pulls, before clipping. Spikes tell of odd clips.",
            _norm,
        ),
        Metric(
            "clips_per_second",
            "speed",
            "clips_per_second",
            "clips/s",
            "Clips trained per second. A fall tells of slow data or a hot GPU.",
            _speed,
        ),
        Metric(
            "memory",
            "memory",
            "memory",
            "",
            "The most that training needed: of the GPU, or of RAM on CPU.",
            _memory,
            is_noisy=False,
        ),
    )
}


def axis_texts(metric: Metric, values: list[float]) -> list[str]:
    """The texts of an axis' ticks."""
    if metric.text is not _memory:
        return tick_texts(values)
    largest = max(map(abs, values), default=0.0)
    power = max(0, min(4, int(math.log10(largest)) // 3)) if largest >= 1 else 0
    unit = ("B", "kB", "MB", "GB", "TB")[power]
    return [f"{text} {unit}" for text in tick_texts([value / 1000**power for value in values])]
