"""What the world does to a console that is open: folders that go, files that break, full disks."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_run import story
from helpers_console import make_console, piloted, screen_text
from helpers_jobs import make_project
from textual.pilot import Pilot

from engine import places, recent
from engine.events import Finished
from engine.jobs import Job, new_folder
from engine.session import Session
from voicetui.app import Console
from voicetui.screens.base import ConsoleScreen, Dialog
from voicetui.screens.dialogs import Message
from voicetui.widgets.bars import StatusLine
from voicetui.widgets.styled import plain

Open = Callable[[Console, Path], None]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a run of 200 steps."""
    folder = make_project(tmp_path / "voice")
    run = folder / "runs" / "0001"
    run.mkdir(parents=True)
    job = Job(run, "train")
    for event in story(200):
        job.emit(event)
    job.close()
    recent.remember(folder)
    return folder


def said(console: Console) -> str:
    """The status line of the screen in sight."""
    screens = [screen for screen in console.screen_stack if isinstance(screen, ConsoleScreen)]
    return "".join(plain(line) for line in screens[-1].query_one(StatusLine).lines).strip()


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError(screen_text(pilot.app))  # type: ignore[arg-type]


async def back_to(pilot: Pilot[None], screen: ConsoleScreen) -> None:
    """Close whatever a key has opened before a screen."""
    for _ in range(10):
        if pilot.app.screen is screen:
            return
        await pilot.press("ctrl+g" if isinstance(pilot.app.screen, Dialog) else "q")
        await pilot.pause()


def goes_away(folder: Path) -> None:
    shutil.rmtree(folder)


def log_is_a_folder(folder: Path) -> None:
    log = folder / "runs" / "0001" / "events.jsonl"
    log.unlink()
    log.mkdir()


def run_is_a_file(folder: Path) -> None:
    shutil.rmtree(folder / "runs" / "0001")
    (folder / "runs" / "0001").touch()


def nothing_can_be_asked(folder: Path) -> None:
    (folder / "runs" / "0001" / "requests").touch()


def lock_is_a_folder(folder: Path) -> None:
    (folder / ".lock").unlink(missing_ok=True)
    (folder / ".lock").mkdir()


def state_is_a_file(_folder: Path) -> None:
    shutil.rmtree(places.state_dir())
    places.state_dir().touch()


CASES: dict[str, tuple[Open, Callable[[Path], None], str]] = {
    # The last are the keys that go to the disk.
    "the run is gone": (Console.open_dashboard, goes_away, "cyoK"),
    "the run is broken": (Console.open_dashboard, run_is_a_file, "ct"),
    "the log is broken": (Console.open_dashboard, log_is_a_folder, "v"),
    "no lock for the run": (Console.open_dashboard, lock_is_a_folder, "c"),
    "no state for the run": (Console.open_dashboard, state_is_a_file, "y"),
    "the clips are gone": (Console.open_dataset, goes_away, "1234p"),
    "no lock for the clips": (Console.open_dataset, lock_is_a_folder, "p"),
    "the saved are gone": (Console.open_checkpoints, goes_away, "ry"),
    "the log of the saved": (Console.open_checkpoints, log_is_a_folder, "r"),
    "a run that is a file": (lambda console, _: console.open_home(), run_is_a_file, "y"),
    "a log that is a folder": (lambda console, _: console.open_home(), log_is_a_folder, "rd"),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_that_happens_on_the_disk_ends_the_console(project: Path, case: str) -> None:
    opening, happens, pressed = CASES[case]

    @piloted
    async def walk() -> None:
        console = make_console(lambda console: opening(console, project))
        async with console.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            screen = console.screen
            assert isinstance(screen, ConsoleScreen)
            happens(project)
            for key in pressed:
                await pilot.press(key)
                await back_to(pilot, screen)
            assert console.screen is screen
            await pilot.press("f1")
            assert console.screen is not screen

    walk()


@piloted
async def test_a_request_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "voice")
    job = Job(new_folder(folder / "runs"), "train")

    def work(job: Job) -> Finished:
        while job.control.stop_reason is None:
            job.control.wait_while_paused(0.01)
        return Finished({})

    session = Session(job, work)
    console = make_console(lambda console: console.open_session(folder, session))
    async with console.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "running" in screen_text(console))
        nothing_can_be_asked(folder)
        await pilot.press("p")
        await until(pilot, lambda: "requests" in screen_text(console))
        assert isinstance(console.screen, Message)
        assert console.host.live
        console.host.stop_all("request")
        session.wait()


@piloted
async def test_what_the_disk_refuses_is_told_at_length(project: Path) -> None:
    console = make_console(lambda console: console.open_dashboard(project))
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        log_is_a_folder(project)
        await until(pilot, lambda: "events.jsonl" in "".join(screen_text(console).split()))
        assert isinstance(console.screen, Message)
        await pilot.press("q")
        # It is looked for again and again, and told in a dialog but once.
        await pilot.pause(0.6)
        assert isinstance(console.screen, ConsoleScreen)
        assert said(console)


@piloted
async def test_a_job_that_could_not_tell_its_end_is_over_all_the_same(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "voice")
    job = Job(new_folder(folder / "runs"), "train")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def work(job: Job) -> Finished:
        # From here on the disk is full, for the log too.
        size = (job.folder / "events.jsonl").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
        raise ValueError("something else went wrong")

    console = make_console(lambda console: console.open_session(folder, Session(job, work)))
    try:
        async with console.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: not console.host.live)
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            await until(pilot, lambda: "something else went wrong" in screen_text(console))
            assert "running" not in screen_text(console)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@piloted
async def test_a_state_folder_that_cannot_be_written_costs_only_the_memory(
    project: Path,
) -> None:
    state_is_a_file(project)
    console = make_console(lambda console: console.open_dashboard(project))
    async with console.run_test() as pilot:
        theme = console.theme
        await pilot.press("f8")
        assert console.theme != theme
    assert places.state_dir().is_file()
