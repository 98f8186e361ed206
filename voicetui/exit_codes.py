"""What the commands' exit codes mean, in one place.

0 done, also when a run was stopped as 'voicetui stop' asked; 1 failed; 2 wrong use or bad input;
3 refused, the message names the flag that allows it; 130 and 143 stopped by SIGINT (Ctrl-C) and
SIGTERM with everything saved.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from engine import errors
from engine.errors import InputError, RefusedError, StopRequested

if TYPE_CHECKING:
    from engine.session import Outcome
    from engine.status import RunState

DONE = 0
FAILED = 1
WRONG_USE = 2
REFUSED = 3
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

_OF_REASON = {"SIGINT": INTERRUPTED, "SIGTERM": TERMINATED, "request": DONE}


class SessionEnded(Exception):
    """A session stopped or failed, and the person was told; carries how it ended."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.state)
        self.outcome = outcome


def of_reason(reason: str) -> int:
    """The code of a stop by its reason, as the `stopped` event gives it."""
    return _OF_REASON.get(reason, FAILED)


def of_type(error: type[BaseException]) -> int:
    """The code of a kind of error."""
    if issubclass(error, InputError):
        return WRONG_USE
    return REFUSED if issubclass(error, RefusedError) else FAILED


def of_outcome(outcome: Outcome) -> int:
    """The code of a session that ended."""
    if isinstance(outcome.error, StopRequested):
        return of_reason(outcome.error.reason)
    return DONE if outcome.error is None else of_type(type(outcome.error))


def of_state(state: RunState) -> int:
    """The code of a job as its log tells it: what the process that ran it ended with."""
    if state.state == "stopped":
        return of_reason(state.reason)
    if state.state == "failed":
        kind: object = getattr(errors, state.error, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return of_type(kind)
        return FAILED
    return FAILED if state.state == "crashed" else DONE
