"""Runs a trial (`engine.checks.trial`) with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import engine
from engine.checks.finding import TrialError
from engine.text import clean

_POLL_SECONDS = 0.1
_TAIL_BYTES = 4000
_GRACE_SECONDS = 2.0


def attempt(
    name: str, *arguments: str, seconds: float, check: Callable[[], None]
) -> dict[str, Any]:
    """The answer of a trial. Raises TrialError when it fails, dies or takes too long.

    `check` is called ten times a second and may raise to end the waiting.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.checks.trial", name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            # "-m" looks for modules in the working folder first, so it must not be a foreign one.
            cwd=Path(engine.__file__).parent.parent,
            start_new_session=True,
        )
        try:
            answer = _read(process, seconds, check)
            code = process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            raise TrialError(f"no answer within {seconds:g} s") from None
        finally:
            _end(process)
        if code:
            raise TrialError(_last_words(log, code))
    found: dict[str, Any] = json.loads(answer)
    return found


def _read(process: subprocess.Popen[bytes], seconds: float, check: Callable[[], None]) -> bytes:
    """All of its stdout. Raises TimeoutExpired."""
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    data = b""
    while True:
        check()
        if time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(process.args, seconds)
        if select.select([process.stdout], [], [], _POLL_SECONDS)[0]:
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                return data
            data += piece


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started; one that hangs inside a driver is left to the system."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def _last_words(log: Any, code: int) -> str:
    """The last line that a trial wrote, which is the error of a traceback."""
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _TAIL_BYTES))
    lines = log.read().decode(errors="replace").strip().splitlines()
    if code < 0:
        return f"it died of {signal.Signals(-code).name}"
    return clean(lines[-1]) if lines else f"it ended with code {code}"
