"""Starting a training, and going on with one: what must be asked first, and the session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import VoicetuiError
from engine.jobs import job_folders
from engine.project import Project
from engine.runstate import RunState
from engine.session import Session
from engine.settings import Value
from engine.text import clean
from engine.training import checkpoint, runs
from voicetui.app import Console
from voicetui.screens import flow
from voicetui.screens.dialogs import Choice, Choose, Prompt
from voicetui.screens.teaching import teach

_FRESH = Choice("f", "start a new run beside it, from the base again")


@dataclass(frozen=True)
class Way:
    """How a training begins: the arguments of its session."""

    resume: bool = False
    fresh: bool = False
    inexact: bool = False
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """What there is to go on with. `earlier` is the newest run with checkpoints, `done` its epochs
    of `asked`; `unsaved` is a newer run that saved nothing."""

    earlier: str = ""
    done: int = 0
    asked: int = 0
    unsaved: str = ""


def look(project: Project) -> Standing:
    """Read what there is. Raises VoicetuiError."""
    earlier = runs.latest_with_checkpoints(project)
    if earlier is None:
        return Standing()
    folders = job_folders(project.runs_dir)
    unsaved = folders[-1].name if not checkpoint.folders(folders[-1]) else ""
    asked = runs.effective_settings(project, earlier).epochs
    return Standing(earlier.name, runs.done_epochs(earlier), asked, unsaved)


async def go_on(
    console: Console,
    project: Project,
    state: RunState,
    started: Callable[[Path], None],
) -> None:
    """Ask what must be asked, and train; `started` gets the run's folder."""
    if project.new_language:
        await teach(console, project)
        return
    try:
        standing = await asyncio.to_thread(look, project)
    except VoicetuiError as error:
        console.tell("This run cannot be read", str(error))
        return
    way = await _way(console, standing, state)
    if way is None:
        console.say("Nothing was started.")
        return

    def make() -> Session:
        from engine.xtts import train

        return train.session(
            project.with_values(way.values),
            resume=way.resume,
            fresh=way.fresh,
            inexact=way.inexact,
        )

    console.say("Starting…")
    job = await console.start_job(make)
    if job is not None:
        console.say("Training starts." if not way.resume else "Training goes on.", "good")
        started(job.folder)


async def _way(console: Console, standing: Standing, state: RunState) -> Way | None:
    """How to begin; None when the person thinks better of it."""
    if not standing.earlier:
        return Way()
    if state.state == "failed" and state.error == "NotExactError":
        return await _not_exact(console, state)
    if state.state == "finished" or standing.done >= standing.asked:
        return await _further(console, standing)
    if standing.unsaved:
        answer = await flow.ask(
            console,
            Choose(
                f"Run {standing.unsaved} saved nothing",
                f"Run {standing.earlier} has checkpoints.",
                [
                    Choice("r", f"go on with run {standing.earlier}"),
                    Choice("f", f"begin run {standing.unsaved} again"),
                ],
            ),
        )
        return {"r": Way(resume=True), "f": Way(fresh=True)}.get(answer or "")
    return Way(resume=True)


async def _not_exact(console: Console, state: RunState) -> Way | None:
    answer = await flow.ask(
        console,
        Choose(
            "The run would not go on exactly",
            clean(state.message).partition(" Undo the change")[0],
            [
                Choice("i", "go on all the same; its losses no longer compare exactly"),
                _FRESH,
                Choice("q", "leave it; undo the change and press c again"),
            ],
        ),
    )
    return {"i": Way(resume=True, inexact=True), "f": Way(fresh=True)}.get(answer or "")


async def _further(console: Console, standing: Standing) -> Way | None:
    stalled = standing.done < standing.asked
    why = (
        f"It ended early after {standing.done} of {standing.asked} epochs, because the held-out "
        "loss no longer fell."
        if stalled
        else f"It has done its {standing.done} epochs."
    )
    answer = await flow.ask(
        console,
        Choose(
            f"Run {standing.earlier} is finished",
            why,
            [
                Choice("e", "train more epochs" + (", without the early end" if stalled else "")),
                _FRESH,
            ],
        ),
    )
    if answer == "f":
        return Way(fresh=True)
    if answer != "e":
        return None
    suggested = standing.asked if stalled else standing.done + max(1, standing.done // 2)
    number = await flow.ask(
        console,
        Prompt(
            "How many epochs in all?",
            f"{standing.done} are done.",
            value=str(suggested),
            check=lambda text: _wrong_epochs(text, standing.done),
        ),
    )
    if number is None:
        return None
    values: dict[str, Value] = {"training.epochs": int(number)}
    if stalled:
        values["training.early_stop_epochs"] = 0
    return Way(resume=True, values=values)


def _wrong_epochs(text: str, done: int) -> str:
    if not text.isdecimal() or int(text) <= done:
        return f"A whole number above {done}."
    return ""
