"""How a person gets from screen to screen, and what is said on the one in sight."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine.session import Session
from engine.text import clean
from voicetui.host import Host
from voicetui.screens.base import ConsoleScreen
from voicetui.trouble import Sturdy
from voicetui.type_ahead import TypeAhead

if TYPE_CHECKING:
    from voicetui.app import Console
    from voicetui.demo.walk import Walk


class Navigation(Sturdy, TypeAhead, inherit_bindings=False):
    """The part of the console that opens its screens, and knows which one is in sight."""

    def __init__(self, host: Host, **options: Any) -> None:
        super().__init__(**options)
        self.host = host
        # The demo that was begun last; it goes on behind whatever screen is in sight.
        self.demo: Walk | None = None
        # The project that a person went to or made; the list of projects puts its cursor there.
        self.gone_to: Path | None = None

    @property
    def is_at_bottom(self) -> bool:
        """Whether there is no screen to go back to."""
        # The bottom of the stack is Textual's own blank screen.
        return len(self.screen_stack) <= 2

    # --- what it says -----------------------------------------------------------------------------

    def say(self, text: str, style: str = "") -> None:
        """Say something in the status line of the screen in sight."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, ConsoleScreen):
                screen.say(clean(text), style)
                return

    def tell(self, title: str, text: str) -> None:
        """Tell something that must be read, in a dialog."""
        from voicetui.screens.dialogs import Message

        self.push_screen(Message(title, clean(text, keep_newlines=True)))

    # --- screens ----------------------------------------------------------------------------------

    def action_home(self) -> None:
        from voicetui.screens.home import HomeScreen

        while len(self.screen_stack) > 2 and not isinstance(self.screen, HomeScreen):
            self.pop_screen()
        if not isinstance(self.screen, HomeScreen):
            self.push_screen(HomeScreen())

    def action_doctor(self) -> None:
        from voicetui.screens.doctor import DoctorScreen

        if not isinstance(self.screen, DoctorScreen):
            self.push_screen(DoctorScreen())

    def action_pretrains(self) -> None:
        from voicetui.screens.pretrains.screen import PretrainsScreen

        if not isinstance(self.screen, PretrainsScreen):
            folders = [getattr(screen, "folder", None) for screen in reversed(self.screen_stack)]
            open_one = next((folder for folder in folders if folder is not None), self.gone_to)
            self.open_pretrains(open_one)

    def open_home(self) -> None:
        """The list of projects."""
        self.action_home()

    def open_setup(self, folder: Path | None = None) -> None:
        """The wizard, for a new project or to change an existing one."""
        from voicetui.screens.setup import SetupScreen

        self.push_screen(SetupScreen(folder))

    def open_project(self, folder: Path) -> None:
        """A project, at the place where its next step is."""
        from engine import recent
        from engine.overview import overview

        self.run_worker(asyncio.to_thread(recent.remember, folder))
        seen = overview(folder)
        if seen.problem:
            self.tell("This project cannot be opened", seen.problem)
        elif seen.next_step in ("watch", "train", "resume", "export", "speak"):
            self.open_dashboard(folder)
        elif seen.next_step == "sources":
            self.open_setup(folder)
        else:
            self.open_dataset(folder)
            if seen.next_step == "vocab":
                self._teach(folder)

    def _teach(self, folder: Path) -> None:
        """Ask whether the base shall learn the language of a project now."""
        from engine import project
        from voicetui.screens import flow, teaching

        console = cast("Console", self)
        flow.begin(console, "teaching the base", teaching.teach(console, project.load(folder)))

    def open_job(self, folder: Path, job: Path) -> None:
        """A job of a project, on the screen that shows its kind."""
        if job.name.endswith("-prepare"):
            self.open_dataset(folder)
        else:
            self.open_dashboard(folder, job)

    def open_session(self, folder: Path, session: Session) -> None:
        """Start a session, and show it."""
        from engine import recent

        self.run_worker(asyncio.to_thread(recent.remember, folder))
        self.host.start(session)
        self.open_job(folder, session.job.folder)

    def open_demo(self, folder: Path) -> None:
        """The whole road with bundled speech, step by step; the one that works, if one does."""
        from voicetui.demo.walk import Walk
        from voicetui.screens.demo import DemoScreen

        works = self.demo_works
        if not works:
            self.demo = Walk(self.host, folder, DemoScreen.clock())
            self.gone_to = self.demo.voice
        if any(isinstance(screen, DemoScreen) for screen in self.screen_stack):
            while not isinstance(self.screen, DemoScreen):
                self.pop_screen()
        else:
            self.push_screen(DemoScreen())
        if works:
            self.say("The demo works already: this is how far it is.")

    @property
    def demo_works(self) -> bool:
        """Whether a demo was begun here and has more to do."""
        return self.demo is not None and self.demo.is_working

    def open_dataset(self, folder: Path, *, begin: bool = False) -> None:
        """Preparation and review of a project; `begin` starts a preparation at once."""
        from voicetui.screens.dataset import DatasetScreen

        self.gone_to = Path(os.path.abspath(folder))
        self.push_screen(DatasetScreen(folder, begin=begin))

    def open_dashboard(self, folder: Path, job: Path | None = None) -> None:
        """The live dashboard of a project's newest run, or of the job given."""
        from voicetui.screens.dashboard import DashboardScreen

        self.gone_to = Path(os.path.abspath(folder))
        self.push_screen(DashboardScreen(folder, job))

    def open_checkpoints(self, folder: Path) -> None:
        """The checkpoints and exports of a project."""
        from voicetui.screens.checkpoints import CheckpointsScreen

        self.push_screen(CheckpointsScreen(folder))

    def open_pretrains(self, folder: Path | None = None) -> None:
        """The models to train from; `folder` is the project that one may be used for."""
        from voicetui.screens.pretrains.screen import PretrainsScreen

        self.push_screen(PretrainsScreen(folder))
