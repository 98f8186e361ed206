"""Held-out losses: how they are measured, and what they say to a run."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from engine.training.checkpoint import Evaluation, Progress
from engine.training.division import divided
from engine.training.losses import Measured, measured, totals
from engine.training.precision import Place
from engine.training.prefetch import prefetched
from engine.training.stepping import TooLarge
from engine.training.task import Micro, Task


def held_out(task: Task, place: Place, check: Callable[[], None], *, halvings: int = 0) -> Measured:
    """The losses on the held-out clips, in batches that were halved so often.

    `check` is called for each batch and may raise to stop. Raises TooLarge.
    """
    micros = divided(task, task.held_out(), halvings, None)
    sums: dict[str, float] = {}
    task.model.eval()
    try:
        with (
            torch.no_grad(),
            contextlib.closing(prefetched(task, micros, None)) as batches,
        ):
            for micro, (batch, _) in zip(micros, batches, strict=True):
                check()
                for term, value in _sums(task, place, micro, batch).items():
                    sums[term] = sums.get(term, 0.0) + value
    finally:
        task.model.train()
    return measured(sums, totals(micros), task.weights)


def _sums(task: Task, place: Place, micro: Micro, batch: Any) -> dict[str, float]:
    try:
        with place.autocast():
            return {term: value.item() for term, value in task.sums(batch).items()}
    except torch.OutOfMemoryError:
        pass
    raise TooLarge(micro)


def recorded(progress: Progress, loss: float) -> Progress:
    """Where a run stands with one more held-out loss, which the present step reached."""
    finite = math.isfinite(loss)
    this = Evaluation(progress.epoch + 1, progress.step, loss if finite else None)
    progress = replace(progress, evaluations=(*progress.evaluations, this))
    if finite and (progress.best_loss is None or loss < progress.best_loss):
        progress = replace(progress, best_loss=loss, best_step=progress.step)
    return progress


def summary(progress: Progress) -> dict[str, Any]:
    """What a run has come to."""
    return {
        "step": progress.step,
        "epochs": progress.epoch,
        "best_loss": progress.best_loss,
        "best_step": progress.best_step,
        "seconds": round(progress.seconds, 1),
    }
