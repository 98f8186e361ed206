"""The console: its screens, its keys, and what becomes of it when a run or a terminal ends."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual._compositor import CompositorUpdate
from textual.actions import ActionParseResult
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen as AnyScreen
from textual.worker import WorkerFailed

from engine.session import Session
from engine.text import clean
from voicetui import cells, crashes, glyphs, keys, preferences
from voicetui.asides import Asides
from voicetui.driver import Driver, Screen
from voicetui.frames import Frame
from voicetui.host import Host
from voicetui.painted import Painted
from voicetui.screens.base import ConsoleScreen
from voicetui.themes import THEMES, THEMES_16
from voicetui.trouble import FORESEEN, Sturdy
from voicetui.type_ahead import TypeAhead
from voicetui.watching import FollowedJob, LiveJob, Watched
from voicetui.widgets.literal import Literal

if TYPE_CHECKING:
    from voicetui.demo.walk import Walk
    from voicetui.fetching import Fetching

_LOOK_SECONDS = 0.2
_TITLE_SECONDS = 1.0
# The first thing that a console shows.
Opening = Callable[["Console"], None]


class Console(Sturdy, TypeAhead, inherit_bindings=False):
    """The app. The sessions belong to the host, which goes on when this has ended."""

    CSS_PATH = "theme/console.tcss"
    TITLE = "voicetui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.EVERYWHERE)]
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own declaration
        (0, "-narrow"),
        (100, "-normal"),
        (150, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-short"),
        (30, "-tall"),
        (42, "-high"),
    ]

    def __init__(
        self,
        host: Host,
        terminal: Screen | None,
        opening: Opening,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(driver_class=Driver if terminal is not None else None)
        cells.settle_widths()
        self.host = host
        self.terminal = terminal
        self.painted = Painted()
        self.ascii_only = glyphs.is_ascii_terminal()
        self.keymap = dict(keymap or {})
        self.preferences = preferences.load()
        # The error of a screen that crashed; the launcher reports it.
        self.crash: BaseException | None = None
        # A base that is being fetched; it goes on behind whatever screen is in sight.
        self.fetching: Fetching | None = None
        # The demo that was begun last; so does it.
        self.demo: Walk | None = None
        # The project that a person went to or made; the list of projects puts its cursor there.
        self.gone_to: Path | None = None
        # The job that was shown last; the launcher tells whether it goes on.
        self.followed: Path | None = None
        self._opening = opening
        self._literal = Literal(ascii_only=self.ascii_only)
        self._ending = False
        # The last one that was told: the error, and the words for it.
        self._trouble = ("", "")
        # 256 and more are near enough to what the themes ask for.
        self.few_colours = self.console.color_system not in ("256", "truecolor")
        for theme in THEMES_16 if self.few_colours else THEMES:
            self.register_theme(theme)
        names = [theme.name for theme in THEMES]
        chosen = self.preferences.theme
        self.theme = chosen if chosen in names else names[0]

    # --- from beginning to end --------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(THEMES[0].variables)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._literal]

    def on_load(self) -> None:
        asyncio.get_running_loop().set_default_executor(Asides())

    def on_mount(self) -> None:
        self.set_class(self.ascii_only, "-ascii")
        self.set_keymap(self.keymap)
        self.set_interval(_LOOK_SECONDS, self._look)
        self.set_interval(_TITLE_SECONDS, self._refresh_title)
        self._opening(self)

    def on_ready(self) -> None:
        self.host.python_streams()

    def _look(self) -> None:
        """See what signals asked for, and end when what must stop first has stopped."""
        signals = self.host.signals
        if signals.hung_up:
            self.hung_up()
        elif signals.reason is not None or self._ending:
            if not self.host.live and not self.host.on_the_road:
                self.exit()
            elif signals.reason is not None and not self._ending:
                self._ending = True
                self.say("Stopping safely after this step. Ctrl-C again ends at once.", "warn")

    def hung_up(self) -> None:
        """The terminal is gone: end without another word to it."""
        self.host.signals.hung_up = True
        if self.terminal is not None:
            self.terminal.leave()
        self.exit()

    def _display(self, screen: AnyScreen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable = Frame(renderable, self.painted)
        super()._display(screen, renderable)

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) else error
        told = [screen for screen in self.screen_stack if isinstance(screen, ConsoleScreen)]
        if not isinstance(cause, FORESEEN) or not told or self._exit:
            super()._handle_exception(error)
            return
        # What is tried again twice a second has one report and one dialog.
        is_new = repr(cause) != self._trouble[0]
        if is_new:
            self._trouble = (repr(cause), crashes.in_words(cause))
        self.say(self._trouble[1], "bad")
        if is_new and told[-1] is self.screen:
            self.tell("That could not be done", self._trouble[1])

    def _set_pointer_shape(self, shape: str) -> None:
        # For a mouse that is off; a terminal that does not know the sequence prints it.
        pass

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the values of all variables. The launcher reports it.
        self.crash = self._exception
        self._close_messages_no_wait()

    # --- jobs -------------------------------------------------------------------------------------

    async def start_job(self, make: Callable[[], Session]) -> LiveJob | None:
        """Make a session in a helper thread and start it; what refuses it is told to the person."""
        try:
            session = await asyncio.to_thread(make)
        except FORESEEN as error:
            self.tell("That did not start", crashes.in_words(error))
            return None
        return self.host.start(session)

    def watch_job(self, folder: Path) -> Watched:
        """A view of a job of its own, whoever runs it."""
        self.followed = folder
        job = self.host.job_at(folder)
        return FollowedJob(folder) if job is None else LiveJob(job.session)

    def live_text(self) -> str:
        """What works in this process, for the title line."""
        live = self.host.live
        if not live:
            return ""
        job = live[-1]
        job.poll()
        state = job.state
        done = f" {state.step}/{state.steps}" if state.steps else ""
        return f"{'▶' if state.state != 'paused' else '‖'} {state.job or 'starting'}{done}"

    def _refresh_title(self) -> None:
        # Nothing to tell without a live job; then a screen that does nothing also writes nothing.
        if isinstance(self.screen, ConsoleScreen) and self.host.jobs:
            self.screen.refresh_title()

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

    def prefer(self, **choices: Any) -> None:
        """Remember a choice of the person."""
        self.preferences = dataclasses.replace(self.preferences, **choices)
        preferences.save(self.preferences)

    # --- keys everywhere --------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        is_typed = isinstance(event, events.Key | events.Paste)
        if not is_typed or not isinstance(self.screen, ConsoleScreen) or self.screen.is_shown:
            await super().on_event(event)
        elif isinstance(event, events.Key):
            # Nobody sees what else a key would do.
            if event.key == "ctrl+c":
                await super().on_event(event)
            elif event.key in keys.keys_of("everywhere.leave", self.keymap):
                await self.run_action("app.leave")

    def action_help(self) -> None:
        from voicetui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        elif isinstance(self.screen, ConsoleScreen):
            self.push_screen(HelpScreen(self.screen.scope))

    def action_palette(self) -> None:
        from voicetui.screens.palette import Palette

        screen = self.screen
        if isinstance(screen, ConsoleScreen):
            rows = keys.remapped(self.keymap)
            own = [key for key in rows if key.scope == screen.scope]
            shared = [key for key in rows if key.scope == keys.EVERYWHERE]
            self.push_screen(Palette([*own, *shared]), self._run_key)

    async def _run_key(self, key: keys.Key | None) -> None:
        if key is not None:
            await self.run_action(
                f"{'app' if key.scope == keys.EVERYWHERE else 'screen'}.{key.action}"
            )

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action; a screen's key that does nothing now says why."""
        if await super().run_action(action, default_namespace, namespaces):
            return True
        screen = self.screen
        name = action.rpartition(".")[2] if isinstance(action, str) else action[1]
        if not isinstance(screen, ConsoleScreen) or screen.check_action(name, ()):
            return False
        screen.say(clean(screen.why_not(name)), "warn")
        return True

    @property
    def is_at_bottom(self) -> bool:
        """Whether there is no screen to go back to."""
        # The bottom of the stack is Textual's own blank screen.
        return len(self.screen_stack) <= 2

    def action_leave(self) -> None:
        if self.is_at_bottom:
            self.quit_asking()
        else:
            self.pop_screen()

    def quit_asking(self) -> None:
        """Quit; while something works here, ask what shall become of it."""
        from voicetui.screens.dialogs import Choice, Choose

        if not self.host.live and not self.host.on_the_road:
            self.exit()
            return
        kinds = sorted({job.session.job.kind for job in self.host.live})
        what = " and ".join(kinds) or "the demo"
        self.push_screen(
            Choose(
                f"{what} works in this console",
                "Nothing is lost either way: a stop is safe, and a run goes on where it stopped.",
                [
                    Choice("s", "stop it safely, then quit"),
                    Choice("l", "leave the console; it goes on as a plain log in this terminal"),
                    Choice("q", "stay here"),
                ],
            ),
            self._quit_chosen,
        )

    def _quit_chosen(self, answer: str | None) -> None:
        if answer == "s":
            self._ending = True
            self.host.stop_all("request")
            self.say("Stopping safely; the console closes when all is saved.", "warn")
        elif answer == "l":
            self.exit()

    def action_interrupt(self) -> None:
        # One road for the key and for the signal.
        os.kill(os.getpid(), signal.SIGINT)

    def action_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        self.prefer(theme=self.theme)
        self.say(f"Theme: {self.theme.removeprefix('voicetui-')}")

    def on_resize(self) -> None:
        # Terminals move what they show when they change their size.
        self.painted.forget()

    def action_redraw(self) -> None:
        self.painted.forget()
        self.refresh(repaint=True, layout=True)

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


def crash_text(error: BaseException) -> str:
    """What to tell of a console that crashed."""
    return f"The console crashed; what works goes on. {crashes.report(error)}"
