"""The doctor's screen: checks as they come, what to do about them, again, copied."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from helpers_console import make_console, screen_text
from helpers_jobs import HOSTILE
from textual.pilot import Pilot

from engine import places
from engine.doctor import Check, TerminalFacts
from voicetui import checkup
from voicetui.app import Console
from voicetui.screens.dialogs import Message
from voicetui.screens.doctor import DoctorScreen, Look
from voicetui.widgets.rows import RowList

FINE = Check("driver", "GPU", "ok", "570.86.15, CUDA 12.8", "")
POOR = Check("disk", "Machine", "warning", "9.1 GB of 250 GB free", "Free 20 GB or more.")
BAD = Check("torch", "Try-outs", "failure", "it does not load", "Install it again.")
MANY = [FINE, Check("memory", "Machine", "ok", "30 GB free", ""), POOR, BAD]
Story = Callable[[Console, Pilot[None]], Awaitable[None]]


def finding(checks: list[Check]) -> Look:
    return lambda folder, facts, check: list(checks)


def run(story: Story, look: Look, size: tuple[int, int] = (80, 24)) -> None:
    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(DoctorScreen(look=look)))
        async with app.run_test(size=size) as pilot:
            await settled(app, pilot)
            await story(app, pilot)

    asyncio.run(tell())


async def settled(app: Console, pilot: Pilot[None]) -> None:
    """Wait until the screen has told how all checks ended."""
    screen = doctor(app)
    while screen._helper is None or not screen._helper.done:
        await pilot.pause(0.01)
    screen._show_more()
    await pilot.pause()


def doctor(app: Console) -> DoctorScreen:
    screen = next(s for s in app.screen_stack if isinstance(s, DoctorScreen))
    assert isinstance(screen, DoctorScreen)
    return screen


def cursor(app: Console) -> int:
    return doctor(app).query_one(RowList).cursor


def test_each_check_has_sign_word_and_group() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        text = screen_text(app)
        assert "2 ok, 1 warning, 1 failure." in text
        rows = text.splitlines()
        assert rows[4].split()[:4] == ["GPU", "✓", "ok", "driver"]
        assert rows[5].split()[:4] == ["Machine", "✓", "ok", "memory"]
        assert rows[6].split()[:3] == ["!", "warning", "disk"]
        assert rows[7].split()[:3] == ["Try-outs", "✗", "failure"]

    run(story, finding(MANY))


def test_the_first_that_is_not_ok_is_chosen_with_its_remedy() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        assert cursor(app) == 2
        assert "to do  Free 20 GB or more." in screen_text(app)
        await pilot.press("n")
        await pilot.pause()
        assert cursor(app) == 3
        assert "to do  Install it again." in screen_text(app)
        await pilot.press("n")
        assert cursor(app) == 2
        await pilot.press("k")
        await pilot.pause()
        assert "to do  Nothing." in screen_text(app)

    run(story, finding(MANY))


def test_all_well_says_so_and_has_no_next() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        assert "All 1 checks are ok." in screen_text(app)
        assert " n " not in screen_text(app).splitlines()[-1]

    run(story, finding([FINE]))


def test_enter_tells_all_of_a_line() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, Message)
        assert "Machine: disk" in screen_text(app)
        assert "To do: Free 20 GB or more." in screen_text(app)
        await pilot.press("q")
        await pilot.pause()
        assert app.screen is doctor(app)

    run(story, finding(MANY))


def test_checks_are_shown_as_they_come_and_the_screen_goes_on() -> None:
    more = threading.Event()

    def slowly(
        folder: Path | None, facts: TerminalFacts, check: Callable[[], None]
    ) -> Iterator[Check]:
        yield FINE
        more.wait(10)
        yield BAD

    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(DoctorScreen(look=slowly)))
        async with app.run_test(size=(80, 24)) as pilot:
            while "570.86.15" not in screen_text(app):
                await pilot.pause(0.01)
            assert "1 checked so far." in screen_text(app)
            assert "does not load" not in screen_text(app)
            await pilot.press("y")
            await pilot.pause()
            assert "copy" not in screen_text(app).splitlines()[-1]
            more.set()
            await settled(app, pilot)
            assert "1 ok, 0 warnings, 1 failure." in screen_text(app)
            assert "copy" in screen_text(app).splitlines()[-1]

    asyncio.run(tell())


def test_r_checks_again() -> None:
    runs = iter([[BAD], [FINE]])

    async def story(app: Console, pilot: Pilot[None]) -> None:
        assert "1 failure" in screen_text(app)
        await pilot.press("r")
        await settled(app, pilot)
        assert "All 1 checks are ok." in screen_text(app)
        assert "does not load" not in screen_text(app)

    run(story, lambda folder, facts, check: next(runs))


def test_leaving_stops_the_checks() -> None:
    stopped, more = threading.Event(), threading.Event()

    def endless(
        folder: Path | None, facts: TerminalFacts, check: Callable[[], None]
    ) -> Iterator[Check]:
        try:
            while True:
                check()
                more.wait(0.01)
                yield FINE
        finally:
            stopped.set()

    async def tell() -> None:
        app = make_console(lambda console: console.push_screen(DoctorScreen(look=endless)))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            app.pop_screen()
            await pilot.pause()
            assert await asyncio.to_thread(stopped.wait, 5)

    asyncio.run(tell())


def test_the_report_is_copied_as_the_command_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("y")
        await pilot.pause()
        assert "The report is copied" in screen_text(app)
        assert app.clipboard == checkup.report(MANY)

    run(story, finding(MANY))
    report = checkup.report(MANY)
    assert "warning  disk                   9.1 GB of 250 GB free" in report
    assert "         > Free 20 GB or more." in report
    assert report.endswith("\n2 ok, 1 warning, 1 failure.")
    assert any(report in f.read_text() for f in places.state_dir().iterdir())


def test_the_terminal_is_the_one_that_the_console_has() -> None:
    seen: list[TerminalFacts] = []

    def look(folder: Path | None, facts: TerminalFacts, check: Callable[[], None]) -> list[Check]:
        seen.append(facts)
        return [FINE]

    async def story(app: Console, pilot: Pilot[None]) -> None:
        assert (seen[0].columns, seen[0].rows, seen[0].is_tty) == (120, 40, True)

    run(story, look, (120, 40))


def test_what_breaks_the_doctor_is_told() -> None:
    def look(
        folder: Path | None, facts: TerminalFacts, check: Callable[[], None]
    ) -> Iterator[Check]:
        yield FINE
        raise OSError("the disk is on fire")

    async def story(app: Console, pilot: Pilot[None]) -> None:
        assert "on fire" in screen_text(app) or "OSError" in screen_text(app)
        assert "570.86.15" in screen_text(app)

    run(story, look)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (200, 50)])
def test_hostile_findings_are_literal_at_each_size(size: tuple[int, int]) -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        assert "[bold]x[/]" in text
        assert all(char.isprintable() or char == "\n" for char in text)

    run(story, finding([Check(HOSTILE, HOSTILE, "failure", HOSTILE, HOSTILE)]), size)
