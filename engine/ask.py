"""Asking a running job for something from another process, and waiting for its answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from engine import requests
from engine.errors import FailedError, InputError
from engine.events import RequestDone
from engine.requests import Verb
from engine.status import Follower, ProjectStatus
from engine.text import clean

_POLL_SECONDS = 0.05
_LOOK_SECONDS = 1.0


def job_for(status: ProjectStatus, verb: Verb, project: Path) -> Path:
    """The job of a project that a request is for. Raises InputError when nothing there takes it."""
    job = status.running
    shown = clean(str(project))
    if job is None:
        last = status.shown
        ended = "crashed" if last.state == "crashed" else f"is {last.state}"
        tail = f" Its last job, {clean(last.run)}, {ended}." if last.run else ""
        raise InputError(f"Nothing is running in {shown}.{tail}")
    if verb != "stop" and job.parent.name != "runs":
        raise InputError(
            f"{clean(job.name)} of {shown} is no training run; it can only be stopped."
        )
    return job


def ask(job_folder: Path, verb: Verb, timeout: float, **options: Any) -> RequestDone:
    """Ask a job for something and wait up to `timeout` seconds for the answer.

    Raises FailedError when the job ends without an answer or none comes in time; a request that
    the job has not taken by then is withdrawn.
    """
    follower = Follower(job_folder)
    follower.poll()
    identifier = requests.post(job_folder, verb, **options)
    deadline = time.monotonic() + timeout
    next_look = time.monotonic() + _LOOK_SECONDS
    while time.monotonic() < deadline:
        looks = time.monotonic() > next_look
        if looks:
            next_look = time.monotonic() + _LOOK_SECONDS
        for _, record in follower.settled_lines() if looks else follower.lines():
            if isinstance(record.event, RequestDone) and record.event.id == identifier:
                return record.event
        if follower.state.ended:
            requests.withdraw(job_folder, identifier)
            raise FailedError(
                f"{clean(job_folder.name)} {follower.state.state} before it answered the request "
                f"to {verb}."
            )
        time.sleep(_POLL_SECONDS)
    if requests.withdraw(job_folder, identifier):
        raise FailedError(
            f"{clean(job_folder.name)} did not take the request to {verb} within {timeout:g} s; "
            "it was withdrawn. See what it does with 'voicetui status'."
        )
    raise FailedError(
        f"{clean(job_folder.name)} took the request to {verb} and has not answered within "
        f"{timeout:g} s; it will at its next safe point. Watch it with 'voicetui attach'."
    )
