"""Models that are being fetched while a person does other things.

What came stays on the disk when a fetch is stopped or the console ends; the next one goes on there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicetui.amounts import duration, size
from voicetui.tasks import Check, Progress, Task
from voicetui.widgets.styled import Line

if TYPE_CHECKING:
    from voicetui.app import Console

_BAR = 24


def fetch_base(console: Console, name: str) -> Task:
    """Fetch a published XTTS base whose licence was accepted, after what is fetched before it."""

    def work(progress: Progress, check: Check) -> object:
        from engine.xtts import fetch

        return fetch.fetch(name, accept_licence=True, progress=progress, check=check)

    return begin(console, Task(name, "fetching", name, work, lambda task: tell(console, task)))


def begin(console: Console, task: Task) -> Task:
    """Put a fetch into the line, and say what it waits for."""
    before = console.fetches.current
    task = console.fetches.add(task)
    if task.state == "waiting" and before is not None:
        console.say(f"{task.name} is fetched after {before.name}.")
    return task


def tell(console: Console, task: Task) -> None:
    """Say how a fetch ended, on whatever screen is in sight."""
    if task.state == "done":
        console.say(f"{task.name} is here: fetched and checked.", "good")
    elif task.state == "failed":
        console.say(f"{task.name}: {task.problem}", "bad")
    elif not task.total:
        console.say(f"{task.name} is not fetched after all.")
    else:
        console.say(f"{task.name}: stopped. What came is kept; the next fetch goes on from there.")


def fetch_line(task: Task) -> Line:
    """How far a fetch is."""
    if task.state == "waiting":
        return [(f" Fetching {task.name}: waits for the one before", "accent")]
    if task.share is None:
        return [(f" Fetching {task.name}: asking the hub …", "accent")]
    bar = "█" * round(task.share * _BAR)
    return [
        (f" Fetching {task.name} ", "accent"),
        (bar, "accent"),
        ("░" * (_BAR - len(bar)), "dim"),
        (f" {task.share:.0%} · {size(task.done)} of {size(task.total)}", ""),
        (pace(task), "dim"),
    ]


def pace(task: Task) -> str:
    """How long a task will still take; "" while that is not known."""
    left = task.seconds_left
    return f" · {duration(left)} left" if left is not None else ""
