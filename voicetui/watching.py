"""A job as the screens see it: it can be read, and asked for something.

There are three makers: a session that works in this process, a job that is followed by its event
log (finished, crashed, or another process's), and the fake of the tests.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Protocol

from engine import requests
from engine.eventlog import Record
from engine.jobs import LOG_NAME
from engine.requests import Verb
from engine.series import Series
from engine.session import Outcome, Session
from engine.status import Follower, RunState
from engine.text import clean

# So long a poll may keep the console from answering a key.
_POLL_SECONDS = 0.03


class Watched(Protocol):
    """One job. `state` and `series` are what all that `poll` has read adds up to."""

    @property
    def folder(self) -> Path: ...

    @property
    def state(self) -> RunState: ...

    @property
    def series(self) -> Series: ...

    @property
    def is_ours(self) -> bool:
        """Whether it works in this process."""

    @property
    def behind(self) -> bool:
        """Whether more of its log waits to be read."""

    @property
    def read_share(self) -> float:
        """How much of its log was read, from 0 to 1."""

    def poll(self) -> list[Record]:
        """Read on, for a few hundredths of a second at most; gives the new records."""

    def recent(self, count: int) -> list[Record]:
        """The last records of its log, oldest first, with as many important ones before them."""

    def ask(self, verb: Verb, **options: object) -> str:
        """Ask for something; the answer is an event with the id that this returns."""


class FollowedJob:
    """A job that is read from its event log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._follower = Follower(folder)
        self._behind = True
        self._glance: RunState | None = None

    @property
    def state(self) -> RunState:
        """The state; of a long log that is still being read, what its end tells."""
        return self._follower.state if self._glance is None else self._glance

    @property
    def series(self) -> Series:
        return self._follower.series

    @property
    def is_ours(self) -> bool:
        return False

    @property
    def behind(self) -> bool:
        return self._behind

    @property
    def read_share(self) -> float:
        with contextlib.suppress(OSError):
            return min(1.0, self._follower.offset / max(1, (self.folder / LOG_NAME).stat().st_size))
        return 1.0

    def poll(self) -> list[Record]:
        records, self._behind = self._follower.read_some(_POLL_SECONDS)
        if not self._behind:
            self._glance = None
            records += self._settle()
        elif self._glance is None:
            self._glance = self._follower.glance()
        return records

    def _settle(self) -> list[Record]:
        """Find out whether the process of a job that has not ended is gone; what came by then."""
        return [record for _, record in self._follower.settled_lines()]

    def recent(self, count: int) -> list[Record]:
        page = self._follower.records_before(None, count)
        important = [mark for mark in self._follower.landmarks if mark.offset < page.start]
        earlier = [self._follower.record_at(mark.offset) for mark in important[-count:]]
        return [*(record for record in earlier if record is not None), *page.records]

    def ask(self, verb: Verb, **options: object) -> str:
        return requests.post(self.folder, verb, **options)


class LiveJob(FollowedJob):
    """A job whose session works in this process; it is read from its log like any other."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.job.folder)
        self.session = session

    @property
    def is_ours(self) -> bool:
        return True

    def _settle(self) -> list[Record]:
        """How it ended is known here, also where its log could not be written to the end."""
        outcome = self.outcome
        if outcome is None or self.state.ended:
            return []
        # It may have written its last line between our reading and our looking.
        records, _ = self._follower.read_some()
        if not self.state.ended:
            error = outcome.error
            self.state.state, self.state.eta = outcome.state, None
            self.state.error = type(error).__name__ if error is not None else ""
            self.state.message = clean(str(error)) if error is not None else ""
        return records

    @property
    def outcome(self) -> Outcome | None:
        """How the session ended; None while it works."""
        return self.session.wait(0)
