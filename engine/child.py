"""Work in a process of its own: `python -m MODULE`, asked with one JSON object on its stdin.

It answers with sealed lines like those of a log: events, then one object. What it takes of a GPU or
of RAM, and torch's random generators, stay its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import engine
from engine import errors
from engine.errors import FailedError, VoicetuiError
from engine.eventlog import Record, decode, encode, seal, unseal
from engine.events import Event
from engine.text import clean

_POLL_SECONDS = 0.1
_LOG_TAIL = 600
# Makes the answer to a request; what it emits goes ahead of the answer.
Work = Callable[[dict[str, Any], Callable[[Event], None]], dict[str, Any]]
_NICENESS = 10


def ask(
    module: str,
    request: Mapping[str, Any],
    *,
    check: Callable[[], None],
    emit: Callable[[Event], None],
    ended: str,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The answer of a module that serves; its events go to `emit`.

    `check` is called ten times a second and may raise, which ends the process at once. Raises the
    VoicetuiError that was the answer, and FailedError with the text `ended` when there was none.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # "-m" looks for modules in the working folder first, so it must not be a foreign one.
            cwd=Path(engine.__file__).parent.parent,
            env={**os.environ, **(environment or {})},
            # A Ctrl-C in the terminal is for us; we end the process when we have stopped.
            start_new_session=True,
        )
        with process:
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                # One that died at once is noticed below.
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    process.stdin.write(json.dumps(dict(request)).encode())
                for line in _lines(process.stdout, check):
                    if record := decode(line):
                        emit(record.event)
                    elif answer := unseal(line):
                        return _good(answer)
            finally:
                process.kill()
        log.seek(0)
        said = clean(log.read().decode(errors="replace")[-_LOG_TAIL:].strip())
    raise FailedError(f"{ended} It said: {said or 'nothing'}")


def _lines(stream: IO[bytes], check: Callable[[], None]) -> Iterator[bytes]:
    pending = b""
    while True:
        check()
        if not select.select([stream], [], [], _POLL_SECONDS)[0]:
            continue
        read = os.read(stream.fileno(), 1 << 16)
        if not read:
            return
        *lines, pending = (pending + read).split(b"\n")
        yield from lines


def _good(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" not in answer:
        return answer
    kind = getattr(errors, answer["error"], FailedError)
    raise kind(answer["message"])


def serve(work: Work) -> None:
    """Answer the request on stdin with what `work` makes of it; a module's main function."""
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # A run that trains meanwhile comes first.
    os.nice(_NICENESS)
    respond(work, json.loads(sys.stdin.buffer.read()), answers)


def respond(work: Work, request: dict[str, Any], answers: IO[bytes]) -> None:
    """Write the events of `work` and its answer, or the error that it raised."""

    def emit(event: Event) -> None:
        answers.write(encode(Record(0, 0.0, event)))
        answers.flush()

    try:
        answer = work(request, emit)
    except VoicetuiError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    answers.write(seal({"v": 1, **answer}))
    answers.flush()
