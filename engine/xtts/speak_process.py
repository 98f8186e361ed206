"""Speaking in a process of its own, on the CPU: `python -m engine.xtts.speak_process`.

While a run trains here, its GPU memory and torch's random generators, which all threads of a
process share, must stay its own. The answer is `{"spoken": [seconds, step]}`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import child
from engine.events import Event
from engine.project import Project


def say(
    project: Project,
    text: str,
    out: Path,
    *,
    which: str,
    earlier: str = "",
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
        "earlier": earlier,
        "seed": seed,
    }
    answer = child.ask(
        "engine.xtts.speak_process",
        request,
        check=check,
        emit=emit,
        environment={"CUDA_VISIBLE_DEVICES": ""},
        ended="The process that speaks ended before it had spoken. One that was killed ran out of "
        "memory more often than not: free some, or wait for the run to end.",
    )
    seconds, step = answer["spoken"]
    return seconds, step


def _speak(request: dict[str, Any], emit: Callable[[Event], None]) -> dict[str, Any]:
    from engine import project
    from engine.xtts import speak

    spoken = speak.say(
        project.load(Path(request["folder"])).with_values({"training.device": "cpu"}),
        request["text"],
        Path(request["out"]),
        which=request["which"],
        earlier=request["earlier"],
        seed=request["seed"],
        emit=emit,
    )
    return {"spoken": [spoken.seconds, spoken.step]}


if __name__ == "__main__":
    child.serve(_speak)
