from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers_jobs import evaluated, make_project, step

from engine import events, lock, project
from engine.eventlog import EventLog
from engine.events import Event
from engine.jobs import LOG_NAME, Job
from engine.overview import overview, projects_below
from engine.project import Project
from engine.xtts import own_base

TOTALS = {"kept_clips": 40, "dropped_clips": 7, "train_seconds": 240.0, "eval_seconds": 60.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a recording."""
    folder = tmp_path / "voice"
    (folder / "recordings").mkdir(parents=True)
    Project(folder, "Ada", "en", "xtts-v2.0.3", "standard", ("recordings",), {}).save()
    return folder


def prepared(folder: Path, at: float = 2000.0, **totals: Any) -> None:
    path = folder / "dataset" / "summary.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(TOTALS | totals))
    table = path.with_name("clips.jsonl")
    table.touch()
    for file in (path, table):
        os.utime(file, (at, at))


def ran(job: Path, *told: Event, at: float = 3000.0, kind: str = "train") -> Path:
    log = EventLog(job / LOG_NAME)
    # No process has a pid as large as this.
    for event in (events.Started(kind, 2**31 - 2, "0.1.0"), *told):
        log.emit(event)
    log.close()
    os.utime(job / LOG_NAME, (at, at))
    return job


def trained(folder: Path, *end: Event, saved: bool = True, **more: Any) -> Path:
    run = folder / "runs" / "0001"
    if saved:
        (run / "checkpoints" / "step-000020").mkdir(parents=True)
    best = evaluated(10, 2.5, best=True)
    return ran(run, step(10, steps=60), best, step(20, steps=60), *end, **more)


def next_of(folder: Path) -> str:
    seen = overview(folder)
    assert seen.advice.endswith((".", "!"))
    return seen.next_step


def test_a_new_project(folder: Path) -> None:
    seen = overview(folder)
    assert (seen.name, seen.language, seen.base, seen.profile) == (
        "Ada", "en", "xtts-v2.0.3", "standard",
    )  # fmt: skip
    assert (seen.clips, seen.run, seen.running, seen.problem) == (0, "", "", "")
    assert seen.changed == (folder / "project.toml").stat().st_mtime
    assert seen.next_step == "prepare"


def test_recordings_come_first(folder: Path) -> None:
    (folder / "recordings").rmdir()
    assert next_of(folder) == "sources"
    make_project(folder)
    assert next_of(folder) == "sources"
    prepared(folder)
    assert next_of(folder) == "review"


def test_clips_are_reviewed_then_trained_on(folder: Path) -> None:
    prepared(folder)
    seen = overview(folder)
    assert (seen.minutes, seen.clips, seen.dropped) == (5.0, 40, 7)
    assert seen.next_step == "review"
    (folder / "dataset" / "edits.jsonl").touch()
    assert next_of(folder) == "train"
    prepared(folder, kept_clips=0)
    assert next_of(folder) == "sources"


def test_a_new_language_is_taught_between_two_preparations(folder: Path) -> None:
    made = replace(project.load(folder), language="sv", new_language=True)
    made.save()
    assert next_of(folder) == "prepare"
    prepared(folder)
    assert next_of(folder) == "vocab"
    assert "sv" in overview(folder).advice
    own = folder / own_base.FOLDER
    own.mkdir()
    (own / own_base.FILE_NAME).touch()
    (own / "vocab.json").write_text('{"model": {"vocab": {"[sv]": 0}}}')
    replace(made, base=own_base.FOLDER, new_language=False).save()
    assert next_of(folder) == "prepare", "which counts with the new tokens"
    prepared(folder, at=time.time() + 60)
    assert next_of(folder) == "review"


def test_a_preparation_that_did_not_finish_goes_on(folder: Path) -> None:
    ran(folder / "jobs" / "0001-prepare", events.Stopped("SIGINT"), kind="prepare")
    assert next_of(folder) == "prepare"
    prepared(folder, at=2000.0)
    assert next_of(folder) == "prepare"
    prepared(folder, at=4000.0)
    assert next_of(folder) == "review"


def test_a_preparation_that_was_refused_needs_recordings(folder: Path) -> None:
    prepared(folder, train_seconds=50.0, eval_seconds=10.0)
    ran(
        folder / "jobs" / "0001-prepare",
        events.Failed("DatasetError", "too little"),
        kind="prepare",
    )
    assert next_of(folder) == "sources"
    assert "1.0 of 2 min" in overview(folder).advice
    with (folder / "project.toml").open("a") as settings:
        settings.write("\n[dataset]\nmin_minutes = 0.0\n")
    assert next_of(folder) == "prepare", "it takes any now"


@pytest.mark.parametrize(
    "end", [(), (events.Stopped("SIGINT", 20),), (events.Failed("DiskFullError", "full"),)]
)
def test_a_run_that_did_not_finish_is_resumed(end: tuple[Event, ...], folder: Path) -> None:
    prepared(folder)
    trained(folder, *end)
    seen = overview(folder)
    state = {(): "crashed"}.get(end) or end[0].kind
    assert (seen.run, seen.run_state, seen.step, seen.steps) == ("0001", state, 20, 60)
    assert (seen.epoch, seen.epochs, seen.best_loss, seen.best_step) == (1, 2, 2.5, 10)
    assert (seen.next_step, seen.running) == ("resume", "")
    assert "step 20" in seen.advice


def test_a_run_that_saved_nothing_is_begun_again(folder: Path) -> None:
    prepared(folder)
    trained(folder, events.Stopped("SIGINT", 20), saved=False)
    assert next_of(folder) == "train"


def test_a_finished_run_is_exported_then_heard(folder: Path) -> None:
    prepared(folder)
    trained(folder, events.Finished({}))
    assert next_of(folder) == "export"
    card = folder / "export" / "Ada" / "voicetui.json"
    card.parent.mkdir(parents=True)
    card.touch()
    os.utime(card, (4000, 4000))
    assert next_of(folder) == "speak"
    os.utime(card, (2500, 2500))
    assert next_of(folder) == "export"
    summary = folder / "dataset" / "summary.json"
    os.utime(summary, (5000, 5000))
    os.utime(card, (4000, 4000))
    assert next_of(folder) == "speak", "a preparation that changed no clip counts for nothing"
    prepared(folder, at=5000.0)
    assert next_of(folder) == "train"


def test_what_runs_is_watched(folder: Path) -> None:
    prepared(folder)
    trained(folder, events.Finished({}))
    run = folder / "runs" / "0002"
    with lock.hold(folder, "train"):
        job = Job(run, "train")
        job.emit(events.Started("train", os.getpid(), "0.1.0"))
        job.emit(step(3, steps=60))
        speaking = Job(folder / "jobs" / "0001-speak", "speak")
        speaking.emit(events.Started("speak", os.getpid(), "0.1.0"))
        seen = overview(folder)
        assert (seen.running, seen.run, seen.next_step) == ("0002", "0002", "watch")
        assert "step 3 of 60" in seen.advice
        job.close()
    # The run is dead, and the other job still lives.
    seen = overview(folder)
    assert (seen.running, seen.run_state, seen.next_step) == ("0001-speak", "crashed", "watch")
    speaking.close()


def _no_toml(folder: Path) -> None:
    (folder / "project.toml").unlink()


def _broken(folder: Path) -> None:
    (folder / "project.toml").write_text("name = [\x1b[31m")


def _other_profile(folder: Path) -> None:
    path = folder / "project.toml"
    path.write_text(path.read_text().replace('"standard"', '"standart"'))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (shutil.rmtree, "gone"),
        (_no_toml, "no project.toml"),
        (_broken, "not valid TOML"),
        (_other_profile, "Did you mean standard"),
    ],
)
def test_what_is_wrong_is_told(change: Callable[[Path], None], problem: str, folder: Path) -> None:
    change(folder)
    seen = overview(folder)
    assert problem in seen.problem
    assert "\x1b" not in seen.problem
    assert (seen.name, seen.next_step, seen.advice) == ("voice", "sources", seen.problem)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"kept_clips": "many"}'])
def test_a_damaged_summary_counts_as_none(content: str, folder: Path) -> None:
    prepared(folder)
    (folder / "dataset" / "summary.json").write_text(content)
    assert next_of(folder) == "prepare"


def test_many_projects_are_listed_at_once(folder: Path) -> None:
    prepared(folder)
    run = folder / "runs" / "0001"
    (run / "checkpoints" / "step-000500").mkdir(parents=True)
    job = Job(run, "train")
    job.emit(events.Started("train", 2**31 - 2, "0.1.0"))
    for number in range(1, 501):
        job.emit(step(number, steps=500))
        if number % 50 == 0:
            job.emit(evaluated(number, 5 - number / 500, best=True))
    job.emit(events.Finished({}))
    job.close()
    ran(folder / "jobs" / "0001-prepare", events.Finished({}), kind="prepare", at=1000.0)
    assert overview(folder).best_step == 500
    begun = time.process_time()
    for _ in range(20):
        overview(folder)
    # 3 ms here; the limit only catches reading what grows with the run.
    assert (time.process_time() - begun) / 20 < 0.03


def test_projects_are_found_below_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a", "deep/er/voice", "group/inside", ".hidden", "a/nested"):
        make_project(tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").touch()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    found = [path.relative_to(tmp_path).as_posix() for path in projects_below(tmp_path)]
    assert found == ["a", "b", "group/inside", "link/a", "link/b"]
    assert projects_below(tmp_path, depth=1) == [tmp_path / "a", tmp_path / "b"]
    assert projects_below(tmp_path / "a") == [tmp_path / "a"]
    assert projects_below(tmp_path / "nowhere") == []
    closed.chmod(0o700)


def test_what_cannot_be_read_is_the_problem_of_one_project(folder: Path) -> None:
    trained(folder)
    (folder / "jobs").mkdir()
    log = folder / "jobs" / "0001-prepare"
    log.touch()
    assert "0001-prepare" in overview(folder).problem
    log.unlink()
    assert not overview(folder).problem
