"""Speaking in a process of its own, on the CPU: `python -m engine.xtts.speak_process`.

While a run trains here, its GPU memory and torch's random generators, which all threads of a
process share, must stay its own. The process reads one JSON object from stdin and answers with
sealed lines like those of a log: events, then `{"spoken": …}` or `{"error": …, "message": …}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import engine
from engine import errors
from engine.errors import FailedError, VoicetuiError
from engine.eventlog import Record, decode, encode, seal, unseal
from engine.events import Event
from engine.project import Project
from engine.text import clean

_POLL_SECONDS = 0.1
_LOG_TAIL = 600
_NICENESS = 10


def say(
    project: Project,
    text: str,
    out: Path,
    *,
    which: str,
    seed: int,
    check: Callable[[], None],
    emit: Callable[[Event], None],
) -> tuple[float, int]:
    """Speak like `engine.xtts.speak.say`; gives the seconds of audio and the step.

    `check` is called ten times a second and may raise, which ends the process at once.
    """
    request = {
        "folder": os.path.abspath(project.folder),
        "text": text,
        "out": os.path.abspath(out),
        "which": which,
        "seed": seed,
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.xtts.speak_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # "-m" looks for modules in the working folder first, so it must not be a foreign one.
            cwd=Path(engine.__file__).parent.parent,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
            # A Ctrl-C in the terminal is for us; we end the process when we have stopped.
            start_new_session=True,
        )
        with process:
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                # One that died at once is noticed below.
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    process.stdin.write(json.dumps(request).encode())
                for line in _lines(process.stdout, check):
                    if record := decode(line):
                        emit(record.event)
                    elif answer := unseal(line):
                        return _result(answer)
            finally:
                process.kill()
        log.seek(0)
        said = clean(log.read().decode(errors="replace")[-_LOG_TAIL:].strip())
    raise FailedError(
        "The process that speaks ended before it had spoken. One that was killed ran out of memory "
        f"more often than not: free some, or wait for the run to end. It said: {said or 'nothing'}"
    )


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


def _result(answer: dict[str, Any]) -> tuple[float, int]:
    if "spoken" in answer:
        seconds, step = answer["spoken"]
        return seconds, step
    kind = getattr(errors, answer["error"], FailedError)
    raise kind(answer["message"])


def _serve(request: dict[str, Any], answers: IO[bytes]) -> None:
    from engine import project
    from engine.xtts import speak

    def emit(event: Event) -> None:
        answers.write(encode(Record(0, 0.0, event)))
        answers.flush()

    try:
        spoken = speak.say(
            project.load(Path(request["folder"])).with_values({"training.device": "cpu"}),
            request["text"],
            Path(request["out"]),
            which=request["which"],
            seed=request["seed"],
            emit=emit,
        )
        answer: dict[str, Any] = {"spoken": [spoken.seconds, spoken.step]}
    except VoicetuiError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    answers.write(seal({"v": 1, **answer}))
    answers.flush()


def main() -> None:
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # The run comes first.
    os.nice(_NICENESS)
    _serve(json.loads(sys.stdin.buffer.read()), answers)


if __name__ == "__main__":
    main()
