"""A command line whose jobs do no real work: `python helpers_jobs.py WORK train DIR …`.

Everything but the work is real: the project, its lock, the session, the log, the signals, the
terminal, main(). WORK is one of the functions below; "steps" goes on until DIR/finish exists.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import types
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine import errors, lock
from engine.errors import StopRequested
from engine.events import (
    ClipDropped,
    Continued,
    Epoch,
    Evaluated,
    Finished,
    Paused,
    Progress,
    Saved,
    SettingsEcho,
    SourceFailed,
    Stage,
    Step,
    Warned,
)
from engine.jobs import Job, new_folder
from engine.project import Project
from engine.session import Session

Work = Callable[[Job], Finished]
STEPS = 1_000_000
PACE_SECONDS = 0.005
CHATTER = 600


def step(number: int, **changes: Any) -> Step:
    values: dict[str, Any] = {
        "step": number,
        "steps": STEPS,
        "epoch": 1,
        "epochs": 2,
        "loss": 3.5,
        "loss_text_ce": 0.03,
        "loss_mel_ce": 3.47,
        "text_ce": 3.0,
        "mel_ce": 3.47,
        "lr": 5e-6,
        "grad_norm": 1.0,
        "clips": 4,
        "audio_seconds": 20.0,
        "seconds": 2.0,
        "loader_seconds": 0.01,
        "eta": 600.0,
    }
    return Step(**{**values, **changes})


def evaluated(number: int, loss: float, *, best: bool) -> Evaluated:
    return Evaluated(number, 1, loss, 0.03, loss - 0.03, 3.0, loss - 0.03, best, 1.5)


def warned() -> Warned:
    return Warned("loss_flat", "the loss is flat", "it learns nothing", "raise the rate")


def steps(job: Job) -> Finished:
    """Steps as a training run does them: it can be stopped, saved and paused."""
    project = job.folder.parent.parent
    job.emit(Epoch(1, 2, STEPS))
    number = 0
    while not (project / "finish").exists():
        number += 1
        time.sleep(PACE_SECONDS)
        job.emit(step(number))
        if job.control.paused:
            job.emit(Paused(number))
            job.control.wait_while_paused()
            if job.control.stop_reason is None:
                job.emit(Continued(number))
        while request := job.control.take():
            job.emit(Saved(number, 1, f"step-{number:06d}", 1000, 0.1, best=False))
            job.answer(request, f"saved step-{number:06d}", ok=request.verb == "save")
        if job.control.stop_reason is not None:
            raise StopRequested(job.control.stop_reason, number)
    return Finished({"step": number})


def steps_under_a_crash(job: Job) -> Finished:
    """Steps, while the console that shows them breaks."""
    from voicetui.screens.base import ConsoleScreen

    def broken(screen: ConsoleScreen) -> str:
        raise RuntimeError("a screen that crashes")

    def when_begun() -> None:
        time.sleep(PACE_SECONDS * 20)
        ConsoleScreen.title_text = ConsoleScreen.refresh_title = broken  # type: ignore[assignment,method-assign]

    threading.Thread(target=when_begun, daemon=True).start()
    return steps(job)


def deaf(job: Job) -> Finished:
    """Steps that see no request and no stop."""
    project = job.folder.parent.parent
    number = 0
    while not (project / "finish").exists():
        number += 1
        time.sleep(PACE_SECONDS)
        job.emit(step(number))
    return Finished({"step": number})


def chatty(job: Job) -> Finished:
    """Far more events than a terminal's buffers hold, and a library that prints."""
    for number in range(1, CHATTER + 1):
        job.emit(step(number))
        job.emit(warned())
        if number % 100 == 0:
            print("chatter of a library", flush=True)
            print("chatter of a library", file=sys.stderr, flush=True)
    return Finished({"step": CHATTER})


HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J [bold]x[/] \x9b31m\n\r\u202e\udcff\x00"


def hostile(job: Job) -> Finished:
    """Every foreign text that an event can carry, with control characters in it."""
    job.emit(Stage(HOSTILE, 3, HOSTILE))
    job.emit(Progress(HOSTILE, 1, 3, HOSTILE, HOSTILE))
    job.emit(Warned(HOSTILE, HOSTILE, HOSTILE, HOSTILE))
    job.emit(ClipDropped(HOSTILE, HOSTILE, 0.0, 1.0, HOSTILE))
    job.emit(SourceFailed(HOSTILE, HOSTILE))
    job.emit(Saved(1, 1, HOSTILE, 1, 0.1, best=True))
    return Finished({HOSTILE: HOSTILE})


def quick(job: Job) -> Finished:
    """A short run with an evaluation."""
    job.emit(Epoch(1, 1, 2))
    job.emit(step(1, steps=2, epochs=1))
    job.emit(step(2, steps=2, epochs=1, loss=3.25))
    job.emit(evaluated(2, 3.125, best=True))
    job.emit(warned())
    return Finished({"step": 2})


def _failing(name: str) -> Work:
    kind: type[Exception] = getattr(errors, name, None) or getattr(sys.modules["builtins"], name)

    def fail(job: Job) -> Finished:
        raise kind(f"what went wrong {HOSTILE}")

    return fail


def slow_to_begin(job: Job) -> Finished:
    """Ends at once, but its session takes for ever to make."""
    return Finished({})


def _session_maker(work: Work, kind: str) -> Callable[..., Session]:
    def session(project: Project, *_more: object, **_options: object) -> Session:
        if work is slow_to_begin:
            (project.folder / "making").touch()
            while True:
                time.sleep(PACE_SECONDS)
        with contextlib.ExitStack() as held:
            held.enter_context(lock.hold(project.folder, kind))
            parent = project.runs_dir if kind == "train" else project.jobs_dir
            folder = new_folder(parent, "" if kind == "train" else kind)

            def told(job: Job) -> Finished:
                job.emit(SettingsEcho(asdict(project.settings.training)))
                return work(job)

            return Session(Job(folder, kind), told, held.pop_all())

    return session


def install(name: str) -> None:
    """Put the work named `name` in the place of the engine's own."""
    work = globals().get(name) or _failing(name)
    for module, kind in (
        ("engine.xtts.train", "train"),
        ("engine.dataset.prepare", "prepare"),
        ("engine.xtts.export", "export"),
    ):
        stand_in = types.ModuleType(module)
        stand_in.session = _session_maker(work, kind)  # type: ignore[attr-defined]
        sys.modules[module] = stand_in
        parent, _, attribute = module.rpartition(".")
        __import__(parent)
        setattr(sys.modules[parent], attribute, stand_in)


def make_project(folder: Path, name: str = "voice") -> Path:
    Project(folder, name, "en", "xtts-v2.0.3", "standard", (), {}).save()
    return folder


if __name__ == "__main__":
    from voicetui.cli import main

    install(sys.argv[1])
    sys.argv = ["voicetui", *sys.argv[2:]]
    main()
