"""What people ask of a run while it trains: seen and answered between two steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.control import Control
from engine.events import Continued, Event, Paused, RequestDone
from engine.training import checkpoint

_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Between:
    """`keep` is how many checkpoints stay."""

    control: Control
    emit: Callable[[Event], None]
    keep: int

    def after(self, step: int, save: Callable[[], None]) -> None:
        """Do what was asked for until the next step may begin; `save` commits a checkpoint of now.

        Raises StopRequested.
        """
        self._answer(step, save)
        if self.control.paused:
            self.emit(Paused(step))
            while not self.control.wait_while_paused(_LOOK_SECONDS):
                self._answer(step, save)
            if self.control.stop_reason is None:
                self.emit(Continued(step))
        self.control.raise_if_stopped()

    def _answer(self, step: int, save: Callable[[], None]) -> None:
        while request := self.control.take():
            if request.verb == "save":
                save()
                until = checkpoint.kept_until(self.keep)
                message = f"step {step} is saved, kept until {until}"
            else:
                message = f"a training run does not {request.verb}; use 'voicetui {request.verb}'"
            self.emit(RequestDone(request.id, request.verb, request.verb == "save", message))
