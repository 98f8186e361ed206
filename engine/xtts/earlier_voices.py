"""The voices that a base learned before, as the training loop measures them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.project import Project
from engine.settings import TrainingSettings
from engine.training.forgetting import EarlierVoice
from engine.xtts import base as bases
from engine.xtts import held_out, load

if TYPE_CHECKING:
    from engine.training.precision import Place
    from engine.xtts.features import Features

_CACHE = "earlier_voices"


def features_of(
    project: Project, base: Path, place: Place, check: Callable[[], None]
) -> dict[str, Features]:
    """The held-out clips of each voice that the base learned before, but for the project's own.

    Call it before a run seeds its random numbers: what it builds may use some. `check` may raise to
    stop. Raises DamagedError, DatasetError and BaseModelError.
    """
    return {
        each.voice: held_out.features(each, project.cache_dir / _CACHE, base, place.device, check)
        for each in held_out.read(base)
        # The same voice goes on learning, with held-out clips of its own.
        if each.voice != project.name
    }


def voices_of(
    features: Mapping[str, Features], base: Path, gpt: Any, settings: TrainingSettings, place: Place
) -> list[EarlierVoice]:
    """The same as the loop takes them; `gpt` is what it trains."""
    from engine.xtts.task import XttsTask

    identity = bases.identity(base) if features else ""
    return [
        EarlierVoice(
            name,
            len(found.entries),
            f"{identity} {found.identity}",
            XttsTask(gpt, found, load.mel_stats_of(base), settings, place),
        )
        for name, found in features.items()
        if found.entries
    ]
