"""What a person asked a job for, until its answer comes, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.eventlog import Record
from engine.events import (
    Continued,
    Event,
    Failed,
    Finished,
    Paused,
    RequestDone,
    Stopped,
)
from engine.requests import Verb
from engine.text import clean
from voicetui.watching import Watched

OVERDUE_SECONDS = 5.0
Told = tuple[str, str]

_ASKED: dict[str, str] = {
    "stop": "Asked the run to stop after this step…",
    "save": "Asked the run for a checkpoint…",
    "pause": "Asked the run to pause after this step…",
    "resume": "Asked the run to go on…",
}
_ANSWERED: dict[str, str] = {
    "stop": "The run stops at its next safe point and saves first.",
    "pause": "The run pauses after this step.",
    "resume": "The run goes on.",
}


@dataclass
class Pending:
    """A request that was not answered yet; `answer` gets None when nobody waits for one any more:
    the job has ended, or the screen that asked is gone."""

    id: str
    verb: Verb
    at: float
    answer: asyncio.Future[RequestDone | None]
    overdue: bool = False


@dataclass
class Asking:
    """The requests to one job. `doing` is what it was asked to do and has not done yet."""

    watched: Watched
    doing: str = ""
    _pending: dict[str, Pending] = field(default_factory=dict)

    def ask(self, verb: Verb, now: float) -> tuple[Pending, str]:
        """Ask the job; gives the pending request, and what to tell at once."""
        identifier = self.watched.ask(verb)
        answer = asyncio.get_running_loop().create_future()
        self._pending[identifier] = Pending(identifier, verb, now, answer)
        if verb in ("stop", "pause"):
            self.doing = verb
        return self._pending[identifier], _ASKED[verb]

    def take(self, records: Iterable[Record], now: float) -> list[Told]:
        """What to tell about new records of the job."""
        told: list[Told] = []
        for record in records:
            told += self._take(record.event)
        if self.watched.state.ended and self._pending:
            told.append(("The run ended before it could answer.", "warn"))
            self.close()
        return [*told, *self._overdue(now)]

    def close(self) -> None:
        """Wait for no answer any more."""
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_result(None)
        self._pending.clear()

    def _take(self, event: Event) -> list[Told]:
        match event:
            case RequestDone():
                return self._answered(event)
            case Paused():
                self.doing = ""
                return [(f"Paused after step {event.step}; p goes on.", "warn")]
            case Continued():
                self.doing = ""
                return [(f"Going on after step {event.step}.", "good")]
            case Stopped() | Failed() | Finished():
                self.doing = ""
                self.close()
                return [_ending(event, self.watched.state.job)]
        return []

    def _answered(self, event: RequestDone) -> list[Told]:
        # Somebody else may have asked, in another shell.
        if event.ok and event.request in ("stop", "pause"):
            self.doing = event.request
        pending = self._pending.pop(event.id, None)
        if pending is None:
            return []
        if not pending.answer.done():
            pending.answer.set_result(event)
        message = clean(event.message)
        if not event.ok:
            return [(f"The run did not {event.request}: {message or 'it gave no reason'}.", "warn")]
        if event.request == "save":
            saved = message or "the checkpoint is saved"
            return [(f"{saved[0].upper()}{saved[1:]}; o exports it.", "good")]
        return [(_ANSWERED.get(event.request, f"Done: {message}"), "")]

    def _overdue(self, now: float) -> list[Told]:
        told: list[Told] = []
        for pending in self._pending.values():
            if not pending.overdue and now - pending.at >= OVERDUE_SECONDS:
                pending.overdue = True
                told.append((f"Still waiting to {pending.verb}: a run answers between steps.", ""))
        return told


def _ending(event: Stopped | Failed | Finished, job: str) -> Told:
    match event:
        case Stopped(step=None):
            return "Stopped before the first step; c starts it again.", "warn"
        case Stopped():
            return (
                f"Stopped after step {event.step}, all of it saved; c goes on from there.",
                "warn",
            )
        case Failed():
            return f"Failed: {clean(event.message)}", "bad"
        case Finished() if job == "vocab":
            return "Finished. Prepare the recordings again (d), then train.", "good"
        case Finished():
            return "Finished. o exports the voice, t lets it speak.", "good"
