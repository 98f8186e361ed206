"""The console from the outside, on a real pseudo-terminal: signals, frozen and lost terminals."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from helpers_jobs import make_project
from helpers_terminal import OnTerminal, wait_until

from engine.eventlog import read_all
from engine.events import Step
from engine.status import RunState, read_state
from voicetui.app import Console
from voicetui.console import _PATIENCE_SECONDS, _Closer
from voicetui.driver import Screen
from voicetui.host import Host
from voicetui.signals import Signals

Start = Callable[..., OnTerminal]
LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHOWN_CURSOR = b"\x1b[?25h"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "voice")


@pytest.fixture
def start(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Train in the console, on a terminal of 100x30."""
    monkeypatch.setenv("TERM", "xterm-256color")
    children: list[OnTerminal] = []

    def begin(work: str, command: str = "train", *options: str) -> OnTerminal:
        child = OnTerminal.forked(work, command, str(project), *options)
        fcntl.ioctl(child.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        children.append(child)
        return child

    yield begin
    for child in children:
        child.close()


def run_of(project: Path) -> Path:
    return project / "runs" / "0001"


def state_of(project: Path) -> RunState:
    return read_state(run_of(project))


def steps_of(project: Path) -> int:
    log = run_of(project) / "events.jsonl"
    return sum(isinstance(record.event, Step) for record in read_all(log))


def begun(child: OnTerminal, project: Path) -> OnTerminal:
    """A console that shows its run at work."""
    child.wait_for(b"0001")
    wait_until(lambda: child.read() and steps_of(project) > 2, "steps")
    return child


def is_given_back(child: OnTerminal) -> bool:
    """Whether the terminal is as it was: no alternate screen, a cursor, echo."""
    seen = child.read()
    screens = seen.rfind(LEFT_ALTERNATE_SCREEN) > seen.rfind(b"\x1b[?1049h") >= 0
    cursor = seen.rfind(SHOWN_CURSOR) > seen.rfind(b"\x1b[?25l")
    echo = termios.tcgetattr(child.master)[3] & (termios.ECHO | termios.ICANON)
    return screens and cursor and bool(echo)


@pytest.mark.parametrize(
    ("number", "code"), [(None, 130), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_stops_safely(
    project: Path, start: Start, number: signal.Signals | None, code: int
) -> None:
    child = begun(start("steps"), project)
    if number is None:
        child.press(b"\x03")
    else:
        child.process.send_signal(number)
    assert child.end() == code
    assert state_of(project).state == "stopped"
    assert is_given_back(child)
    assert b"0001: stopped by" in child.seen[child.seen.rfind(LEFT_ALTERNATE_SCREEN) :]


def test_a_second_ctrl_c_ends_at_once(project: Path, start: Start) -> None:
    child = begun(start("deaf"), project)
    child.press(b"\x03")
    child.wait_for(b"Stopping safely")
    child.press(b"\x03")
    assert child.end() == 130
    assert b"the last saved checkpoint is whole" in child.seen
    assert is_given_back(child)


def test_a_lost_terminal_ends_only_the_console(project: Path, start: Start) -> None:
    child = begun(start("steps"), project)
    child.hang_up()
    process = psutil.Process(child.process.pid)

    def has_left() -> bool:
        return not any(thread_name(thread.id) == "textual-input" for thread in process.threads())

    def thread_name(number: int) -> str:
        path = Path(f"/proc/{process.pid}/task/{number}/comm")
        return path.read_text().strip() if path.exists() else ""

    wait_until(has_left, "the end of the console", 2.0)
    before, cpu, begun_at = steps_of(project), sum(process.cpu_times()[:2]), time.monotonic()
    wait_until(lambda: steps_of(project) >= before + 150, "more steps")
    spent = sum(process.cpu_times()[:2]) - cpu
    # The steps themselves take a twentieth of a core; a reader of the lost terminal takes half.
    assert spent < 0.3 * (time.monotonic() - begun_at)
    (project / "finish").touch()
    wait_until(lambda: child.process.poll() is not None, "the end of the run")
    assert state_of(project).state == "finished"


def test_a_frozen_terminal_stops_no_step_and_no_stop(project: Path, start: Start) -> None:
    child = begun(start("steps"), project)
    # From here on nobody reads what the console writes.
    fcntl.ioctl(child.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    for _ in range(300):
        child.press(b"m")
    before = steps_of(project)
    wait_until(lambda: steps_of(project) >= before + 30, "steps behind a frozen terminal")
    child.process.send_signal(signal.SIGTERM)
    wait_until(lambda: child.process.poll() is not None, "the end")
    assert child.process.returncode == 143
    assert state_of(project).state == "stopped"


def test_stray_bytes_end_nothing(project: Path, start: Start) -> None:
    child = begun(start("steps"), project)
    for stray in (b"\x1b[M \xff\xfe", b"\xc3\x28", b"\x1b[M\xe9\xe8\xf0", b"\xff" * 50):
        child.press(stray)
    before = steps_of(project)
    wait_until(lambda: child.read() and steps_of(project) > before + 3, "more steps")
    child.press(b"?")
    child.wait_for(b"help")
    assert child.process.poll() is None
    child.press(b"\x03")
    assert child.end() == 130


def test_leaving_the_console_goes_on_as_a_plain_log(project: Path, start: Start) -> None:
    child = begun(start("steps"), project)
    child.press(b"q")
    child.wait_for(b"leave the console")
    child.press(b"l")
    child.wait_for(LEFT_ALTERNATE_SCREEN)
    child.wait_for(b"step ")
    wait_until(lambda: is_given_back(child), "the terminal as it was")
    (project / "finish").touch()
    assert child.end() == 0
    assert state_of(project).state == "finished"


def test_quitting_can_stop_safely(project: Path, start: Start) -> None:
    child = begun(start("steps"), project)
    child.press(b"q")
    child.wait_for(b"stop it safely")
    child.press(b"s")
    assert child.end() == 0
    assert state_of(project).reason == "request"
    assert is_given_back(child)


def test_another_shell_attaches_and_stops(project: Path, start: Start) -> None:
    child = begun(start("steps"), project)
    other = start("steps", "attach")
    begun(other, project)
    other.press(b"x")
    other.wait_for(b"safely")
    other.press(b"x")
    wait_until(lambda: (other.read(), child.read(), state_of(project).ended)[2], "the stop")
    assert state_of(project).reason == "request"
    other.press(b"q")
    other.end()


def test_leaving_the_run_of_another_process_says_that_it_goes_on(
    project: Path, start: Start
) -> None:
    child = begun(start("steps"), project)
    other = begun(start("steps", "attach"), project)
    other.press(b"\x03")
    assert other.end() == 130
    assert b"0001 goes on in another process" in other.seen
    assert is_given_back(other)
    assert state_of(project).state == "running"
    child.press(b"\x03")
    child.end()


def test_a_crashed_screen_ends_no_run(project: Path, start: Start) -> None:
    child = start("steps_under_a_crash")
    child.wait_for(b"The console crashed")
    assert is_given_back(child)
    before = steps_of(project)
    wait_until(lambda: child.read() and steps_of(project) >= before + 5, "more steps")
    (project / "finish").touch()
    assert child.end() == 1
    assert state_of(project).state == "finished"


def test_a_second_signal_ends_behind_a_frozen_terminal(project: Path, start: Start) -> None:
    child = begun(start("deaf"), project)
    # From here on nobody reads what the console writes.
    fcntl.ioctl(child.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    for _ in range(300):
        child.press(b"m")
    before = steps_of(project)
    wait_until(lambda: steps_of(project) >= before + 30, "steps behind a frozen terminal")
    child.process.send_signal(signal.SIGTERM)
    before = steps_of(project)
    wait_until(lambda: steps_of(project) >= before + 30, "steps of a run that hears nothing")
    child.process.send_signal(signal.SIGTERM)
    wait_until(lambda: child.process.poll() is not None, "the end", 5.0)
    assert child.process.returncode == 143


def test_a_disk_that_does_not_answer_keeps_no_console_from_ending(
    project: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(folder: Path) -> None:
        (folder / "looked").touch()
        threading.Event().wait()

    # The dashboard asks for it in a helper thread. The child is forked, and has it too.
    monkeypatch.setattr("engine.overview.overview", hangs)
    monkeypatch.setattr("voicetui.app.Console.open_project", Console.open_dashboard)
    child = start("steps", "open")
    wait_until(lambda: child.read() and (project / "looked").exists(), "the look")
    child.process.send_signal(signal.SIGTERM)
    assert child.end(within=5.0) == 143
    assert is_given_back(child)


def test_a_terminal_that_works_is_left_only_after_some_patience() -> None:
    master, slave = os.openpty()
    terminal, signals = Screen(slave, "utf-8"), Signals()
    begun_at = time.monotonic()
    with _Closer(terminal, Host(signals, lambda _: None)):
        # Whenever the signal comes, what is written while closing has the same time.
        wait_until(lambda: time.monotonic() - begun_at > 0.9 * _PATIENCE_SECONDS, "a while")
        signals.reason, asked_at = "SIGTERM", time.monotonic()
        wait_until(lambda: terminal.gone, "the end of its patience")
    assert time.monotonic() - asked_at > 0.9 * _PATIENCE_SECONDS
    terminal.close()
    os.close(slave)
    os.close(master)
