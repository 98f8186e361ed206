"""The demo's screen: one road, whatever screen is in sight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers_story import Story, tell

from engine import project, recent
from engine.errors import FailedError, StopRequested
from engine.events import Finished
from engine.jobs import Job, new_folder
from engine.session import Outcome, Session
from engine.xtts.base import FILES
from voicetui.app import Console
from voicetui.demo import road
from voicetui.exit_codes import SessionEnded
from voicetui.screens import demo
from voicetui.screens.dashboard import DashboardScreen
from voicetui.screens.demo import DemoScreen
from voicetui.screens.home import HomeScreen

Complete = Callable[[Session], Outcome]


class Road:
    """A road of two short jobs; each ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.trouble: Exception | None = None
        self.may_train, self.may_end = threading.Event(), threading.Event()

    def run(self, folder: Path, complete: Complete) -> Path:
        self.begun += 1
        base, home = folder / "base", folder / "voice"
        base.mkdir(parents=True)
        for file in FILES:
            (base / file).touch()
        project.create(home, name="Demo voice", language="en", sources=[], base=str(base))
        recent.remember(home)
        complete(self._session(home / "jobs", "prepare", self.may_train))
        complete(self._session(home / "jobs", "train", self.may_end))
        return home / "hello.wav"

    def _session(self, folder: Path, kind: str, may_end: threading.Event) -> Session:
        def work(job: Job) -> Finished:
            while not may_end.wait(0.01):
                if job.control.stop_reason is not None:
                    raise StopRequested(job.control.stop_reason)
            if self.trouble is not None:
                raise self.trouble
            return Finished({})

        return Session(Job(new_folder(folder, kind), kind), work)

    def end(self) -> None:
        self.may_train.set()
        self.may_end.set()


@pytest.fixture
def walked(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    """The demo's road, without its minutes of work."""
    short = Road()
    monkeypatch.setattr(road, "run", short.run)
    monkeypatch.setattr(demo, "_LOOK_SECONDS", 0.05)
    monkeypatch.chdir(home)
    yield short
    short.end()


def home_screen(console: Console) -> None:
    console.open_home()


def demo_screen(console: Console) -> None:
    """Open a demo that shows nothing but its own screen."""
    console.open_demo(Path("voicetui-demo"))
    assert console.demo is not None
    console.demo.has_shown_training = True


async def at(story: Story, kind: type[Any]) -> None:
    await story.until(lambda: isinstance(story.app.screen, kind), kind.__name__)


def test_a_demo_that_works_is_gone_back_to_and_its_voice_is_on_the_list(
    walked: Road, home: Path, tmp_path: Path
) -> None:
    recent.remember(tmp_path / "other")

    async def walk(story: Story) -> None:
        await at(story, HomeScreen)
        assert " m " not in story.text.splitlines()[-1]
        await story.press("m")
        await at(story, DemoScreen)
        await story.until_shown("All of it goes into ~/voicetui-demo")
        await story.until(lambda: "prepare" in story.app.demo.jobs)  # type: ignore[union-attr]
        await story.press("f3")
        await at(story, HomeScreen)
        await story.until_shown("Demo voice")
        screen = story.app.screen
        assert isinstance(screen, HomeScreen)
        assert screen._folder == home / "voicetui-demo" / "voice"
        await story.until(lambda: " m " in story.text.splitlines()[-1], "the key m")
        await story.press("m")
        await at(story, DemoScreen)
        await story.until_shown("The demo works already")
        await story.until_shown("▶ prepare")
        walked.may_train.set()
        await at(story, DashboardScreen)
        await story.press("f3")
        await at(story, HomeScreen)
        await story.press("m")
        await at(story, DemoScreen)
        await story.until_shown("▶ train")
        walked.may_end.set()
        await story.until_shown("Listen:")
        assert isinstance(story.app.screen, DemoScreen), "the dashboard opened once"
        await story.press("f3")
        await story.until_shown("Demo voice")
        await story.until(lambda: " m " not in story.text.splitlines()[-1], "no key m")

    tell(walk, home_screen)
    assert walked.begun == 1


def test_a_demo_that_was_opened_first_is_gone_back_to(walked: Road, tmp_path: Path) -> None:
    async def walk(story: Story) -> None:
        first = story.app.screen
        await story.until_shown("▶ prepare")
        await story.press("f3")
        await at(story, HomeScreen)
        await story.press("m")
        await at(story, DemoScreen)
        assert story.app.screen is first
        assert story.app.is_at_bottom
        story.app.demo.has_shown_training = True  # type: ignore[union-attr]
        walked.end()
        await story.until(lambda: not story.app.demo_works)

    tell(walk, lambda console: console.open_demo(tmp_path / "demo"))
    assert walked.begun == 1


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
def test_the_last_page_is_whole(walked: Road, size: tuple[int, int]) -> None:
    walked.end()

    async def look(story: Story) -> None:
        last = "n there for a new one."
        await story.until(lambda: last in " ".join(story.text.split()), last)
        assert "voicetui-demo/voice/hello.wav" in story.text
        assert "goes into" in story.text

    tell(look, demo_screen, size)


def test_what_ends_a_demo_is_told_with_the_way_on(walked: Road) -> None:
    walked.trouble = FailedError("The disk is full. Free some room.")
    walked.end()

    async def look(story: Story) -> None:
        await story.until_shown("Ended: The disk is full. Free some room. 'voicetui demo', or m")

    tell(look, demo_screen, (120, 30))


def test_a_demo_that_was_stopped_says_so(walked: Road) -> None:
    async def look(story: Story) -> None:
        await story.until_shown("▶ prepare")
        story.app.host.live[0].session.stop("request")
        await story.until_shown("Stopped. 'voicetui demo', or m")

    tell(look, demo_screen)


def test_the_roads_project_is_remembered_as_soon_as_it_exists(tmp_path: Path) -> None:
    for folder in ("jobs", "base"):
        (tmp_path / folder).mkdir()
    for file in FILES:
        (tmp_path / "base" / file).touch()
    seen: list[Path] = []

    def refuse(session: Session) -> Outcome:
        seen.extend(recent.folders())
        session.stop("request")
        session.start()
        session.wait()
        raise SessionEnded(Outcome("stopped"))

    with pytest.raises(SessionEnded):
        road.run(tmp_path, refuse)
    assert seen == [tmp_path / "voice"]
