"""Several sessions in one process, after the console that began them has ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from helpers_terminal import wait_until

from engine.errors import StopRequested
from engine.events import Finished, Note
from engine.jobs import Job, new_folder
from engine.session import Outcome, Session
from voicetui.exit_codes import SessionEnded
from voicetui.host import Host
from voicetui.run import attend
from voicetui.signals import Signals
from voicetui.watching import LiveJob


def make_host() -> Host:
    return Host(Signals(), lambda number: None)


def session(folder: Path, kind: str, may_end: threading.Event) -> Session:
    """One that sees a stop, but ends no sooner than it may."""

    def work(job: Job) -> Finished:
        while job.control.stop_reason is None:
            job.control.wait_while_paused(0.01)
            time.sleep(0.01)
        may_end.wait()
        raise StopRequested(job.control.stop_reason, 1)

    return Session(Job(new_folder(folder, kind), kind), work)


def test_a_signal_in_the_plain_log_stops_all_sessions_at_once(tmp_path: Path) -> None:
    host, may_end = make_host(), threading.Event()
    slow = host.start(session(tmp_path, "train", may_end)).session
    other = host.start(session(tmp_path, "prepare", may_end)).session
    host.signals.reason = "SIGINT"

    def told() -> None:
        wait_until(lambda: other.job.control.stop_reason == "SIGINT", "the other one's stop")
        may_end.set()

    teller = threading.Thread(target=told)
    teller.start()
    attend(host.sessions_to_the_end(), host.signals, host.stop_all)
    teller.join()
    for each in (slow, other):
        outcome = each.wait()
        assert outcome is not None
        assert outcome.state == "stopped"


def test_a_session_made_while_all_were_stopped_is_stopped_too(tmp_path: Path) -> None:
    host, may_end = make_host(), threading.Event()
    may_end.set()
    host.stop_all("request")
    outcome = host.start(session(tmp_path, "train", may_end)).session.wait()
    assert outcome is not None
    assert outcome.state == "stopped"


def test_waiting_between_two_sessions_costs_nothing() -> None:
    host, may_end = make_host(), threading.Event()

    def road(complete: Callable[[Session], Outcome]) -> None:
        may_end.wait()
        raise SessionEnded(Outcome("stopped"))

    with host.watching():
        host.run_road(road)
    # The console has ended; the road has not.
    begun, spent = time.monotonic(), time.thread_time()
    looks = host.sessions_to_the_end()
    while time.monotonic() - begun < 0.5:
        assert next(looks) is None
    assert time.thread_time() - spent < 0.1
    may_end.set()
    assert all(each is None for each in looks)


def test_what_is_written_last_is_still_told(tmp_path: Path) -> None:
    """The job ends between the reading of its log and the look at how it ended."""

    def work(job: Job) -> Finished:
        job.emit(Note("x", "the last word"))
        return Finished({})

    class Late(LiveJob):
        @property
        def outcome(self) -> Outcome | None:
            if not self.session.job.folder.joinpath("begun").exists():
                self.session.job.folder.joinpath("begun").touch()
                self.session.start()
            return self.session.wait()

    job = Late(Session(Job(new_folder(tmp_path, "speak"), "speak"), work))
    told = job.poll()
    assert [record.kind for record in told] == ["started", "note", "finished"]
    assert job.state.state == "finished"
    assert job.poll() == []
