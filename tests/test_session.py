from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine import lock
from engine.errors import StopRequested
from engine.eventlog import read_all
from engine.events import Finished, Note, Stopped
from engine.jobs import LOG_NAME, Job
from engine.session import Session


def kinds(folder: Path) -> list[str]:
    return [record.kind for record in read_all(folder / LOG_NAME)]


def test_work_runs_beside_its_owner_and_says_how_it_ended(tmp_path: Path) -> None:
    go = threading.Event()
    threads: list[threading.Thread] = []

    def work(job: Job) -> Finished:
        threads.append(threading.current_thread())
        assert go.wait(10)
        return Finished()

    session = Session(Job(tmp_path, "train"), work)
    session.start()
    assert session.wait(0) is None
    go.set()
    outcome = session.wait()
    assert outcome is not None
    assert (outcome.state, outcome.error) == ("finished", None)
    assert threads != [threading.current_thread()]
    assert kinds(tmp_path) == ["started", "finished"]


def test_a_stop_wakes_paused_work_and_ends_it_at_its_safe_point(tmp_path: Path) -> None:
    paused = threading.Event()

    def work(job: Job) -> Finished:
        job.control.pause()
        paused.set()
        job.control.wait_while_paused()
        try:
            job.control.raise_if_stopped()
        except StopRequested as stop:
            raise StopRequested(stop.reason, step=40) from None
        return Finished()

    session = Session(Job(tmp_path, "train"), work)
    session.start()
    assert paused.wait(10)
    assert session.wait(0) is None
    session.stop("SIGINT")
    outcome = session.wait(10)
    assert outcome is not None
    assert outcome.state == "stopped"
    assert isinstance(outcome.error, StopRequested)
    assert read_all(tmp_path / LOG_NAME)[-1].event == Stopped("SIGINT", 40)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), MemoryError()])
def test_any_failure_reaches_the_owner(tmp_path: Path, error: BaseException) -> None:
    def work(job: Job) -> Finished:
        raise error

    session = Session(Job(tmp_path, "train"), work)
    session.start()
    outcome = session.wait(10)
    assert outcome is not None
    assert outcome.state == "failed"
    assert outcome.error is error
    assert kinds(tmp_path) == ["started", "failed"]


def test_the_project_is_held_until_the_work_ends(tmp_path: Path) -> None:
    go = threading.Event()

    def work(job: Job) -> Finished:
        assert go.wait(10)
        raise RuntimeError

    held = ExitStack()
    held.enter_context(lock.hold(tmp_path, "train"))
    session = Session(Job(tmp_path, "train"), work, held)
    session.start()
    assert lock.holder(tmp_path) is not None
    go.set()
    session.wait(10)
    assert lock.holder(tmp_path) is None


def test_two_sessions_have_nothing_in_common(tmp_path: Path) -> None:
    first = Session(Job(tmp_path / "1", "train"), lambda job: Finished({"n": 1}))
    second = Session(Job(tmp_path / "2", "train"), lambda job: Finished({"n": 2}))
    first.stop("request")
    assert second.job.control.stop_reason is None
    for session in (first, second):
        session.start()
        session.wait(10)
    assert kinds(tmp_path / "1") == kinds(tmp_path / "2") == ["started", "finished"]


def test_subscribers_hear_the_work_from_its_thread(tmp_path: Path) -> None:
    heard: list[tuple[str, str]] = []
    job = Job(tmp_path, "export")
    job.subscribe(lambda record: heard.append((record.kind, threading.current_thread().name)))

    def work(job: Job) -> Finished:
        job.emit(Note("code", "text"))
        return Finished()

    session = Session(job, work)
    session.start()
    session.wait(10)
    assert heard == [(kind, "voicetui-export") for kind in ("started", "note", "finished")]
