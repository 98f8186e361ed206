"""A plan that is being measured while a person looks at the settings."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from engine.events import Planned
from engine.project import Project
from engine.settings import TrainingSettings
from voicetui.helper import Helper


class Measuring:
    """Measures what training a prepared project takes, with these settings; begins at once."""

    def __init__(self, project: Project, settings: TrainingSettings) -> None:
        values = {f"training.{k}": v for k, v in dataclasses.asdict(settings).items()}
        self._project = project.with_values(values)
        self._settings = settings
        self._began = time.monotonic()
        self._helper = Helper("plan", self._measure)

    def _measure(self, check: Callable[[], None]) -> Planned:
        from engine.xtts import plan_process

        return plan_process.measure(self._project, check=check, emit=lambda _: None)

    def is_for(self, settings: TrainingSettings) -> bool:
        """Whether the plan holds for these settings too.

        It does for any split of its effective batch, and however long the run is.
        """

        def matter(each: TrainingSettings) -> tuple[TrainingSettings, int]:
            together = each.batch_size * each.accumulation
            return dataclasses.replace(each, batch_size=1, accumulation=1, epochs=1), together

        return matter(settings) == matter(self._settings)

    @property
    def seconds(self) -> float:
        """How long it has measured."""
        return time.monotonic() - self._began

    @property
    def done(self) -> bool:
        return self._helper.done

    @property
    def plan(self) -> Planned | None:
        return self._helper.result if self._helper.done else None

    @property
    def problem(self) -> str:
        return self._helper.problem

    def stop(self) -> None:
        self._helper.stop()
