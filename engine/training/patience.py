"""When a run that learns nothing more ends early."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.settings import TrainingSettings
from engine.training.checkpoint import Evaluation, Progress


def is_over(progress: Progress, settings: TrainingSettings) -> bool:
    """Whether the held-out loss stood still for as long as the settings bear."""
    stale = epochs_without_better(progress.evaluations, progress.epoch, settings.early_stop_change)
    return 0 < settings.early_stop_epochs <= stale


def epochs_without_better(evaluations: Sequence[Evaluation], done: int, change: float) -> int:
    """How many of the `done` epochs are over since a loss was lower than all before by `change`."""
    best, since = math.inf, 0 if not evaluations else evaluations[0].epoch - 1
    for evaluation in evaluations:
        if evaluation.loss is not None and evaluation.loss < best:
            since = evaluation.epoch if evaluation.loss < best - change else since
            best = evaluation.loss
    return done - since if evaluations else 0
