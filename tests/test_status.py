"""A job's state as its log tells it, and telling a running job from a crashed one."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers_jobs import evaluated, make_project, step, warned

from engine import events, lock
from engine.eventlog import EventLog, Record
from engine.events import Event
from engine.jobs import LOG_NAME
from engine.status import Follower, ProjectStatus, RunState, project_status, read_state


def fold(*told: Event, begin: float = 1000.0) -> RunState:
    """The state after events that came ten seconds apart."""
    state = RunState()
    for number, event in enumerate(told):
        state.apply(Record(number + 1, begin + 10 * number, event))
    return state


def started(pid: int = 0, job: str = "train") -> events.Started:
    return events.Started(job, pid or os.getpid(), "0.1.0")


def write_log(folder: Path, *told: Event, clock: Callable[[], float] | None = None) -> Path:
    log = EventLog(folder / LOG_NAME, **({"clock": clock} if clock else {}))
    for event in told:
        log.emit(event)
    log.close()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "voice")


def test_no_events_are_a_new_job() -> None:
    assert fold().state == "new"
    assert not fold().ended


def test_a_step_sets_the_numbers() -> None:
    state = fold(started(), events.Epoch(1, 2, 31), step(7, steps=62))
    assert (state.state, state.job, state.epoch, state.epochs) == ("running", "train", 1, 2)
    assert (state.step, state.steps, state.loss, state.eta) == (7, 62, 3.5, 600.0)
    assert (state.loss_text_ce, state.loss_mel_ce, state.learning_rate) == (0.03, 3.47, 5e-6)


@pytest.mark.parametrize(
    ("end", "state", "message"),
    [
        (events.Finished({"step": 7}), "finished", ""),
        (events.Failed("DatasetError", "no clips"), "failed", "no clips"),
        (events.Stopped("SIGTERM", 7), "stopped", ""),
    ],
)
def test_an_end_takes_the_eta_away(end: Event, state: str, message: str) -> None:
    found = fold(started(), step(7), end)
    assert (found.state, found.message, found.eta) == (state, message, None)
    assert found.ended
    assert found.step == 7


def test_an_end_is_told_whole() -> None:
    assert fold(started(), events.Failed("DatasetError", "x")).error == "DatasetError"
    assert fold(started(), events.Stopped("request", 7)).reason == "request"
    assert fold(started(), events.Finished({"step": 7})).summary == {"step": 7}


def test_a_resumed_job_runs_again_and_forgets_how_it_ended() -> None:
    state = fold(started(), events.Failed("DiskFullError", "full"), started(4321))
    assert (state.state, state.message, state.error, state.pid) == ("running", "", "", 4321)


def test_a_pause_and_its_end() -> None:
    assert fold(started(), events.Paused(3)).state == "paused"
    assert fold(started(), events.Paused(3), events.Continued(3)).state == "running"


def test_the_best_is_the_last_that_nothing_beat() -> None:
    told = [evaluated(10, 3.0, best=True), evaluated(20, 2.5, best=True)]
    best = fold(started(), *told, evaluated(30, 2.75, best=False)).best
    assert best is not None
    assert (best.loss, best.step) == (2.5, 20)
    assert fold(started()).best is None


@pytest.mark.parametrize(
    "back",
    [
        (started(), events.Resumed(15, 1, "step-000015")),
        (events.RolledBack(15, 25, 2.5e-6, 1),),
    ],
)
def test_a_step_back_forgets_what_will_be_done_again(back: tuple[events.Event, ...]) -> None:
    told = [evaluated(10, 3.0, best=True), step(25), evaluated(20, 2.5, best=True)]
    state = fold(started(), *told, *back)
    assert state.step == 15
    assert [evaluation.step for evaluation in state.evaluations] == [10]
    assert state.best is not None
    assert state.best.loss == 3.0


def test_a_run_that_begins_again_without_a_word_forgets_what_it_had_done() -> None:
    told = [step(9), evaluated(9, 3.0, best=True), step(10)]
    state = fold(started(), *told, started(), step(1), evaluated(1, 4.0, best=True))
    assert [evaluation.step for evaluation in state.evaluations] == [1]
    assert state.step == 1


def test_elapsed_counts_work_and_not_the_nights_between() -> None:
    state = RunState()
    state.apply(Record(1, 1000.0, started()))
    state.apply(Record(2, 1060.0, events.Stopped("SIGINT", 1)))
    state.apply(Record(3, 50_000.0, started()))
    state.apply(Record(4, 50_005.0, step(2)))
    assert state.elapsed == 65.0


def test_a_pause_is_no_work() -> None:
    told = [started(), events.Paused(1), events.RequestDone("a", "save", ok=True)]
    assert fold(*told).elapsed == 10.0
    assert fold(*told, events.Continued(1), step(2, steps=9)).elapsed == 20.0
    # A stop ends the pause too; the next session counts from its own beginning.
    again = fold(*told, events.Stopped("request", 1), started(), step(2, steps=9))
    assert again.elapsed == 20.0


def test_stages_warnings_drops_and_saves_are_kept() -> None:
    drop = events.ClipDropped("a", "a.wav", 0.0, 1.0, "too short")
    state = fold(
        started(),
        events.Stage("transcribe", 9, "chunks"),
        events.Progress("transcribe", 4, 9, "chunks"),
        drop,
        drop,
        warned(),
        events.Saved(5, 1, "step-000005", 10, 0.1, best=True),
    )
    assert (state.stage, state.done, state.total, state.unit) == ("transcribe", 4, 9, "chunks")
    assert state.dropped == {"too short": 2}
    assert state.warnings == [warned()]
    assert (state.saved_step, state.checkpoint) == (5, "step-000005")


def forgotten(step: int, change: float) -> events.VoiceEvaluated:
    return events.VoiceEvaluated("Anna", step, 1, 5, 4 + change, 2.0, 4 + change, 4.0, change)


def test_the_epochs_of_each_voice_are_those_that_are_saved() -> None:
    told = [started(), events.Lineage("Ben", {"Anna": 12, "Ben": 3}), forgotten(0, 0.0)]
    assert fold(*told).voice_epochs == {"Anna": 12, "Ben": 3}
    told += [step(9), forgotten(9, 0.25), events.Saved(9, 2, "step-000009", 10, 0.1, best=True)]
    state = fold(*told)
    assert state.voice_epochs == {"Anna": 12, "Ben": 5}
    assert state.earlier_voices == [forgotten(9, 0.25)]
    values = json.loads(json.dumps(state.as_dict()))
    assert values["voice_epochs"] == {"Anna": 12, "Ben": 5}
    assert [each["change"] for each in values["voice_evaluations"]] == [0.0, 0.25]
    assert RunState.from_json(json.loads(json.dumps(state.to_json()))) == state
    # What came after the checkpoint is done again.
    gone_back = fold(*told, step(12), forgotten(12, 0.5), started(), events.Resumed(9, 2, "x"))
    assert gone_back.earlier_voices == [forgotten(9, 0.25)]


def test_the_state_as_json_holds_every_number() -> None:
    state = fold(started(), step(7, loss=math.nan), evaluated(7, math.inf, best=True), warned())
    values = json.loads(json.dumps(state.as_dict(), allow_nan=False))
    assert values["loss"] == "nan"
    assert values["best"] == {"loss": "inf", "step": 7}
    assert values["warnings"][0]["remedy"] == "raise the rate"
    wanted = {"state", "run", "epoch", "step", "steps", "loss", "best", "eta", "warnings"}
    assert wanted <= set(values)


def test_an_unknown_event_changes_nothing_but_the_time() -> None:
    state = fold(started(), events.Unknown("later_kind", {"x": 1}))
    assert (state.state, state.updated_at) == ("running", 1010.0)


def test_a_run_without_an_end_is_running_while_its_process_holds_the_project(
    project: Path,
) -> None:
    run = write_log(project / "runs" / "0001", started(), step(3))
    with lock.hold(project, "train"):
        assert read_state(run).state == "running"
    state = read_state(run)
    assert state.state == "crashed"
    assert state.eta is None
    assert state.step == 3


def test_another_process_that_holds_the_project_does_not_make_a_run_alive(project: Path) -> None:
    run = write_log(project / "runs" / "0001", started(pid=1))
    with lock.hold(project, "prepare"):
        assert read_state(run).state == "crashed"


def test_a_pid_that_was_given_again_does_not_make_a_run_alive(project: Path) -> None:
    run = write_log(project / "runs" / "0001", started(), clock=lambda: 1000.0)
    with lock.hold(project, "train"):
        assert read_state(run).state == "crashed"


def test_a_job_that_holds_nothing_lives_as_long_as_its_process(
    project: Path, fork: Callable[..., object]
) -> None:
    alive = write_log(project / "jobs" / "0001-export", started(job="export"))
    assert read_state(alive).state == "running"
    child = fork(lambda: write_log(project / "jobs" / "0002-export", started(job="export")))
    assert child.wait() == 0  # type: ignore[attr-defined]
    assert read_state(project / "jobs" / "0002-export").state == "crashed"


def test_no_prefix_of_a_log_raises(project: Path) -> None:
    run = write_log(project / "runs" / "0001", started(), step(1), warned(), step(2))
    whole = (run / LOG_NAME).read_bytes()
    for length in range(0, len(whole), 7):
        (run / LOG_NAME).write_bytes(whole[:length])
        found = read_state(run)
        assert found.state == ("crashed" if b"\n" in whole[:length] else "new")


@pytest.mark.parametrize("junk", [b"\x00" * 500, b"\xff\xfe\n" * 9, b"{}\n[]\n\n", b'{"v":1}\n'])
def test_damage_inside_a_log_is_passed_over(project: Path, junk: bytes) -> None:
    run = write_log(project / "runs" / "0001", started())
    with (run / LOG_NAME).open("ab") as handle:
        handle.write(junk + b"\n")
    write_log(run, step(9), events.Finished({}))
    assert read_state(run).state == "finished"
    assert read_state(run).step == 9


def test_a_follower_gives_each_line_once_and_leaves_an_unfinished_one(project: Path) -> None:
    run = write_log(project / "runs" / "0001", started())
    follower = Follower(run)
    assert [record.kind for _, record in follower.lines()] == ["started"]
    whole = (run / LOG_NAME).read_bytes()
    write_log(run, step(1))
    new = (run / LOG_NAME).read_bytes()[len(whole) :]
    (run / LOG_NAME).write_bytes(whole + new[:20])
    assert list(follower.lines()) == []
    (run / LOG_NAME).write_bytes(whole + new)
    assert [line for line, _ in follower.lines()] == [new]
    assert follower.state.step == 1


def test_a_project_without_jobs_is_new(project: Path) -> None:
    found = project_status(project)
    assert found == ProjectStatus()
    assert found.shown.state == "new"
    assert found.newest is None


def in_order(*jobs: Path) -> None:
    """Make each log younger than the one before."""
    for age, job in enumerate(jobs):
        os.utime(job / LOG_NAME, (2000 + age, 2000 + age))


def test_the_last_training_is_shown_unless_something_runs(project: Path) -> None:
    end = events.Finished({})
    old = write_log(project / "runs" / "0001", started(1), end)
    run = write_log(project / "runs" / "0002", started(1), events.Stopped("SIGINT", 1))
    job = write_log(project / "jobs" / "0001-prepare", started(1, "prepare"), end)
    in_order(old, run, job)
    found = project_status(project)
    assert found.shown.run == "0002"
    assert found.newest == job
    assert [state.run for state in found.states] == ["0001-prepare", "0002"]

    live = write_log(project / "jobs" / "0002-prepare", started(job="prepare"))
    found = project_status(project)
    assert found.running == found.newest == live
    assert found.shown.run == "0002-prepare"


def test_a_resumed_older_run_is_the_newest(project: Path) -> None:
    older = write_log(project / "runs" / "0001", started(1), events.Finished({}))
    newer = write_log(project / "runs" / "0002", started(1), events.Finished({}))
    in_order(newer, older)
    assert project_status(project).newest == older


def test_a_job_that_never_began_does_not_count(project: Path) -> None:
    write_log(project / "runs" / "0001", started(1), events.Finished({}))
    write_log(project / "runs" / "0002")
    (project / "runs" / "0003").mkdir()
    assert project_status(project).shown.run == "0001"


def test_a_poll_and_a_look_at_the_process_make_the_same_as_read_state(project: Path) -> None:
    run = write_log(project / "runs" / "0001", started(), step(3))
    follower = Follower(run)
    with lock.hold(project, "train"):
        assert follower.poll() is False
        assert follower.settle().state == "running"
        assert follower.glance().state == "running"
    assert follower.settle().state == "crashed"
    assert read_state(run) == follower.state
    assert follower.glance() == follower.state
    write_log(run, started(), step(4))
    with lock.hold(project, "train"):
        follower.poll()
        assert follower.settle().state == "running"


def test_a_run_that_disappears_is_no_error(project: Path) -> None:
    run = write_log(project / "runs" / "0001", started(1))
    shutil.rmtree(run)
    assert read_state(run).state == "new"
