"""Speaking and exporting from any screen: their questions, their sessions, and what comes of them."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import project as projects
from engine.errors import VoicetuiError
from engine.eventlog import Record
from engine.events import Exported, Failed, Progress, Spoke, Stage, Stopped, Warned
from engine.project import Project
from engine.session import Session
from engine.text import clean
from voicetui import listening, speaking
from voicetui.amounts import size
from voicetui.app import Console
from voicetui.screens import flow
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.dialogs import Choice, Choose, Prompt
from voicetui.speaking import Utterance
from voicetui.watching import Watched

_GROUP = "errands"
_LOOK_SECONDS = 0.3
_NAME = re.compile(r"[\w-][\w.-]*")


@dataclass
class Errand:
    """A session beside the training: what it is called, and what to do with its results."""

    name: str
    job: Watched
    spoke: Callable[[Spoke], None]
    last_told: str = ""


@dataclass
class Errands:
    """What a screen sent its sessions for. `made` is what was made last, ready to be copied.

    How they get on stands on that screen only; how they end, also on the one in sight by then.
    """

    screen: ConsoleScreen
    folder: Path
    made: str = ""
    # How many sessions work now.
    going: int = 0

    @property
    def console(self) -> Console:
        return self.screen.console

    async def load(self) -> Project | None:
        """The project as it is now; what is wrong with it is told."""
        try:
            return await asyncio.to_thread(projects.load, self.folder)
        except VoicetuiError as error:
            self.console.tell("This project cannot be read", str(error))
            return None

    # --- speaking ---------------------------------------------------------------------------------

    async def ask_utterance(self, project: Project) -> Utterance | None:
        """Who shall speak, where the base has learned other voices before, and what."""
        voices = await asyncio.to_thread(_voices_of, project)
        voice = "" if len(voices) < 2 else await self._ask_voice(list(voices))
        if voice is None:
            return None
        text = await self._ask_sentence(voices.get(voice) or project.language)
        if text is None:
            return None
        return Utterance(text, "" if voice == project.name else voice)

    async def _ask_voice(self, names: list[str]) -> str | None:
        choices = dict(zip("123456789", names, strict=False))
        answer = await flow.ask(
            self.console,
            Choose(
                "Which voice shall speak?",
                "The weights are those of the checkpoint, whoever speaks: so you hear what an "
                "earlier voice has lost.",
                [Choice(key, clean(name)) for key, name in choices.items()],
            ),
        )
        return choices.get(answer or "")

    async def _ask_sentence(self, language: str) -> str | None:
        """What to speak; remembered for the next time."""
        before = self.console.preferences.sentences
        text = await flow.ask(
            self.console,
            Prompt(
                "What shall the voice say?",
                "A sentence that is not in the recordings tells most.",
                value=speaking.sentence_for(language, before.get(language, "")),
                check=lambda text: "" if text.strip() else "Type a sentence.",
            ),
        )
        if text is not None and text != speaking.SENTENCES.get(language):
            self.console.prefer(sentences={**before, language: text})
        return text

    async def speak(
        self,
        project: Project,
        said: Utterance,
        which: str,
        *,
        on_cpu: bool = False,
        spoke: Callable[[Spoke], None] | None = None,
    ) -> None:
        """Speak with a checkpoint; `spoke` takes the result, unless it is just told."""

        def make() -> Session:
            from engine.xtts import speak

            return speak.session(project, said.text, which, on_cpu=on_cpu, earlier=said.voice)

        self.screen.say("Loading the voice…")
        await self._start("speaking", make, spoke)

    def _tell_spoken(self, event: Spoke) -> None:
        path = Path(event.path)
        self.report_made("Spoken", path)
        if not self.is_awaited:
            self.made = listening.fetch_command(path)
            return
        heard = listening.listen(self.console, path)
        self.made = str(path) if heard.playing else heard.command
        self.console.tell(
            f"Spoken with step {event.step:,}",
            f"{event.seconds:.1f} s of sound in\n{path}\n\n{heard.told}\n\n{heard.command}",
        )

    # --- exporting --------------------------------------------------------------------------------

    async def export(self, project: Project, which: str) -> None:
        """Ask for a name, and export a checkpoint under it."""
        default = await asyncio.to_thread(_default_name, project)
        name = await flow.ask(
            self.console,
            Prompt(
                "What shall the export be called?",
                "It becomes a folder below export/ that coqui's XTTS and AllTalk load as it is.",
                value=default,
                check=lambda text: (
                    "" if _NAME.fullmatch(text) else "Letters, digits, '.', '_' and '-' only."
                ),
            ),
        )
        if name is None:
            return
        force = (project.export_dir / name).exists()
        if force:
            answer = await flow.ask(
                self.console,
                Choose(
                    f"export/{clean(name)} exists",
                    "The new export takes its place when it is whole; until then the old one stays.",
                    [Choice("r", "replace it")],
                ),
            )
            if answer != "r":
                self.screen.say("Nothing was exported.")
                return

        def make() -> Session:
            from engine.xtts import export

            return export.session(project, checkpoint=which, name=name, force=force)

        self.screen.say("Exporting…")
        await self._start("exporting", make)

    def _tell_exported(self, event: Exported) -> None:
        self.made = event.folder
        self.report_made("Exported", Path(event.folder))
        if not self.is_awaited:
            return
        self.console.tell(
            "The voice is exported",
            f"Step {event.step:,}, {size(event.bytes)}, in\n{event.folder}\n\n"
            "Name this folder to coqui's XTTS, or put it below AllTalk's models/xtts. "
            f"To speak here: voicetui say {shlex.quote(str(self.folder))} TEXT -o FILE.wav",
        )

    # --- the sessions -----------------------------------------------------------------------------

    async def _start(
        self, name: str, make: Callable[[], Session], spoke: Callable[[Spoke], None] | None = None
    ) -> None:
        job = await self.console.start_job(make)
        if job is not None:
            errand = Errand(name, self.console.watch_job(job.folder), spoke or self._tell_spoken)
            self.console.run_worker(self._attend(errand), group=_GROUP)

    async def _attend(self, errand: Errand) -> None:
        """Tell how a session gets on, whatever screen is in sight by then."""
        self.going += 1
        try:
            while not errand.job.state.ended or errand.job.behind:
                for record in errand.job.poll():
                    self._take(errand, record)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self.going -= 1

    def _take(self, errand: Errand, record: Record) -> None:
        match record.event:
            case Spoke() as event:
                errand.spoke(event)
            case Exported() as event:
                self._tell_exported(event)
            case Stage() | Progress() as event:
                self._tell_stage(errand, event)
            case Warned() as event:
                self.screen.say(f"{clean(event.seen)} {clean(event.remedy)}", "warn")
            case Failed() as event:
                title = f"The {errand.name} failed"
                self.report(f"{title}: {event.message}", "bad")
                if self.is_awaited:
                    self.console.tell(title, event.message)
            case Stopped():
                self.report(f"The {errand.name} was stopped.", "warn")

    def _tell_stage(self, errand: Errand, event: Stage | Progress) -> None:
        name = event.name if isinstance(event, Stage) else event.stage
        done = ""
        if isinstance(event, Progress) and event.total:
            done = f" {event.done:,.0f} of {event.total:,.0f}"
        text = f"{errand.name.capitalize()}: {name}{done}…"
        if text != errand.last_told:
            errand.last_told = text
            self.screen.say(clean(text))

    # --- how they end -----------------------------------------------------------------------------

    @property
    def is_awaited(self) -> bool:
        """Whether a dialog may tell a result: the screen is in sight, and asks nothing itself."""
        return self.console.screen is self.screen

    def report(self, text: str, style: str = "") -> None:
        """Say how something ended: on the screen that began it, and on the one in sight."""
        self.screen.say(clean(text), style)
        if not self.screen.in_sight:
            self.console.say(text, style)

    def report_made(self, what: str, *paths: Path) -> None:
        """Say what was made and where, in few words."""
        places = ", ".join(str(self._short(path)) for path in paths)
        self.screen.say(clean(f"{what}: {places}"), "good")
        if not self.screen.in_sight:
            self.console.say(f"{what}: {places}; K on the dashboard lists it.", "good")

    def _short(self, path: Path) -> Path:
        return path.relative_to(self.folder) if path.is_relative_to(self.folder) else path


def _voices_of(project: Project) -> dict[str, str]:
    """The voices that can speak with a project's weights, its own first, and their languages."""
    from engine.xtts import kept_voices

    own = {project.name: project.language}
    try:
        return own | kept_voices.learned_before(project)
    except VoicetuiError:
        # Speaking says itself what is wrong with the base.
        return own


def _default_name(project: Project) -> str:
    from engine.xtts.export import default_name

    return default_name(project)
