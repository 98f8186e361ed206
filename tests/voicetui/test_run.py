"""A run from the outside: signals, terminals that freeze or go away, what is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from helpers_jobs import CHATTER, make_project
from helpers_terminal import HELPER, OnPipes, OnTerminal, unsafe, wait_until

from engine.eventlog import read_all
from engine.status import RunState, read_state

PIPE_BYTES = 1 << 16
Start = Callable[..., OnTerminal]
StartKind = Callable[..., OnTerminal]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "voice")


@pytest.fixture
def start(project: Path) -> Iterator[Start]:
    children: list[OnTerminal] = []

    def begin(work: str, *options: str, kind: StartKind = OnTerminal.forked) -> OnTerminal:
        children.append(kind(work, "train", str(project), "--plain", *options))
        return children[-1]

    yield begin
    for child in children:
        child.close()


def run_of(project: Path) -> Path:
    return project / "runs" / "0001"


def kinds(project: Path) -> list[str]:
    return [record.kind for record in read_all(run_of(project) / "events.jsonl")]


def begun(child: OnTerminal) -> OnTerminal:
    child.wait_for(b"step 1/")
    return child


def state_of(project: Path) -> RunState:
    return read_state(run_of(project))


def test_ctrl_c_stops_safely(project: Path, start: Start) -> None:
    child = begun(start("steps"))
    child.press(b"\x03")
    assert child.end() == 130
    assert b"press Ctrl-C again to end at once" in child.seen
    assert b"stopped by Ctrl-C at step" in child.seen
    assert kinds(project)[-1] == "stopped"
    assert state_of(project).reason == "SIGINT"


def test_sigterm_stops_safely(project: Path, start: Start) -> None:
    child = begun(start("steps"))
    child.process.send_signal(signal.SIGTERM)
    assert child.end() == 143
    assert state_of(project).reason == "SIGTERM"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_at_once(
    project: Path, start: Start, number: signal.Signals, code: int
) -> None:
    child = begun(start("deaf"))
    child.process.send_signal(number)
    child.wait_for(b"stopping safely")
    child.process.send_signal(number)
    pressed = time.monotonic()
    assert child.end(within=5) == code
    assert time.monotonic() - pressed < 1.0
    assert "stopped" not in kinds(project)
    assert state_of(project).state == "crashed"


def test_one_key_press_that_arrives_twice_counts_once(project: Path, start: Start) -> None:
    child = begun(start("deaf"))
    for _ in range(3):
        child.process.send_signal(signal.SIGINT)
    child.wait_for(b"stopping safely")
    taken = len(kinds(project))
    wait_until(lambda: len(kinds(project)) > taken + 50, "steps after the signals")
    (project / "finish").touch()
    assert child.end() == 0
    assert kinds(project)[-1] == "finished"


def test_an_interrupt_and_a_termination_are_two_first_signals(project: Path, start: Start) -> None:
    child = begun(start("deaf"))
    child.process.send_signal(signal.SIGINT)
    child.wait_for(b"stopping safely")
    child.process.send_signal(signal.SIGTERM)
    taken = len(kinds(project))
    wait_until(lambda: len(kinds(project)) > taken + 50, "steps after the signals")
    (project / "finish").touch()
    assert child.end() == 0


def test_a_run_goes_on_without_its_terminal(project: Path, start: Start) -> None:
    child = begun(start("steps"))
    child.hang_up()
    process = psutil.Process(child.process.pid)
    taken = len(kinds(project))
    wait_until(lambda: len(kinds(project)) > taken + 20, "steps after the hang-up")
    before, since = sum(process.cpu_times()[:2]), time.monotonic()
    taken = len(kinds(project))
    wait_until(lambda: len(kinds(project)) > taken + 200, "many more steps")
    share = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - since)
    assert share < 0.4, "it spins"
    (project / "finish").touch()
    assert child.end() == 0
    records = read_all(run_of(project) / "events.jsonl")
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert records[-1].kind == "finished"


def test_after_a_hang_up_nothing_is_printed_any_more(project: Path, start: Start) -> None:
    child = begun(start("steps"))
    child.process.send_signal(signal.SIGHUP)
    wait_until(lambda: _is_shut(child.process.pid), "the terminal to be let go")
    shown = child.read()
    taken = len(kinds(project))
    wait_until(lambda: len(kinds(project)) > taken + 20, "steps after the hang-up")
    (project / "finish").touch()
    assert child.end() == 0
    assert child.seen == shown
    assert kinds(project)[-1] == "finished"


def _is_shut(pid: int) -> bool:
    """Whether only stdin of a process still leads to a terminal."""
    descriptors = Path(f"/proc/{pid}/fd").iterdir()
    return [path.name for path in descriptors if "/pts/" in str(path.readlink())] == ["0"]


def test_a_run_that_lost_its_terminal_can_still_be_stopped(project: Path, start: Start) -> None:
    child = begun(start("steps"))
    child.hang_up()
    taken = len(kinds(project))
    wait_until(lambda: len(kinds(project)) > taken + 20, "steps after the hang-up")
    child.process.send_signal(signal.SIGTERM)
    assert child.end() == 143


def test_a_run_needs_no_stdout_at_all(project: Path) -> None:
    shell = 'exec "$@" <&- >&- 2>&-'
    line = ["sh", "-c", shell, "sh", sys.executable, str(HELPER), "quick", "train", str(project)]
    assert subprocess.run(line, check=False).returncode == 0
    assert kinds(project)[-1] == "finished"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_frozen_terminal_stops_no_step(
    project: Path, start: Start, options: tuple[str, ...]
) -> None:
    # Nobody reads what it writes; a fresh interpreter, since its end must not wait either.
    child = start("chatty", *options, kind=OnTerminal.spawned)
    wait_until(lambda: child.process.poll() is not None, "its end")
    assert child.process.returncode == 0
    assert kinds(project).count("warning") == CHATTER
    assert b"finished" not in child.read(), "the terminal took everything: it was not frozen"
    assert b"chatter" not in child.seen
    assert b"chatter" in (run_of(project) / "output.log").read_bytes()


def test_a_run_outlives_the_reader_of_its_output(project: Path) -> None:
    process = OnPipes("steps", "train", str(project), "--json")
    assert json.loads(process.stdout.readline())["kind"] == "started"
    process.stdout.close()
    taken = len(kinds(project))
    wait_until(lambda: len(kinds(project)) > taken + 50, "steps without a reader")
    (project / "finish").touch()
    assert process.wait() == 0
    assert kinds(project)[-1] == "finished"


def test_json_on_a_pipe_is_the_log_line_for_line(project: Path) -> None:
    process = OnPipes("quick", "train", str(project), "--json")
    out, err = process.communicate()
    assert process.returncode == 0
    assert out == (run_of(project) / "events.jsonl").read_bytes()
    assert b"step 2/2" in err


def test_a_slow_reader_of_a_pipe_gets_everything(project: Path) -> None:
    process = OnPipes("chatty", "train", str(project), "--json")
    process.stderr.close()
    wait_until(lambda: state_of(project).ended, "the end of the work")
    shown = process.stdout.read()
    assert shown == (run_of(project) / "events.jsonl").read_bytes()
    assert len(shown) > 4 * PIPE_BYTES
    assert b"chatter" not in shown
    assert process.wait() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_work_begins_ends_at_once(
    project: Path, start: Start, number: signal.Signals, code: int
) -> None:
    child = start("slow_to_begin")
    wait_until((project / "making").exists, "the session to be made")
    child.process.send_signal(signal.SIGHUP)  # ends nothing here either
    child.process.send_signal(number)
    assert child.end(within=5) == code
    assert b"Traceback" not in child.seen
    assert not run_of(project).exists()


def test_no_control_byte_of_a_hostile_text_reaches_the_terminal(
    project: Path, start: Start
) -> None:
    child = start("hostile")
    assert child.end() == 0
    assert child.seen.count(b"aGk=") > 8
    assert not unsafe(child.seen)


def test_hostile_text_in_json_stays_json(project: Path, start: Start) -> None:
    child = start("hostile", "--json")
    assert child.end() == 0
    assert not unsafe(child.seen)
