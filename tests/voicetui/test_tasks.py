"""Work behind the screens: one piece after the other, and what becomes of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from engine.errors import InputError
from voicetui.tasks import Check, Progress, Task, TaskLine


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


class Held:
    """Work that goes on until it is let go, or is told to stop."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def __call__(self, progress: Progress, check: Check) -> str:
        progress(1, 4)
        while not self.release.wait(0.001):
            check()
        return "result"


def test_tasks_are_done_one_after_the_other() -> None:
    line, first, second, told = TaskLine(), Held(), Held(), []
    one = line.add(Task("a", "fetching", "A", first, told.append))
    two = line.add(Task("b", "fetching", "B", second, told.append))
    assert (one.state, two.state, line.current) == ("going", "waiting", one)
    until(lambda: one.share == 0.25)
    first.release.set()
    until(lambda: one.is_over)
    line.look()
    assert (one.state, one.result, two.state, told) == ("done", "result", "going", [one])
    second.release.set()
    until(lambda: two.is_over)
    assert line.is_empty
    line.look()
    line.look()
    assert told == [one, two]
    assert line.of("a") is one


def test_a_task_that_waits_is_taken_out_of_the_line() -> None:
    line, held, told = TaskLine(), Held(), []
    line.add(Task("a", "fetching", "A", held))
    waiting = line.add(Task("b", "fetching", "B", Held(), told.append))
    waiting.stop()
    held.release.set()
    line.look()
    assert (waiting.state, told) == ("stopped", [waiting])
    until(lambda: line.is_empty)


def test_a_task_that_is_stopped_or_fails_says_so() -> None:
    line = TaskLine()
    stopped = line.add(Task("a", "fetching", "A", Held()))
    stopped.stop()
    until(lambda: stopped.is_over)
    assert (stopped.state, stopped.problem, stopped.result) == ("stopped", "", None)

    def fails(_: Progress, __: Check) -> None:
        raise InputError("The disk is away. Bring it back.")

    failed = line.add(Task("b", "fetching", "B", fails))
    until(lambda: failed.is_over)
    assert (failed.state, failed.problem) == ("failed", "The disk is away. Bring it back.")


@pytest.mark.parametrize("waits", [True, False])
def test_what_is_asked_for_twice_is_done_once(waits: bool) -> None:
    line, held = TaskLine(), Held()
    before = line.add(Task("a" if not waits else "x", "fetching", "A", held))
    one = line.add(Task("a", "fetching", "A", Held())) if waits else before
    assert line.add(Task("a", "fetching", "A", Held())) is one
    for task in {before, one}:
        task.stop()
    until(lambda: line.is_empty)
    line.look()
    again = line.add(Task("a", "fetching", "A", held))
    assert (again is not one, again.state) == (True, "going")
    held.release.set()
    until(lambda: line.is_empty)
