"""Runs sessions from the main thread: their story on the terminal, signals, how they ended.

with running(as_json=False) as runner:
    runner.complete(prepare.session(project))
    runner.complete(train.session(project))
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine.errors import VoicetuiError
from engine.eventlog import Record, encode, jsonable
from engine.events import Failed
from engine.session import Outcome, Session
from engine.text import clean
from voicetui import crashes
from voicetui.amounts import size
from voicetui.exit_codes import SessionEnded
from voicetui.plain import QUIET_SECONDS, Narrator
from voicetui.signals import Signals
from voicetui.terminal import ERR, OUT, Renderer, Terminal, encoded

# Beside a job's event log: what libraries printed while it ran.
STRAYS_NAME = "output.log"
_LOOK_SECONDS = 0.1
_LAST_WORDS_SECONDS = 0.2
_STOPPING = {
    "SIGINT": "stopping safely after this step; press Ctrl-C again to end at once",
    "SIGTERM": "stopping safely after this step; a second SIGTERM ends at once",
}


class Runner:
    """Runs one session after another; make one with `running`."""

    def __init__(self, signals: Signals, terminal: Terminal, *, as_json: bool) -> None:
        self._signals = signals
        self._terminal = terminal
        self._as_json = as_json
        self._told = False

    def say(self, text: str) -> None:
        """Show a line to the person: on stdout, or on stderr when stdout is for data."""
        self._terminal.write(ERR if self._as_json else OUT, text)

    def result(self, values: dict[str, Any]) -> None:
        """Put one object on stdout when JSON was asked for."""
        if self._as_json:
            self._terminal.write(OUT, json.dumps(jsonable(values)))

    def progress(self, what: str) -> Callable[[int, int], None]:
        """A callback that shows bytes done and bytes in all, now and then."""
        told_at, told = -QUIET_SECONDS, 0

        def show(done: int, total: int) -> None:
            nonlocal told_at, told
            now = time.monotonic()
            if done == told or (now - told_at < QUIET_SECONDS and done < total):
                return
            told_at, told = now, done
            share = f"  {100 * done // total} %" if total else ""
            self.say(f"{clean(what)}  {size(done)} of {size(total)}{share}")

        return show

    def raise_if_stopped(self) -> None:
        """Raise StopRequested when a signal asked for a stop; for long work outside of sessions."""
        self._signals.raise_if_stopped()

    def complete(self, session: Session) -> Outcome:
        """Run a session that the next one builds on. Raises SessionEnded unless it finished."""
        outcome = self.run_session(session)
        if outcome.state != "finished":
            raise SessionEnded(outcome)
        return outcome

    def run_session(self, session: Session) -> Outcome:
        """Run a session to its end, showing its events and passing stops on to it.

        Raises StopRequested when a signal came before it began.
        """
        self.raise_if_stopped()
        with (
            self._signals.guarded(),
            self._terminal.strays_in(session.job.folder / STRAYS_NAME),
        ):
            session.job.subscribe(self._terminal.put)
            session.start()
            outcome = self._wait_for(session, session.stop)
        if self._terminal.failure is not None:
            raise self._terminal.failure
        if outcome.error is not None and not isinstance(outcome.error, VoicetuiError):
            self._terminal.write(ERR, crashes.report(outcome.error))
        return outcome

    def follow(self, session: Session, stop: Callable[[str], None]) -> None:
        """Show a session that works already, to its end; `stop` passes on what a signal asks for."""
        session.job.subscribe(self._terminal.put)
        with self._terminal.strays_in(session.job.folder / STRAYS_NAME):
            outcome = self._wait_for(session, stop)
        if outcome.error is not None and not isinstance(outcome.error, VoicetuiError):
            self._terminal.write(ERR, crashes.report(outcome.error))

    def _wait_for(self, session: Session, stop: Callable[[str], None]) -> Outcome:
        while (outcome := session.wait(_LOOK_SECONDS)) is None:
            self.look_at_signals(stop)
        return outcome

    def look_at_signals(self, stop: Callable[[str], None]) -> None:
        """Do what signals asked for since the last look; `stop` is called once, with the reason."""
        signals = self._signals
        if signals.hung_up:
            signals.hung_up = False
            self._terminal.hang_up()
        if signals.forced is not None:
            self._end_now(signals.forced)
        if signals.reason is not None and not self._told:
            self._told = True
            stop(signals.reason)
            self.say(_STOPPING[signals.reason])

    def _end_now(self, number: int) -> None:
        self.say("ended at once; the last saved checkpoint is whole")
        self._terminal.drain(_LAST_WORDS_SECONDS, also_pipes=True)
        # The one place where the process is cut off: the worker may be in the middle of anything,
        # and waiting for it is what the person does not want. What was committed stays whole.
        os._exit(128 + number)


@contextlib.contextmanager
def running(*, as_json: bool = False) -> Iterator[Runner]:
    """Take over signals, stdout and stderr for a runner; give them back at the end.

    Stdout gets the narration and stderr what failed. With `as_json`, stdout gets each event as the
    line of its log, and stderr all of the narration.
    Raises StopRequested when a signal comes while no session works.
    """
    signals = Signals()
    terminal = Terminal(_renderer(as_json=as_json), lossless=as_json)
    with signals.installed(), terminal.open():
        yield Runner(signals, terminal, as_json=as_json)


def attend(
    sessions: Iterable[Session | None], signals: Signals, stop: Callable[[str], None]
) -> None:
    """Show sessions that work already as plain lines until all have ended.

    `sessions` gives None while the next one is awaited. `signals` are installed and guarded
    already; where they tell that the terminal is gone, nothing is shown. `stop` stops all.
    """
    terminal = Terminal(_renderer(as_json=False))
    with terminal.open():
        runner = Runner(signals, terminal, as_json=False)
        for session in sessions:
            if session is None:
                runner.look_at_signals(stop)
            else:
                runner.follow(session, stop)


def _renderer(*, as_json: bool) -> Renderer:
    narrator = Narrator()

    def render(record: Record) -> Iterator[tuple[int, bytes]]:
        if as_json:
            yield OUT, encode(record)
        aside = as_json or isinstance(record.event, Failed)
        for line in narrator.tell(record):
            yield (ERR if aside else OUT), encoded(line)

    return render
