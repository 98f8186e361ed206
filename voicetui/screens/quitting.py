"""What a person is asked who quits while something works in this console."""

from __future__ import annotations

from voicetui.app import Console
from voicetui.screens.dialogs import Choice, Choose
from voicetui.tasks import Task

_STAY = Choice("q", "stay here")


def question(console: Console) -> Choose | None:
    """Asks for "s", stop safely and then quit, or "l", leave at once; None when nothing works."""
    host = console.host
    if host.live or host.on_the_road:
        kinds = sorted({job.session.job.kind for job in host.live})
        return Choose(
            f"{' and '.join(kinds) or 'the demo'} works in this console",
            "Nothing is lost either way: a stop is safe, and a run goes on where it stopped.",
            [
                Choice("s", "stop it safely, then quit"),
                Choice("l", "leave the console; it goes on as a plain log in this terminal"),
                _STAY,
            ],
        )
    tasks = [task for line in (console.fetches, console.chores) if (task := line.current)]
    return _about(tasks[0]) if tasks else None


def _about(task: Task) -> Choose:
    return Choose(
        f"{task.doing.capitalize()} {task.name} is not done",
        "It ends with the console. What was fetched is kept, and the next fetch goes on from there; "
        "of other work nothing half done is left.",
        [Choice("l", "quit all the same"), _STAY],
    )
