"""The learning rate as a pure function of the step, so that resuming has nothing to restore.

Settings count in epochs and rates move with every optimiser step: a length of 1.5 epochs is that
many steps, rounded. On the same steps the rates equal those of torch.optim.lr_scheduler, with one
floor for all, where torch knows one for some only, and a cosine that stays down when it has fallen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from engine.errors import SettingError
from engine.settings import TrainingSettings
from engine.text import clean

# What counts as a better evaluation: torch's default for ReduceLROnPlateau, a share of the best.
_BETTER = 1e-4
# The settings that `settled` writes out.
LENGTHS = ("restart_epochs", "decay_epochs")


def settled(settings: TrainingSettings) -> TrainingSettings:
    """The settings with the lengths that depend on the number of epochs written out.

    So a run that is continued for more epochs goes on with the schedule that it was begun with.
    """
    quarter = max(1.0, settings.epochs / 4)
    match settings.scheduler:
        case "cosine_restarts":
            return replace(settings, restart_epochs=settings.restart_epochs or quarter)
        case "cosine":
            return replace(settings, decay_epochs=settings.decay_epochs or float(settings.epochs))
        case "step" | "exponential":
            return replace(settings, decay_epochs=settings.decay_epochs or quarter)
    return settings


def milestones(settings: TrainingSettings) -> list[int]:
    """The epochs after which multi_step decays the rate. Raises SettingError."""
    text = settings.milestones
    try:
        epochs = [int(part) for part in text.split(",")] if text.strip() else []
    except ValueError:
        epochs = [0]
    if any(after <= before for before, after in zip([0, *epochs], epochs, strict=False)):
        raise SettingError(
            f"training.milestones is {clean(repr(text))}, but must be whole epochs that rise, "
            "such as 5,10,12."
        )
    return epochs


def reductions(losses: Sequence[float | None], patience: int) -> int:
    """How often the rate falls over these held-out losses, as torch's ReduceLROnPlateau counts.

    A loss that was not finite is None and is no better than another.
    """
    best, bad, count = math.inf, 0, 0
    for loss in losses:
        if loss is not None and loss < best * (1 - _BETTER):
            best, bad = loss, 0
        else:
            bad += 1
        if bad > patience:
            count, bad = count + 1, 0
    return count


def learning_rate(
    settings: TrainingSettings,
    step: int,
    epoch: int,
    position: int,
    steps_per_epoch: int,
    losses: Sequence[float | None] = (),
) -> float:
    """The rate of optimiser step `step` (from 0), the `position`-th of epoch `epoch` (both from 0).

    `losses` are the held-out losses before it, in their order; only plateau looks at them. The
    warm-up scales the rate linearly over the first steps of the run, as torch's LinearLR does.
    """
    settings = settled(settings)
    # Whole steps: fractions of an epoch would add up to decays a step too late.
    done = epoch * steps_per_epoch + position
    share = _share(settings, done, steps_per_epoch, losses)
    # A floor above the peak would make the rate rise.
    low = min(settings.final_learning_rate, settings.learning_rate)
    if settings.scheduler in ("cosine", "cosine_restarts"):
        rate = low + (settings.learning_rate - low) * share
    else:
        rate = max(low, settings.learning_rate * share)
    if step < settings.warmup_steps:
        rate *= (step + 1) / (settings.warmup_steps + 1)
    return rate


def _share(
    settings: TrainingSettings, done: int, steps_per_epoch: int, losses: Sequence[float | None]
) -> float:
    """What share of its height the rate has left after `done` steps."""
    factor = settings.decay_factor
    decay = _steps(settings.decay_epochs, steps_per_epoch)
    match settings.scheduler:
        case "cosine_restarts":
            return _restarted(settings, done, _steps(settings.restart_epochs, steps_per_epoch))
        case "cosine":
            return _cosine(min(done, decay), decay)
        case "step":
            return factor ** (done // decay)
        case "exponential":
            return math.pow(factor, done / decay)
        case "multi_step":
            passed = [m for m in milestones(settings) if m * steps_per_epoch <= done]
            return factor ** len(passed)
        case "plateau":
            return factor ** reductions(losses, settings.plateau_patience)
    return 1.0


def _steps(epochs: float, steps_per_epoch: int) -> int:
    return max(1, round(epochs * steps_per_epoch))


def _cosine(done: int, length: int) -> float:
    return (1 + math.cos(math.pi * done / length)) / 2


def _restarted(settings: TrainingSettings, done: int, cycle: int) -> float:
    """Cosine annealing with warm restarts (Loshchilov & Hutter, SGDR, 2017, eq. 5)."""
    while done >= cycle:
        done -= cycle
        cycle *= settings.restart_growth
    return _cosine(done, cycle)
