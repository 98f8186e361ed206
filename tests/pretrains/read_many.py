"""Reads many weights files as `engine.pretrains.reading` does, each in a fork of a warm process.

Asked with a JSON line for each file, `{"path": …, "target": …}`; answers a line each with what the
fork answered ("facts", or "error" and "message"), what it "started", how it ended and what it took. Before the first
it changes to its own folder, which a tracer takes as the begin of what counts.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import NoReturn

import safetensors.torch
import torch

from engine.errors import VoicetuiError
from engine.pretrains import reading


def _ignore(event: object) -> None:
    """There are none."""


_STARTED: list[str] = []
_STARTS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "subprocess.Popen",
    "socket.connect",
)


def _watch(event: str, _details: object) -> None:
    if event in _STARTS:
        _STARTED.append(event)


def _in_fork(request: dict[str, str], answers: int) -> NoReturn:
    answer: dict[str, object] = {}
    try:
        answer = reading.answer(request, _ignore)
    except VoicetuiError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    finally:
        # The fork must not go on with the parent's work, whatever happened.
        if not answer:
            traceback.print_exc()
        os.write(answers, json.dumps(answer | {"started": _STARTED}).encode())
        os._exit(0)


def _read(request: dict[str, str]) -> dict[str, object]:
    readable, writable = os.pipe()
    if (process := os.fork()) == 0:
        _in_fork(request, writable)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        said = pipe.read()
    _, status, used = os.wait4(process, 0)
    answer = json.loads(said) if said else {}
    return answer | {
        "status": status,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
    }


def main() -> None:
    torch.set_num_threads(1)
    assert safetensors.torch is not None
    # Python's own word on it, where no tracer is.
    sys.addaudithook(_watch)
    os.chdir(".")
    for line in sys.stdin:
        print(json.dumps(_read(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
