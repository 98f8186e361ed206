"""Following, beginning and stopping the preparation of a project."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from engine import project as projects
from engine import status
from engine.errors import VoicetuiError
from voicetui import preparing
from voicetui.amounts import size
from voicetui.preparing import Preparation
from voicetui.screens import preparation
from voicetui.screens.base import ConsoleScreen
from voicetui.watching import Watched

if TYPE_CHECKING:
    from engine.project import Project
    from engine.runstate import RunState

# How many looks lie between two at what changes seldom, or costs more.
_SELDOM = 4
_ALL_RECORDS = 10_000_000


class PreparationKeys(ConsoleScreen):
    """The keys of the preparation. `job` is the newest one, `made` what it adds up to so far."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.project: Project | None = None
        self.job: Watched | None = None
        self.made: Preparation | None = None
        self._looks = 0

    def show_preparation(self) -> None:
        """Show how far it is."""
        raise NotImplementedError

    def prepared(self) -> None:
        """A preparation has just finished."""
        raise NotImplementedError

    async def look_seldom(self) -> None:
        """Every other second."""
        raise NotImplementedError

    @property
    def is_preparing(self) -> bool:
        """Whether a preparation runs, here or in another process."""
        return self.job is not None and not self.job.state.ended

    async def find_job(self) -> None:
        """Follow the newest preparation, whoever began it."""
        folder = await asyncio.to_thread(preparing.last_job, self.folder)
        if folder is None or (self.job is not None and self.job.folder == folder):
            return
        job = self.console.watch_job(folder)
        made = Preparation()
        made.take(await asyncio.to_thread(job.recent, _ALL_RECORDS))
        made.take(job.poll())
        self.job, self.made = job, made
        await self._settle(job)

    async def _settle(self, job: Watched) -> None:
        """Whether a job that says that it runs has died."""
        if not job.is_ours and not job.state.ended and not job.behind:
            await asyncio.to_thread(status.settled, job.folder, job.state)

    async def look(self) -> None:
        """See what is new; called twice a second."""
        self._looks += 1
        seldom = self._looks % _SELDOM == 0
        if seldom:
            await self.find_job()
        if self.job is not None and self.made is not None and self.is_preparing:
            self.made.take(self.job.poll())
            if seldom:
                await self._settle(self.job)
            self.show_preparation()
            if self.job.state.ended:
                self._ended(self.job.state)
        if seldom:
            await self.look_seldom()

    def _ended(self, state: RunState) -> None:
        self.refresh_keys()
        if state.state == "finished":
            self.prepared()
            self.say("Prepared. 1 goes through the clips, T goes on to training.", "good")
        else:
            self.say(f"The preparation {state.state}; p goes on where it stopped.", "warn")

    async def action_begin(self) -> None:
        if self.project is None:
            return
        if self.made is not None and self.made.totals:
            self.app.push_screen(preparation.confirm_again(), self._begin_again)
        else:
            self.run_worker(self._begin())

    def _begin_again(self, answer: str | None) -> None:
        if answer == "p":
            self.run_worker(self._begin())

    async def _begin(self) -> None:
        """Begin, when the recogniser is here or may be fetched."""
        try:
            # As it stands in project.toml now: it may have been changed in the setup meanwhile.
            self.project = await asyncio.to_thread(projects.load, self.folder)
            missing = await asyncio.to_thread(preparing.missing_model, self.project)
        except VoicetuiError as error:
            self.console.tell("That did not start", str(error))
            return
        if not missing:
            await self._start(may_fetch=False)
            return

        async def answered(answer: str | None) -> None:
            if answer == "y":
                await self._start(may_fetch=True)

        weight = preparing.model_bytes(missing)
        asked = preparation.confirm_fetch(missing, size(weight) if weight else "")
        self.app.push_screen(asked, answered)

    async def _start(self, *, may_fetch: bool) -> None:
        project = self.project
        assert project is not None
        job = await self.console.start_job(lambda: preparing.session(project, may_fetch=may_fetch))
        if job is not None:
            # A view of our own: the title line reads the other one.
            self.job, self.made = self.console.watch_job(job.folder), Preparation()
            self.refresh_keys()
            self.show_preparation()
            self.say("Preparing. You may leave this screen; it goes on.")

    def action_stop(self) -> None:
        self.app.push_screen(preparation.confirm_stop(), self._stop)

    def _stop(self, answer: str | None) -> None:
        if answer == "x" and self.job is not None:
            self.job.ask("stop")
            self.say("Stopping: what is done is kept.", "warn")
