"""The console: its screens, its keys, and what becomes of it when a run or a terminal ends."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

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
from voicetui.navigation import Navigation
from voicetui.painted import Painted
from voicetui.screens.base import ConsoleScreen
from voicetui.tasks import TaskLine
from voicetui.themes import THEMES, THEMES_16
from voicetui.trouble import FORESEEN
from voicetui.watching import FollowedJob, LiveJob, Watched
from voicetui.widgets.literal import Literal

_LOOK_SECONDS = 0.2
_TITLE_SECONDS = 1.0
# The first thing that a console shows.
Opening = Callable[["Console"], None]


class Console(Navigation, inherit_bindings=False):
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
        super().__init__(host, driver_class=Driver if terminal is not None else None)
        cells.settle_widths()
        self.terminal = terminal
        self.painted = Painted()
        self.ascii_only = glyphs.is_ascii_terminal()
        self.keymap = dict(keymap or {})
        self.preferences = preferences.load()
        # The error of a screen that crashed; the launcher reports it.
        self.crash: BaseException | None = None
        # What is being fetched, and what is being done with files that came; they go on behind
        # whatever screen is in sight.
        self.fetches, self.chores = TaskLine(), TaskLine()
        # Of the pretrains; no screen tells them again.
        self.told_problems: frozenset[str] = frozenset()
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
        for line in (self.fetches, self.chores):
            line.look()
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
        tasks = [line.current for line in (self.fetches, self.chores)]
        told = [clean(task.in_short) for task in tasks if task is not None]
        return " · ".join(text for text in (self._job_text(), *told) if text)

    def _job_text(self) -> str:
        live = self.host.live
        if not live:
            return ""
        job = live[-1]
        job.poll()
        state = job.state
        done = f" {state.step}/{state.steps}" if state.steps else ""
        return f"{'▶' if state.state != 'paused' else '‖'} {state.job or 'starting'}{done}"

    def _refresh_title(self) -> None:
        # A title that stays as it is writes nothing. A console that closes has no screens any more.
        for screen in self.screen_stack[-1:]:
            if isinstance(screen, ConsoleScreen):
                screen.refresh_title()

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

    def action_leave(self) -> None:
        if self.is_at_bottom:
            self.quit_asking()
        else:
            self.pop_screen()

    def quit_asking(self) -> None:
        """Quit; while something works here, ask what shall become of it."""
        from voicetui.screens import quitting

        if (question := quitting.question(self)) is None:
            self.exit()
        else:
            self.push_screen(question, self._quit_chosen)

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

    def prefer(self, **choices: Any) -> None:
        """Remember a choice of the person."""
        self.preferences = dataclasses.replace(self.preferences, **choices)
        preferences.save(self.preferences)

    def on_resize(self) -> None:
        # Terminals move what they show when they change their size.
        self.painted.forget()

    def action_redraw(self) -> None:
        self.painted.forget()
        self.refresh(repaint=True, layout=True)


def crash_text(error: BaseException) -> str:
    """What to tell of a console that crashed."""
    return f"The console crashed; what works goes on. {crashes.report(error)}"
