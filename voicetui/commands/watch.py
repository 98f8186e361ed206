"""Commands for jobs that another shell runs: status, attach, stop, save, pause, resume."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import FailedError, InputError
from engine.text import clean
from voicetui import exit_codes
from voicetui.amounts import duration, number
from voicetui.commands.options import Json, Mouse, Plain, ProjectDir, wants_console
from voicetui.output import show, show_bytes, show_json, tell

if TYPE_CHECKING:
    from engine.requests import Verb
    from engine.status import Follower, ProjectStatus, RunState

_POLL_SECONDS = 0.2
_LOOK_SECONDS = 1.0
# Lines of what went before that attach shows first.
_BACKLOG = 20
_WARNINGS_SHOWN = 3

Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for the answer.")
]


def status(folder: ProjectDir, as_json: Json = False) -> None:
    """Show what a project's jobs do or how they ended."""
    found = _status_of(folder)
    if as_json:
        others = [
            {"run": state.run, "job": state.job, "state": state.state, "message": state.message}
            for state in found.states
        ]
        show_json({**found.shown.as_dict(), "jobs": others, "findings": _findings(folder)})
        return
    for label, text in [*_rows(found.shown), *_to_fix(folder)]:
        show(f"{label:<9} {text}".rstrip())
    for state in found.states:
        if state is not found.shown:
            show(f"{'also':<9} {clean(state.run)}: {_verdict(state)}")


def _findings(folder: Path) -> list[dict[str, Any]]:
    """What the last preparation found to mend in the dataset, most important first."""
    from engine.dataset import summary

    findings: list[dict[str, Any]] = summary.read(folder / "dataset").get("findings", [])
    return findings


def _to_fix(folder: Path) -> list[tuple[str, str]]:
    findings = _findings(folder)
    if not findings:
        return []
    first = findings[0]
    many = f"{len(findings)} things in the dataset; first"
    count = many if len(findings) > 1 else "one thing in the dataset"
    rows = [("to fix", f"{count}: {clean(first['seen'])}")]
    return [*rows, ("", f"  {clean(first['advice'])}")]


def open_project(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="A voice project; without it, the list of them."),
    ] = None,
    plain: Plain = False,
    mouse: Mouse = False,
) -> None:
    """Open the console: a project at its next step, or the list of projects.

    'voicetui' and 'voicetui DIR' do the same. Without a terminal, a project's status is shown.
    """
    if folder is not None and not wants_console(plain=plain):
        status(folder)
        return
    if not wants_console(plain=plain):
        raise InputError("The console needs a terminal. 'voicetui --help' lists the commands.")
    from engine import project
    from voicetui.console import open_console

    if folder is None:
        raise typer.Exit(open_console(lambda console: console.open_home(), mouse=mouse))
    project.require(folder)
    chosen = folder.absolute()
    raise typer.Exit(open_console(lambda console: console.open_project(chosen), mouse=mouse))


def _status_of(folder: Path) -> ProjectStatus:
    """Raises InputError when the folder is no project."""
    from engine import project
    from engine.status import project_status

    project.require(folder)
    return project_status(folder)


def _verdict(state: RunState) -> str:
    why = f" by {clean(state.reason)}" if state.reason else ""
    return f"{state.state}{why}{state.message and ': '}{clean(state.message)}"


def _rows(state: RunState) -> list[tuple[str, str]]:
    """A job as labelled lines; what it does not have is left out."""
    if state.state == "new":
        return [("state", "new: nothing was run yet")]
    rows = [("state", _verdict(state)), ("run", clean(f"{state.run} ({state.job})"))]
    if state.stage and not state.ended:
        amount = f"  {number(state.done)}/{number(state.total)}" if state.total else ""
        rows.append(("stage", clean(f"{state.stage}{amount} {state.unit}".rstrip())))
    if state.epochs:
        rows.append(("epoch", f"{state.epoch}/{state.epochs}"))
    if state.steps:
        rows.append(("step", f"{state.step}/{state.steps}"))
    if state.loss is not None:
        rows.append(("loss", f"{state.loss:.3f}"))
    if (best := state.best) is not None:
        rows.append(("best", f"{best.loss:.3f} at step {best.step} (held out)"))
    rows += _voice_rows(state)
    if state.saved_step is not None:
        rows.append(("saved", f"step {state.saved_step}"))
    if state.eta is not None:
        rows.append(("ETA", duration(state.eta)))
    rows.append(("elapsed", duration(state.elapsed)))
    if state.dropped:
        rows.append(("dropped", f"{sum(state.dropped.values())} clips"))
    if state.warnings:
        rows.append(("warnings", str(len(state.warnings))))
    for warning in state.warnings[-_WARNINGS_SHOWN:]:
        rows.append(("", clean(warning.seen)))
        rows.append(("", f"  {clean(warning.remedy)}"))
    return rows


def _voice_rows(state: RunState) -> list[tuple[str, str]]:
    """The epochs of each voice, and how the earlier ones fare."""
    if not state.epochs_before:
        return []
    newest = {each.voice: each for each in state.earlier_voices}
    rows: list[tuple[str, str]] = []
    for voice, epochs in state.voice_epochs.items():
        text = f"{clean(voice)}: {epochs} {'epoch' if epochs == 1 else 'epochs'}"
        if (found := newest.get(voice)) is not None:
            text += f", loss {found.loss:.3f} ({found.change:+.3f} since the start of this run)"
        rows.append(("" if rows else "voices", text))
    return rows


def attach(
    folder: ProjectDir, plain: Plain = False, mouse: Mouse = False, as_json: Json = False
) -> None:
    """Follow a running job, or show how the last one ended.

    Ctrl-C only ends the watching. The exit code is that of the job.
    """
    from engine import project
    from engine.status import Follower, project_glance

    project.require(folder)
    job = project_glance(folder).newest
    if job is None:
        raise InputError(f"Nothing was run in {clean(str(folder))} yet.")
    if wants_console(plain=plain, as_json=as_json):
        from voicetui.console import open_console

        raise typer.Exit(open_console(lambda console: console.open_job(folder, job), mouse=mouse))
    follower = Follower(job)
    try:
        _follow(follower, as_json=as_json)
    except KeyboardInterrupt:
        tell(f"left {clean(job.name)}; it goes on")
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    raise typer.Exit(exit_codes.of_state(follower.state))


def _follow(follower: Follower, *, as_json: bool) -> None:
    """Show a job's events until it ends."""
    from voicetui.plain import Narrator

    narrator = Narrator()
    backlog: deque[str] = deque(maxlen=_BACKLOG)
    for line, record in follower.settled_lines():
        if as_json:
            show_bytes(line)
        else:
            backlog.extend(narrator.tell(record))
    for text in backlog:
        show(text)
    next_look = time.monotonic() + _LOOK_SECONDS
    while not follower.state.ended:
        time.sleep(_POLL_SECONDS)
        looks = time.monotonic() > next_look
        if looks:
            next_look = time.monotonic() + _LOOK_SECONDS
        for line, record in follower.settled_lines() if looks else follower.lines():
            if as_json:
                show_bytes(line)
            else:
                for text in narrator.tell(record):
                    show(text)
    if follower.state.state == "crashed":
        tell(f"{clean(follower.folder.name)} {follower.state.message}")


def stop(folder: ProjectDir, timeout: Timeout = 30.0) -> None:
    """Ask the running job to stop safely."""
    _ask(folder, "stop", timeout)


def save(folder: ProjectDir, timeout: Timeout = 600.0) -> None:
    """Ask the running training to save a checkpoint now."""
    _ask(folder, "save", timeout)


def pause(folder: ProjectDir, timeout: Timeout = 30.0) -> None:
    """Ask the running training to pause at its next safe point."""
    _ask(folder, "pause", timeout)


def resume(folder: ProjectDir, timeout: Timeout = 30.0) -> None:
    """Let a paused training go on."""
    _ask(folder, "resume", timeout)


def _ask(folder: Path, verb: Verb, timeout: float) -> None:
    from engine.ask import ask, job_for

    job = job_for(_status_of(folder), verb, folder)
    answer = ask(job, verb, timeout)
    if not answer.ok:
        raise FailedError(f"{clean(job.name)} did not {verb}: {clean(answer.message)}")
    show(f"{clean(job.name)}: {clean(answer.message) or 'done'}")
