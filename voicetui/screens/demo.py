"""The demo: the whole road with bundled speech, one step after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from textual import events
from textual.widget import Widget

from engine.text import clean
from voicetui.amounts import duration
from voicetui.demo.walk import Walk
from voicetui.screens.base import ConsoleScreen
from voicetui.typed import short
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
_GO_ON = "'voicetui demo', or m in the list of projects (F3), goes on from here."
_LOOK_SECONDS = 0.5
# The rows of title, status and keys, and the cells beside the texts.
_FRAME_ROWS, _MARGIN = 3, 6


class DemoScreen(ConsoleScreen):
    """Shows how far the console's demo is; o opens the step that works now."""

    scope = "demo"
    heading = "demo"
    # Unix seconds; tests set another one.
    clock: ClassVar[Callable[[], float]] = staticmethod(time.time)

    def body(self) -> Iterable[Widget]:
        yield Lines(id="demo-steps")

    @property
    def walk(self) -> Walk:
        """The demo that was begun last."""
        walk = self.console.demo
        assert walk is not None, "a screen of the demo opens with a demo"
        return walk

    def now(self) -> float:
        return type(self).clock()

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(_LOOK_SECONDS, self._look)
        self.call_after_refresh(self._look)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        walk = self.walk
        jobs = walk.jobs
        width = min(76, self.size.width - _MARGIN)
        lines = self._lines(jobs, width, with_texts=True)
        if len(lines) > self.size.height - _FRAME_ROWS:
            lines = self._lines(jobs, width, with_texts=False)
        self.query_one("#demo-steps", Lines).show(lines)
        self.refresh_keys()
        train = jobs.get("train")
        works = train is not None and train.outcome is None
        if works and not walk.has_shown_training and self.is_current:
            walk.has_shown_training = True
            self.action_open()
            self.console.say("This is the dashboard; q goes back to the demo's steps.")

    def _lines(self, jobs: Mapping[str, LiveJob], width: int, *, with_texts: bool) -> list[Line]:
        place = f"All of it goes into {clean(short(self.walk.folder))}"
        lines: list[Line] = [*([[]] if with_texts else []), *_indented(place, width, "dim"), []]
        for kind, name, text in _STEPS:
            job = jobs.get(kind)
            sign, style = self._sign(kind, job)
            spent = duration(_spent(job, self.now())) if job is not None else ""
            lines.append([(f"  {sign} ", style), (fitted(name, 14), "bold"), (spent, "dim")])
            if with_texts:
                lines += [[(f"      {line}", "dim")] for line in wrapped(text, width - 4)]
                lines.append([])
        return [*lines, *([] if with_texts else [[]]), *self._ending(jobs, width)]

    def _sign(self, kind: str, job: LiveJob | None) -> tuple[str, str]:
        if job is None:
            passed = kind in ("base", "train") and self.walk.result is not None
            return ("✓", "good") if passed else ("○", "dim")
        job.poll()
        if job.outcome is None:
            return "▶", "accent"
        return ("✓", "good") if job.outcome.state == "finished" else ("✗", "bad")

    def _ending(self, jobs: Mapping[str, LiveJob], width: int) -> list[Line]:
        walk = self.walk
        if walk.result is not None:
            listen = f"Listen: {clean(short(walk.result))}"
            return [*_indented(listen, width, "accent"), [], *_indented(_AFTER, width)]
        if walk.error is not None:
            return _indented(clean(str(walk.error)), width, "bad")
        outcomes = [job.outcome for job in jobs.values() if job.outcome is not None]
        failed = [outcome.error for outcome in outcomes if outcome.state == "failed"]
        if failed:
            told = clean(str(failed[-1])).rstrip(".")
            return _indented(f"Ended: {told}. {_GO_ON}", width, "warn")
        if not walk.is_working:
            return _indented(f"Stopped. {_GO_ON}", width, "warn")
        return _indented(f"working for {duration(self.now() - walk.began)}", width, "dim")

    def is_possible(self, action: str) -> bool:
        return action != "open" or bool(self._openable())

    def why_not(self, action: str) -> str:  # noqa: ARG002 - only one can be impossible
        return "Nothing to open yet."

    def _openable(self) -> list[LiveJob]:
        jobs = self.walk.jobs.values()
        return [job for job in jobs if job.session.job.kind in ("prepare", "train", "export")]

    def action_open(self) -> None:
        self.console.open_job(self.walk.voice, self._openable()[-1].folder)


def _indented(text: str, width: int, style: str = "") -> list[Line]:
    return [[(f"  {line}", style)] for line in wrapped(text, width)]


def _spent(job: LiveJob, now: float) -> float:
    """Seconds that a job has worked; its log alone tells no time between two events."""
    works = job.outcome is None and job.state.started_at > 0
    return now - job.state.started_at if works else job.state.elapsed
