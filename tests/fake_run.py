"""The third maker of `voicetui.watching.Watched`: a run whose every event a test gives."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import events
from engine.eventlog import Record
from engine.events import Event
from engine.requests import Verb
from engine.runstate import RunState
from engine.series import Series


class FakeRun:
    """What `emit` gives is seen at the next poll. `asked` holds what was asked for, in order.

    With `answers`, each request is answered at once and well. `state` may be changed at will.
    """

    def __init__(
        self, folder: Path, job: str = "train", *, is_ours: bool = True, answers: bool = True
    ) -> None:
        self.folder = folder
        self.state = RunState(run=folder.name, job=job)
        self.series = Series()
        self.is_ours = is_ours
        self.behind = False
        self.read_share = 1.0
        self.asked: list[tuple[Verb, dict[str, object]]] = []
        self._answers = answers
        self._records: list[Record] = []
        self._new: list[Record] = []

    def emit(self, *told: Event, at: float | None = None) -> None:
        """Let the run tell something."""
        for event in told:
            record = Record(len(self._records) + 1, time.time() if at is None else at, event)
            self._records.append(record)
            self._new.append(record)

    def poll(self) -> list[Record]:
        new, self._new = self._new, []
        for record in new:
            self.state.apply(record)
            if isinstance(record.event, events.Resumed):
                self.series.rewind(record.event.step)
            if isinstance(record.event, events.Step):
                self.series.add(record.event)
        return new

    def recent(self, count: int) -> list[Record]:
        earlier = [each for each in self._records[:-count] if each.kind not in ("step", "progress")]
        return [*earlier[-count:], *self._records[-count:]]

    def ask(self, verb: Verb, **options: object) -> str:
        identifier = f"{len(self.asked):012x}"
        self.asked.append((verb, options))
        if self._answers:
            self.emit(events.RequestDone(identifier, verb, ok=True, message=f"{verb} it is"))
        return identifier


def step(number: int, steps: int = 400, **changes: Any) -> events.Step:
    """A step of a run with a calmly falling loss."""
    loss = 2.5 + 2.0 / (1 + number / 40)
    values: dict[str, Any] = {
        "step": number,
        "steps": steps,
        "epoch": 1 + (number - 1) // 100,
        "epochs": steps // 100,
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
        "eta": 2.0 * (steps - number),
        "memory": 9.5e9,
    }
    return events.Step(**{**values, **changes})


def evaluated(
    number: int, loss: float, *, best: bool = True, epoch: int | None = None
) -> events.Evaluated:
    """An evaluation after a step."""
    return events.Evaluated(
        number,
        number // 100 if epoch is None else epoch,
        loss,
        0.03,
        loss - 0.03,
        3.0,
        loss - 0.03,
        best,
        1.5,
    )


def story(steps: int = 200, planned: int = 400) -> Sequence[Event]:
    """The events of a run that works: `steps` steps with an evaluation and a save each 100."""
    told: list[Event] = [
        events.Started("train", 1, "0"),
        events.Samples(120, 20, 600.0, 90.0),
        events.Stage("training"),
    ]
    for number in range(1, steps + 1):
        if number % 100 == 1:
            told.append(events.Epoch(1 + number // 100, planned // 100, 100))
        told.append(step(number, planned))
        if number % 100 == 0:
            told.append(evaluated(number, 3.4 - number / 1000))
            name = f"step-{number:06d}"
            told.append(events.Saved(number, number // 100, name, 5_200_000_000, 8.0, best=True))
    return told
