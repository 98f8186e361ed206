"""What a job is doing, folded from its events.

Status, attach, the plain output and the console all see a job as the `RunState` that its events add
up to. Only one thing does not stand in the log: whether a job that has not ended is still alive
(`engine.status`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from engine import events
from engine.eventlog import Record, jsonable
from engine.events import fields_of

State = Literal["new", "running", "paused", "stopped", "failed", "finished", "crashed"]
ENDED: frozenset[State] = frozenset({"stopped", "failed", "finished", "crashed"})


@dataclass(frozen=True)
class Best:
    """The lowest held-out loss so far, and the step that reached it."""

    loss: float
    step: int


@dataclass
class RunState:
    """Everything that one look at a job shows. Times are seconds, losses as coqui logs them.

    `partial` tells that only some of its events were read: what they do not tell is missing.
    """

    run: str = ""
    job: str = ""
    state: State = "new"
    message: str = ""
    error: str = ""
    reason: str = ""
    pid: int = 0
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    loss_text_ce: float | None = None
    loss_mel_ce: float | None = None
    learning_rate: float | None = None
    eta: float | None = None
    elapsed: float = 0.0
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    saved_step: int | None = None
    checkpoint: str = ""
    warnings: list[events.Warned] = field(default_factory=list)
    evaluations: list[events.Evaluated] = field(default_factory=list)
    voice: str = ""
    # The epochs that the base had given to each voice, and those that this run has saved.
    epochs_before: dict[str, int] = field(default_factory=dict)
    epochs_saved: int = 0
    voice_evaluations: list[events.VoiceEvaluated] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    started_at: float = 0.0
    updated_at: float = 0.0
    partial: bool = False
    _worked: float = 0.0
    # When the pause began that still lasts; 0 without one.
    _paused_at: float = 0.0

    @property
    def best(self) -> Best | None:
        """The newest evaluation that no earlier one beat."""
        for evaluation in reversed(self.evaluations):
            if evaluation.best:
                return Best(evaluation.loss, evaluation.step)
        return None

    @property
    def voice_epochs(self) -> dict[str, int]:
        """The epochs given to each voice so far, oldest first."""
        if not self.voice:
            return {}
        before = self.epochs_before.get(self.voice, 0)
        return {**self.epochs_before, self.voice: before + self.epochs_saved}

    @property
    def earlier_voices(self) -> list[events.VoiceEvaluated]:
        """The newest evaluation of each earlier voice of the base."""
        return [*{each.voice: each for each in self.voice_evaluations}.values()]

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def apply(self, record: Record) -> None:
        """Take one more event of the job into account."""
        event = record.event
        if isinstance(event, events.Started):
            self._begin(event, record.t)
        self.updated_at = record.t
        # The time of a pause is no work.
        until = self._paused_at or record.t
        self.elapsed = self._worked + max(0.0, until - self.started_at)
        self._apply_course(event)
        self._apply_training(event)

    def _begin(self, event: events.Started, now: float) -> None:
        self._worked = self.elapsed
        self.started_at, self._paused_at = now, 0.0
        self.job, self.pid, self.state = event.job, event.pid, "running"
        self.message = self.error = self.reason = self.stage = ""

    def _apply_course(self, event: events.Event) -> None:
        """What any job tells: its stages, its warnings, how it ended."""
        match event:
            case events.Stage():
                self.stage, self.done = event.name, 0.0
                self.total, self.unit = event.total, event.unit
            case events.Progress():
                self.stage, self.done = event.stage, event.done
                self.total, self.unit = event.total, event.unit
            case events.Warned():
                self.warnings.append(event)
            case events.ClipDropped():
                self.dropped[event.reason] = self.dropped.get(event.reason, 0) + 1
            case events.Stopped():
                self.reason = event.reason
                self._end("stopped", "")
            case events.Failed():
                self.error = event.error
                self._end("failed", event.message)
            case events.Finished():
                self.summary = event.summary
                self._end("finished", "")

    def _apply_training(self, event: events.Event) -> None:
        match event:
            case events.Resumed():
                self._go_back_to(event.step)
                self.epoch = self.epochs_saved = event.epoch
            case events.RolledBack():
                self._go_back_to(event.step)
            case events.Epoch():
                self.epoch, self.epochs = event.epoch, event.epochs
            case events.Step():
                # A run that saved nothing begins again without a word.
                if event.step <= self.step:
                    self._go_back_to(event.step - 1)
                self.step, self.steps = event.step, event.steps
                self.epoch, self.epochs = event.epoch, event.epochs
                self.loss = event.loss
                self.loss_text_ce, self.loss_mel_ce = event.loss_text_ce, event.loss_mel_ce
                self.learning_rate, self.eta = event.lr, event.eta
            case events.Evaluated():
                self.evaluations.append(event)
            case events.Lineage():
                self.voice, self.epochs_before = event.voice, event.epochs
            case events.VoiceEvaluated():
                self.voice_evaluations.append(event)
            case events.Saved():
                self.saved_step, self.checkpoint = event.step, event.checkpoint
                self.epochs_saved = event.epoch
            case events.Paused():
                self.state, self._paused_at = "paused", self.updated_at
            case events.Continued():
                if self._paused_at:
                    self._worked -= self.updated_at - self._paused_at
                self.state, self._paused_at = "running", 0.0

    def _go_back_to(self, step: int) -> None:
        """What came after `step` is done again."""
        self.step = step
        self.evaluations = [e for e in self.evaluations if e.step <= step]
        self.voice_evaluations = [e for e in self.voice_evaluations if e.step <= step]

    def _end(self, state: State, message: str) -> None:
        self.state, self.message, self.eta = state, message, None

    def as_dict(self) -> dict[str, Any]:
        """The state as plain JSON values; numbers that JSON does not know are strings."""
        values = dataclasses.asdict(self)
        del values["_worked"], values["_paused_at"]
        values["voice_epochs"] = self.voice_epochs
        best = self.best
        values["best"] = dataclasses.asdict(best) if best else None
        shown: dict[str, Any] = jsonable(values)
        return shown

    def copy(self) -> RunState:
        """A copy that later events do not change."""
        return replace(
            self,
            warnings=[*self.warnings],
            evaluations=[*self.evaluations],
            voice_evaluations=[*self.voice_evaluations],
            dropped={**self.dropped},
        )

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values, for `from_json`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["warnings"] = [fields_of(warning) for warning in self.warnings]
        for name in ("evaluations", "voice_evaluations"):
            values[name] = [fields_of(evaluation) for evaluation in values[name]]
        written: dict[str, Any] = jsonable(values)
        return written

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> RunState:
        """The state that `to_json` wrote. Raises ValueError when it is not one of this version."""
        try:
            read = {
                f.name: events.number(values[f.name]) if "float" in f.type else values[f.name]
                for f in fields(cls)
            }
            read["warnings"] = [events.build("warning", each) for each in values["warnings"]]
            for name, kind in (
                ("evaluations", "evaluated"),
                ("voice_evaluations", "voice_evaluated"),
            ):
                read[name] = [events.build(kind, each) for each in values[name]]
            return cls(**read)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a state: {error}") from error
