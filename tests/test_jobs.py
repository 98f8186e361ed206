from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import __version__, requests
from engine.errors import DiskFullError, SourceError, StopRequested
from engine.eventlog import EventLog, Record, read_all
from engine.events import Failed, Finished, Note, Paused, RequestDone, Started, Stopped
from engine.jobs import LOG_NAME, Job, job_folders, new_folder

STEP = threading.Event()  # never set: work that waits on it for a moment is a slow small step


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true within five seconds."""
    return any(condition() or STEP.wait(0.01) for _ in range(500))


def kinds(folder: Path) -> list[str]:
    return [record.kind for record in read_all(folder / LOG_NAME)]


def last(folder: Path) -> Record:
    return read_all(folder / LOG_NAME)[-1]


def until_stopped(job: Job) -> Finished:
    """Work that honours pauses and stops, and answers every other request."""
    for _ in range(1000):
        job.control.wait_while_paused()
        job.control.raise_if_stopped()
        while request := job.control.take():
            job.answer(request, "done")
        STEP.wait(0.01)
    return Finished()


def test_job_folders_are_numbered_across_kinds(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    assert job_folders(jobs) == []
    assert new_folder(jobs, "prepare").name == "0001-prepare"
    assert new_folder(jobs, "export").name == "0002-export"
    assert new_folder(jobs).name == "0003"
    (jobs / "notes").mkdir()
    (jobs / "12-short").mkdir()
    (jobs / "9999-export").mkdir()
    assert new_folder(jobs, "export").name == "10000-export"
    assert [path.name for path in job_folders(jobs)] == [
        "0001-prepare",
        "0002-export",
        "0003",
        "9999-export",
        "10000-export",
    ]


def test_processes_that_start_at_once_get_folders_of_their_own(
    tmp_path: Path, fork: Callable[..., Any]
) -> None:
    children = [fork(lambda: [new_folder(tmp_path / "runs") for _ in range(25)]) for _ in range(4)]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    assert len(job_folders(tmp_path / "runs")) == 100


def test_finished_work_tells_its_story(tmp_path: Path) -> None:
    job = Job(tmp_path, "prepare")
    told: list[Record] = []
    job.subscribe(told.append)

    def work(job: Job) -> Finished:
        job.emit(Note("code", "text"))
        return Finished({"clips": 3})

    job.perform(work)
    job.close()
    assert [record.event for record in told] == [
        Started("prepare", os.getpid(), __version__),
        Note("code", "text"),
        Finished({"clips": 3}),
    ]
    assert [record.event for record in read_all(tmp_path / LOG_NAME)] == [r.event for r in told]


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (SourceError("a\x1b.wav is empty."), Failed("SourceError", "a␛.wav is empty.")),
        (ZeroDivisionError("1/0"), Failed("ZeroDivisionError", "ZeroDivisionError: 1/0")),
        (KeyboardInterrupt(), Failed("KeyboardInterrupt", "KeyboardInterrupt: ")),
        (StopRequested("SIGTERM", 12), Stopped("SIGTERM", 12)),
    ],
)
def test_every_end_is_told_and_raised_again(
    tmp_path: Path, error: BaseException, event: Failed | Stopped
) -> None:
    def work(job: Job) -> Finished:
        raise error

    job = Job(tmp_path, "train")
    with pytest.raises(type(error)) as caught:
        job.perform(work)
    job.close()
    assert caught.value is error
    assert last(tmp_path).event == event


def test_a_stop_by_file_is_answered_and_honoured_within_a_second(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(record: Record) -> None:
        if isinstance(record.event, Note):
            asked.append(requests.post(tmp_path, "stop"))

    def work(job: Job) -> Finished:
        job.emit(Note("ready", ""))
        return until_stopped(job)

    job = Job(tmp_path, "train")
    job.subscribe(ask)
    with pytest.raises(StopRequested):
        job.perform(work)
    job.close()
    records = read_all(tmp_path / LOG_NAME)
    assert [record.kind for record in records] == ["started", "note", "request_done", "stopped"]
    answer = records[2].event
    assert isinstance(answer, RequestDone)
    assert (answer.id, answer.request, answer.ok) == (asked[0], "stop", True)
    assert records[3].event == Stopped("request")
    assert records[3].t - records[1].t < 1


def test_another_process_pauses_resumes_saves_and_stops(
    tmp_path: Path, fork: Callable[..., Any]
) -> None:
    def work(job: Job) -> Finished:
        job.emit(Note("listening", ""))
        return until_stopped(job)

    child = fork(lambda: Job(tmp_path, "train").perform(work))
    assert eventually(lambda: "note" in kinds(tmp_path))
    for verb in ("pause", "resume", "save", "stop"):
        identifier = requests.post(tmp_path, verb)
        assert eventually(
            lambda identifier=identifier: any(
                isinstance(record.event, RequestDone) and record.event.id == identifier
                for record in read_all(tmp_path / LOG_NAME)
            )
        )
    assert child.wait() == 1  # StopRequested went through
    assert last(tmp_path).event == Stopped("request")


def test_what_an_earlier_process_was_asked_is_not_asked_of_this_one(tmp_path: Path) -> None:
    requests.post(tmp_path, "stop")
    job = Job(tmp_path, "train")
    job.perform(lambda job: Finished())
    job.close()
    assert kinds(tmp_path) == ["started", "finished"]
    assert requests.take(tmp_path) == []


def test_a_stop_is_honoured_though_the_full_disk_takes_no_answer(
    tmp_path: Path, fork: Callable[..., Any]
) -> None:
    reader, writer = os.pipe()

    def work(job: Job) -> Finished:
        size = (tmp_path / LOG_NAME).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        with pytest.raises(DiskFullError):
            job.emit(Paused(1))
        os.write(writer, b"full")
        assert eventually(lambda: job.control.stop_reason is not None)
        os.write(writer, b"stop")
        return Finished()

    fork(lambda: Job(tmp_path, "train").perform(work))
    os.close(writer)
    assert os.read(reader, 4) == b"full"
    requests.post(tmp_path, "pause")
    assert eventually(lambda: not any((tmp_path / requests.FOLDER).iterdir()))
    requests.post(tmp_path, "stop")
    assert os.read(reader, 4) == b"stop"
    os.close(reader)
    assert kinds(tmp_path) == ["started"]


def test_a_resumed_job_goes_on_in_the_same_log(tmp_path: Path) -> None:
    for _ in range(2):
        job = Job(tmp_path, "train")
        job.perform(lambda job: Finished())
        job.close()
    assert [record.seq for record in read_all(tmp_path / LOG_NAME)] == [1, 2, 3, 4]
    log = EventLog(tmp_path / LOG_NAME)
    assert log.emit(Paused(1)).seq == 5
    log.close()
