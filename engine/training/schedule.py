"""The learning rate as a pure function of the step, so that resuming has nothing to restore."""

from __future__ import annotations

import math

from engine.settings import TrainingSettings


def first_cycle(settings: TrainingSettings) -> float:
    """Epochs in the first cosine cycle; 0 in the settings means a quarter of all, at least one."""
    return settings.restart_epochs or max(1.0, settings.epochs / 4)


def learning_rate(
    settings: TrainingSettings, step: int, epoch: int, position: int, steps_per_epoch: int
) -> float:
    """The rate of optimiser step `step` (from 0), the `position`-th of epoch `epoch` (both from 0).

    Cosine annealing with warm restarts as in Loshchilov & Hutter (SGDR, 2017, eq. 5), moved along
    with every step; the warm-up scales it linearly over the first steps of the run.
    """
    peak, low = settings.learning_rate, settings.final_learning_rate
    rate = peak
    if settings.scheduler == "cosine_restarts":
        # Whole steps: fractions of an epoch would add up to restarts a step too late.
        done = epoch * steps_per_epoch + position
        cycle = max(1, round(first_cycle(settings) * steps_per_epoch))
        while done >= cycle:
            done -= cycle
            cycle *= settings.restart_growth
        # A floor above the peak would make the rate rise.
        low = min(low, peak)
        rate = low + (peak - low) * (1 + math.cos(math.pi * done / cycle)) / 2
    if step < settings.warmup_steps:
        rate *= (step + 1) / (settings.warmup_steps + 1)
    return rate
