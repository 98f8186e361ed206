"""Long work that goes on behind whatever screen is in sight, one piece after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from voicetui.helper import Helper

Progress = Callable[[int, int], None]
Check = Callable[[], None]
# It tells how far it is, and asks whether to go on.
Work = Callable[[Progress, Check], Any]
State = Literal["waiting", "going", "done", "stopped", "failed"]
_PACE_SECONDS = 3.0
# Its result is looked at when all bytes are there.
_BRINGING = ("fetching", "importing")


def _nothing(_: Task) -> None:
    pass


class Task:
    """A piece of work on something.

    `key` tells it from others in its line, `doing` is what it does ("fetching"), `name` what with.
    `done` and `total` count what the work counts: mostly bytes; `total` 0 while it is not known.
    `ended` is called by the thread that looks after the line.
    """

    def __init__(
        self,
        key: str,
        doing: str,
        name: str,
        work: Work,
        ended: Callable[[Task], None] = _nothing,
    ) -> None:
        self.key = key
        self.doing = doing
        self.name = name
        self.ended = ended
        self.done = self.total = 0
        self._work = work
        self._helper: Helper[Any] | None = None
        self._was_stopped = False
        self._began: tuple[float, int] | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._helper = Helper(self.doing, lambda check: self._work(self._progress, check))

    def _progress(self, done: int, total: int) -> None:
        if self._began is None:
            # What was there before says nothing about how fast the rest comes.
            self._began = (time.monotonic(), done)
        self.done, self.total = done, total

    @property
    def state(self) -> State:
        if self._helper is None:
            return "stopped" if self._was_stopped else "waiting"
        if not self._helper.done:
            return "going"
        if self._helper.error is None:
            return "done"
        return "failed" if self._helper.problem else "stopped"

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop and has not yet: it asks now and then."""
        return self._was_stopped and self.state == "going"

    @property
    def is_over(self) -> bool:
        return self.state not in ("waiting", "going")

    @property
    def result(self) -> Any:
        """What the work gave; None while it has not."""
        return self._helper.result if self._helper is not None else None

    @property
    def problem(self) -> str:
        """Why it failed; "" when it did not."""
        return self._helper.problem if self._helper is not None else ""

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None while that is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def is_checking(self) -> bool:
        """Whether all came of what it brings, and is looked at now."""
        return self.share == 1 and self.doing in _BRINGING

    @property
    def in_short(self) -> str:
        """What it does and how far it is, in a few words."""
        if self.is_checking:
            return f"checking {self.name}"
        doing = "↓" if self.doing == "fetching" else self.doing
        return f"{doing} {self.name}{'' if self.share is None else f' {self.share:.0%}'}"

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes at its pace so far; None while that is not known."""
        if self._began is None:
            return None
        came, passed = self.done - self._began[1], time.monotonic() - self._began[0]
        if came <= 0 or passed < _PACE_SECONDS:
            return None
        return (self.total - self.done) * passed / came

    def stop(self) -> None:
        """Ask it to end at its next check, or not to begin."""
        self._was_stopped = True
        if self._helper is not None:
            self._helper.stop()


class TaskLine:
    """Tasks that are done one after the other. `look` moves it on, a few times a second."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._newest: dict[str, Task] = {}

    def add(self, task: Task) -> Task:
        """Put a task at the end of the line; one with its key that is not over is kept instead."""
        known = self._newest.get(task.key)
        if known is not None and not known.is_over:
            return known
        self._newest[task.key] = task
        self._tasks.append(task)
        self.look()
        return task

    def of(self, key: str) -> Task | None:
        """The newest task with a key, also one that is over."""
        return self._newest.get(key)

    @property
    def states(self) -> dict[str, State]:
        """How the newest task of each key stands."""
        return {key: task.state for key, task in self._newest.items()}

    @property
    def current(self) -> Task | None:
        """The task that is being done."""
        return next((task for task in self._tasks if task.state == "going"), None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is being done, or waits for it."""
        return all(task.is_over for task in self._tasks)

    @property
    def waiting(self) -> int:
        return sum(task.state == "waiting" for task in self._tasks)

    def look(self) -> None:
        """Tell of tasks that are over, and begin the next one."""
        over = [task for task in self._tasks if task.is_over]
        self._tasks = [task for task in self._tasks if task not in over]
        waiting = next((task for task in self._tasks if task.state == "waiting"), None)
        if waiting is not None and self.current is None:
            waiting.start()
        for task in over:
            task.ended(task)
