"""The demo: the whole road with bundled speech, one step after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from textual.widget import Widget

from engine.session import Outcome, Session
from engine.text import clean
from voicetui.amounts import duration
from voicetui.screens.base import ConsoleScreen
from voicetui.watching import LiveJob
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, fitted, wrapped

# The kinds of the road's jobs, in their order, and what each one does.
_STEPS = (
    ("base", "make a base", "A tiny network of random weights, so that nothing must be fetched."),
    (
        "prepare",
        "prepare",
        "Recordings become clips: speech detection, Whisper, cuts at sentences.",
    ),
    ("train", "train", "The base learns the voice: watch its loss fall."),
    ("export", "export", "A model folder that coqui's XTTS and AllTalk load as it is."),
    ("speak", "speak", "The exported voice says a sentence; with random weights it is noise."),
)
_AFTER = (
    "The demo's voice is made. It speaks noise, because its base holds random weights. For a real "
    "voice fetch a base with 'voicetui fetch xtts-v2.0.3 --accept-licence', press F3 for the list "
    "of projects, and n there for a new one."
)


class DemoScreen(ConsoleScreen):
    """Shows how far the road is; o opens the step that works now."""

    scope = "demo"
    heading = "demo"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._result: Path | None = None
        self._began = time.monotonic()
        self._opened = False

    def body(self) -> Iterable[Widget]:
        yield Lines(id="demo-steps")

    def on_mount(self) -> None:
        super().on_mount()

        def walk(complete: Callable[[Session], Outcome]) -> None:
            from voicetui.demo import road

            self._result = road.run(self._folder, complete)

        self.console.host.run_road(walk)
        self.set_interval(0.5, self._look)
        self.call_after_refresh(self._look)

    def _jobs(self) -> dict[str, LiveJob]:
        return {job.session.job.kind: job for job in self.console.host.jobs}

    def _look(self) -> None:
        jobs = self._jobs()
        lines: list[Line] = [[]]
        for kind, name, text in _STEPS:
            job = jobs.get(kind)
            sign, style = self._sign(kind, job)
            spent = duration(_spent(job)) if job is not None else ""
            lines.append([(f"  {sign} ", style), (fitted(name, 14), "bold"), (spent, "dim")])
            lines += [[(f"      {line}", "dim")] for line in wrapped(text, 70)]
            lines += [[]]
        lines += [[(f"  {line}", style)] for line, style in self._ending()]
        self.query_one("#demo-steps", Lines).show(lines)
        self.refresh_keys()
        if "train" in jobs and not self._opened and self.is_current:
            self._opened = True
            self.action_open()
            self.console.say("This is the dashboard; q goes back to the demo's steps.")

    def _sign(self, kind: str, job: LiveJob | None) -> tuple[str, str]:
        if job is None:
            passed = kind == "train" and self._result is not None
            return ("✓", "good") if passed else ("○", "dim")
        job.poll()
        if job.outcome is None:
            return "▶", "accent"
        return ("✓", "good") if job.outcome.state == "finished" else ("✗", "bad")

    def _ending(self) -> list[tuple[str, str]]:
        host = self.console.host
        if self._result is not None:
            shown = clean(str(self._result))
            return [
                (f"Listen: {shown}", "accent"),
                ("", ""),
                *((line, "") for line in wrapped(_AFTER, 74)),
            ]
        if host.road_error is not None:
            return [(line, "bad") for line in wrapped(clean(str(host.road_error)), 74)]
        failed = [job for job in host.jobs if job.outcome is not None and job.outcome.error]
        if failed:
            error = failed[-1].outcome.error if failed[-1].outcome else None
            text = f"Ended: {clean(str(error))}. 'voicetui demo' goes on from here."
            return [(line, "warn") for line in wrapped(text, 74)]
        return [(f"working for {duration(time.monotonic() - self._began)}", "dim")]

    def is_possible(self, action: str) -> bool:
        return action != "open" or bool(self.console.host.jobs)

    def action_open(self) -> None:
        jobs = self.console.host.jobs
        newest = [job for job in jobs if job.session.job.kind in ("prepare", "train", "export")]
        if not newest:
            self.say("Nothing to open yet.")
            return
        self.console.open_job(self._folder / "voice", newest[-1].folder)


def _spent(job: LiveJob) -> float:
    """Seconds that a job has worked; its log alone tells no time between two events."""
    works = job.outcome is None and job.state.started_at > 0
    return time.time() - job.state.started_at if works else job.state.elapsed
