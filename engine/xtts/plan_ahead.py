"""A look ahead before the first epoch: where memory may be short, the batch that fits is measured.

Nothing is measured where an estimate leaves plenty, so that small runs begin at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import FailedError
from engine.events import Event, Warned
from engine.project import Project
from engine.settings import TrainingSettings
from engine.training import memory, plan
from engine.xtts import plan_process
from engine.xtts.mel import SAMPLE_RATE
from engine.xtts.network import network_of

if TYPE_CHECKING:
    from engine.training.precision import Place
    from engine.xtts.features import Features

# An estimate beyond this share of what is free is too close to be relied on.
_CLOSE = 0.6


def look_ahead(
    project: Project,
    base: Path,
    features: Features,
    place: Place,
    *,
    check: Callable[[], None],
    emit: Callable[[Event], None],
) -> None:
    """Tell what a step takes, and warn of a batch that will not fit, where that is in doubt.

    Call it before the network is on the device. `check` may raise to stop.
    """
    free, _ = place.vram() or plan_process.ram()
    if estimate(project.settings.training, base, features, place) <= _CLOSE * free:
        return
    place.empty_cache()
    try:
        found = plan_process.measure(project, check=check, emit=emit)
    except FailedError as error:
        emit(_unmeasured(error))
        return
    emit(found)
    if told := plan.shortage(found):
        emit(told)


def estimate(settings: TrainingSettings, base: Path, features: Features, place: Place) -> int:
    """Bytes that a step with the longest clips takes, by the sizes of the network."""
    entries = [features.entries[index] for index in features.of_split("train")]
    longest = max(entries, key=lambda entry: entry.tokens + entry.codes)
    return memory.training_bytes(
        plan_process.clips_together(settings, longest, len(entries)),
        "cuda" if place.device.type == "cuda" else "cpu",
        "bf16" if place.mixes else "fp32",
        longest.samples / SAMPLE_RATE,
        network_of(base) or memory.XTTS,
    )


def _unmeasured(error: FailedError) -> Warned:
    return Warned(
        "short_of_memory",
        f"The memory that a step takes could not be measured. {error}",
        "Training may end for the same reason.",
        "If it does, nothing that was saved is lost: change these settings and train again.",
    )
