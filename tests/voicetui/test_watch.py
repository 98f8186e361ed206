"""Looking after a job from a second process: status, attach, stop, save, pause, resume."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers_jobs import HOSTILE, evaluated, make_project, step, warned
from helpers_terminal import OnPipes, wait_until

from engine import events
from engine.eventlog import EventLog, read_all
from engine.jobs import LOG_NAME
from voicetui import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "voice")


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the project in this process; gives its exit code, stdout and stderr."""

    def call(name: str, *options: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run([name, str(project), *options])
        return code, *capsys.readouterr()

    return call


@contextlib.contextmanager
def at_work(project: Path, work: str = "steps", kind: str = "train") -> Iterator[OnPipes]:
    """Another process that works on the project; it is killed in the end."""
    process = OnPipes(work, kind, str(project))
    process.stdout.close()
    process.stderr.close()
    try:
        wait_until(lambda: "started" in kinds(project), "the work to begin")
        yield process
    finally:
        process.kill()


def logs(project: Path) -> list[Path]:
    return [*project.glob(f"runs/*/{LOG_NAME}"), *project.glob(f"jobs/*/{LOG_NAME}")]


def kinds(project: Path) -> list[str]:
    return [record.kind for log in logs(project) for record in read_all(log)]


def write_run(project: Path, *told: events.Event) -> Path:
    log = EventLog(project / "runs" / "0001" / LOG_NAME)
    for event in (events.Started("train", 1, "0.1.0"), *told):
        log.emit(event)
    log.close()
    return log.path


def test_stop_ends_a_run_safely_and_that_is_no_failure(project: Path, run: Run) -> None:
    with at_work(project) as process:
        assert run("stop") == (0, "0001: stopping at the next safe point\n", "")
        assert process.wait() == 0
        assert kinds(project)[-1] == "stopped"
        code, out, _ = run("attach")
        assert code == 0
        assert "stopped by request at step" in out


def test_save_waits_until_it_is_saved(project: Path, run: Run) -> None:
    with at_work(project):
        code, out, _ = run("save")
        assert code == 0
        assert out.startswith("0001: saved step-")
        assert "saved" in kinds(project)


def test_pause_and_resume(project: Path, run: Run) -> None:
    with at_work(project):
        assert run("pause")[0] == 0
        wait_until(lambda: "paused" in kinds(project), "the pause")
        assert json.loads(run("status", "--json")[1])["state"] == "paused"
        before = len(kinds(project))
        assert run("resume")[0] == 0
        wait_until(lambda: len(kinds(project)) > before + 5, "steps after the pause")


def test_a_request_that_is_not_taken_is_withdrawn(project: Path, run: Run) -> None:
    with at_work(project) as process:
        process.send_signal(signal.SIGSTOP)
        code, _, err = run("save", "--timeout", "0.3")
        assert code == 1
        assert "it was withdrawn" in err
        assert list((project / "runs/0001/requests").iterdir()) == []


def test_a_request_that_waits_for_its_turn_says_so(project: Path, run: Run) -> None:
    with at_work(project, "deaf"):
        code, _, err = run("save", "--timeout", "0.5")
        assert code == 1
        assert "has not answered" in err


def test_a_job_that_dies_before_its_answer(project: Path, run: Run) -> None:
    with at_work(project) as process:
        process.send_signal(signal.SIGSTOP)
        waiting = OnPipes("steps", "save", str(project))
        wait_until(lambda: list(project.glob("runs/0001/requests/*.json")), "the request")
        process.kill()
        _, err = waiting.communicate()
        assert waiting.returncode == 1
        assert b"0001 crashed before it answered" in err


def test_only_a_training_is_saved(project: Path, run: Run) -> None:
    with at_work(project, kind="prepare"):
        code, _, err = run("save")
        assert code == 2
        assert "0001-prepare" in err
        assert run("stop")[0] == 0


@pytest.mark.parametrize("name", ["stop", "save", "pause", "resume"])
def test_nothing_to_ask(project: Path, run: Run, name: str) -> None:
    assert run(name)[::2] == (2, f"error: Nothing is running in {project}.\n")
    write_run(project, events.Finished({}))
    assert "Its last job, 0001, is finished." in run(name)[2]


def test_status_of_a_running_job(project: Path, run: Run) -> None:
    with at_work(project):
        wait_until(lambda: "step" in kinds(project), "a step")
        _, out, _ = run("status")
        assert out.startswith("state     running\nrun       0001 (train)\nepoch     1/2\nstep ")
        assert "ETA       10 min" in out
        values = json.loads(run("status", "--json")[1])
        assert (values["state"], values["run"], values["epoch"]) == ("running", "0001", 1)
        assert values["step"] >= 1


def test_status_says_what_to_fix_in_the_dataset(project: Path, run: Run) -> None:
    finding = {"name": "hum", "level": "watch", "seen": "it \x1b[1mhums", "advice": "Filter it."}
    (project / "dataset").mkdir(exist_ok=True)
    (project / "dataset" / "summary.json").write_text(json.dumps({"findings": [finding]}))
    assert json.loads(run("status", "--json")[1])["findings"] == [finding]
    _, out, _ = run("status")
    assert "to fix    one thing in the dataset: it ␛[1mhums" in out
    assert "Filter it." in out


def test_status_of_a_killed_job(project: Path, run: Run) -> None:
    with at_work(project) as process:
        process.kill()
        process.wait()
        code, out, _ = run("status")
        assert code == 0
        assert out.startswith("state     crashed: ended without a word")
        code, out, err = run("attach")
        assert code == 1
        assert "ended without a word" in err


def test_status_of_a_finished_job(project: Path, run: Run) -> None:
    write_run(project, step(4), evaluated(4, 3.125, best=True), warned(), events.Finished({}))
    _, out, _ = run("status")
    assert "state     finished\n" in out
    assert "best      3.125 at step 4 (held out)\n" in out
    assert "warnings  1\n          the loss is flat\n            raise the rate\n" in out
    assert "ETA" not in out
    write_run(project, events.Stopped("SIGTERM", 5))
    assert run("status")[1].startswith("state     stopped by SIGTERM\n")
    values = json.loads(run("status", "--json")[1])
    assert values["best"] == {"loss": 3.125, "step": 4}
    assert values["warnings"][0]["code"] == "loss_flat"


def test_status_of_a_torn_log(project: Path, run: Run) -> None:
    log = write_run(project, step(1), events.Finished({}))
    whole = log.read_bytes()
    for length in range(0, len(whole), 40):
        log.write_bytes(whole[:length])
        assert run("status")[::2] == (0, "")
        assert run("status", "--json")[0] == 0


def test_status_of_a_new_project_and_of_none(project: Path, run: Run) -> None:
    assert run("status") == (0, "state     new: nothing was run yet\n", "")
    assert json.loads(run("status", "--json")[1])["state"] == "new"
    assert run("attach")[0] == 2
    shutil.rmtree(project)
    assert run("status")[0] == 2


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (events.Finished({}), 0),
        (events.Stopped("request", 1), 0),
        (events.Stopped("SIGINT", 1), 130),
        (events.Stopped("SIGTERM", 1), 143),
        (events.Failed("DatasetError", "no clips"), 2),
        (events.Failed("NotExactError", "changed"), 3),
        (events.Failed("DiskFullError", "full"), 1),
        (events.Failed("ZeroDivisionError", "x"), 1),
        (events.Failed("clean", "x"), 1),
    ],
)
def test_attach_ends_as_the_job_did(project: Path, run: Run, end: events.Event, code: int) -> None:
    log = write_run(project, step(1), end)
    assert run("attach")[0] == code
    assert run("attach", "--json") == (code, log.read_text(), "")


def test_attach_follows_to_the_end(project: Path) -> None:
    with at_work(project) as process:
        watcher = OnPipes("steps", "attach", str(project), "--json")
        assert json.loads(watcher.stdout.readline())["kind"] == "started"
        (project / "finish").touch()
        assert process.wait() == 0
        rest, _ = watcher.communicate()
        assert watcher.returncode == 0
        assert logs(project)[0].read_bytes().endswith(rest)
        assert rest.count(b'"kind":"finished"') == 1


def test_leaving_does_not_stop_the_job(project: Path) -> None:
    with at_work(project) as process:
        watcher = OnPipes("steps", "attach", str(project))
        watcher.stdout.readline()
        watcher.send_signal(signal.SIGINT)
        _, err = watcher.communicate()
        assert watcher.returncode == 130
        assert err == b"left 0001; it goes on\n"
        before = len(kinds(project))
        wait_until(lambda: len(kinds(project)) > before + 5, "steps of the run")
        assert process.poll() is None


def test_a_second_writer_is_refused_and_told_who_has_it(project: Path) -> None:
    with at_work(project) as process:
        second = OnPipes("steps", "train", str(project))
        out, err = second.communicate()
        assert second.returncode == 3
        assert f"process {process.pid}".encode() in err
        assert out == b""


def test_nothing_hostile_is_shown(project: Path, run: Run) -> None:
    write_run(
        project,
        events.Stage(HOSTILE, 1, HOSTILE),
        events.Warned(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        events.Saved(1, 1, HOSTILE, 1, 0.1, best=True),
        events.Failed(HOSTILE, HOSTILE),
    )
    for name, *options in (["status"], ["status", "--json"], ["attach"], ["attach", "--json"]):
        _, out, err = run(name, *options)
        assert out
        assert not [char for char in out + err if char != "\n" and not char.isprintable()]
