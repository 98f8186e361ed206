"""The first screen: the projects that were opened last, and what comes next in each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, work
from textual.widget import Widget
from textual.widgets import Input

from voicetui import keys, listening
from voicetui.keys import Key
from voicetui.machine import Machine
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.folder_dialog import FolderDialog
from voicetui.screens.project_rows import ProjectRows, header, name_width
from voicetui.typed import short
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.folder_browser import Looks
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted, wrapped

if TYPE_CHECKING:
    from engine.hardware import Reading
    from engine.overview import ProjectOverview

# So many projects are looked at in one go of a helper thread.
_HANDFUL = 20
_DEMO_FOLDER = "voicetui-demo"
_REFRESH_SECONDS = 2.0
_LOOK_SECONDS = 0.25
_MACHINE_SECONDS = 5.0
_WELCOME = (
    ("A voice of your own, made from recordings.", "bold"),
    ("", ""),
    (
        "The console turns recordings of one speaker into clips with their texts, lets you look "
        "through them, teaches the voice to an XTTS model, and exports it for other programs.",
        "",
    ),
    ("", ""),
    ("n  begins a new voice: six short steps.", "key"),
    ("o  opens a project that is on this machine already.", "key"),
    ("m  makes a demo voice in a minute or two, from speech that comes along.", "key"),
    ("?  explains the keys, the numbers and the whole road.", "key"),
    ("", ""),
    (
        "First time here? The demo walks the whole road and fetches nothing; all of it goes into "
        "./voicetui-demo ('voicetui demo' in a shell does the same). Recordings never leave this "
        "machine.",
        "dim",
    ),
)


class HomeScreen(ConsoleScreen):
    """The list of projects; Enter opens one where its next step is."""

    scope = "home"
    heading = "projects"

    def __init__(self) -> None:
        super().__init__()
        self._folders: list[Path] = []
        self._seen: dict[Path, ProjectOverview] = {}
        self._filter = ""
        self._in_sight = False
        # The reading of the machine that is shown.
        self._read: Reading | None = None
        self._footer_has_demo = False

    def body(self) -> Iterable[Widget]:
        yield Lines(id="home-welcome")
        rows = RowList(id="home-projects", empty="No project's line holds that.")
        yield rows
        yield FilterLine(rows, id="filter")
        yield Lines([[]], id="home-project")
        yield Lines([[]], id="home-machine")

    # --- reading ----------------------------------------------------------------------------------

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(_REFRESH_SECONDS, self._refresh_running)
        self._machine_look = self.set_interval(_LOOK_SECONDS, self._show_machine)
        self._machine = Machine(Path.home(), _MACHINE_SECONDS)

    def on_unmount(self) -> None:
        self._machine.close()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._in_sight = True
        self._machine.watch(True)
        self._reload()

    def on_screen_suspend(self) -> None:
        self._in_sight = False
        self._machine.watch(False)

    def _reload(self) -> None:
        """Take the list anew; what was seen of a project stays until it is looked at again."""
        from engine import recent

        at = self._folder
        self._folders = recent.folders()
        gone_to = self.console.gone_to
        if gone_to in self._folders:
            at, self.console.gone_to = gone_to, None
        self._show_rows(at)
        self._look_at_all(self._folders)

    @work(exclusive=True, group="all")
    async def _look_at_all(self, folders: Sequence[Path]) -> None:
        await self._look_at(folders)

    @work(exclusive=True, group="running")
    async def _look_again(self, folders: Sequence[Path]) -> None:
        await self._look_at(folders)

    async def _look_at(self, folders: Sequence[Path]) -> None:
        """Look at projects by handfuls, and draw the rows that changed."""
        for start in range(0, len(folders), _HANDFUL):
            some = folders[start : start + _HANDFUL]
            for folder, seen in zip(some, await asyncio.to_thread(_overviews, some), strict=True):
                if self._seen.get(folder) != seen:
                    self._seen[folder] = seen
                    self._draw(folder)

    def _refresh_running(self) -> None:
        """Look again at the list, at what works now, and at the project under the cursor."""
        from engine import recent

        if not self._in_sight:
            return
        if self.console.demo_works != self._footer_has_demo:
            self._footer_has_demo = self.console.demo_works
            self.refresh_keys()
        if recent.folders() != self._folders:
            self._reload()
        else:
            running = [folder for folder in self._folders if self._is_running(folder)]
            at = self._folder
            if at is not None and at not in running:
                running.append(at)
            if running:
                self._look_again(running)

    def _is_running(self, folder: Path) -> bool:
        seen = self._seen.get(folder)
        return seen is not None and bool(seen.running)

    def _draw(self, folder: Path) -> None:
        rows = self.query_one(RowList)
        shown = self._shown(rows)
        if self._filter:
            self._show_rows(self._folder)
        elif folder in shown:
            rows.refresh_row(shown.index(folder))
        if folder == self._folder:
            self._show_project()

    # --- showing ----------------------------------------------------------------------------------

    @staticmethod
    def _shown(rows: RowList) -> Sequence[Path]:
        return rows.rows.folders if isinstance(rows.rows, ProjectRows) else ()

    @property
    def _folder(self) -> Path | None:
        """The folder under the cursor."""
        rows = self.query_one(RowList)
        shown = self._shown(rows)
        return shown[rows.cursor] if shown else None

    def _show_rows(self, at: Path | None = None) -> None:
        rows = self.query_one(RowList)
        found = [folder for folder in self._folders if self._filter in self._text_of(folder)]
        cursor = found.index(at) if at in found else 0
        width = name_width(self.size.width)
        rows.show(
            ProjectRows(found, self._seen, width),
            cursor=cursor,
            header=header(width, self.size.width),
        )
        self._show_welcome()
        self._show_project()
        self.refresh_keys()

    def _show_welcome(self) -> None:
        is_empty = not self._folders
        self.query_one("#home-welcome", Lines).display = is_empty
        self.query_one(RowList).display = not is_empty
        self.query_one("#home-project", Lines).display = not is_empty
        if is_empty:
            self.query_one("#home-welcome", Lines).show(_welcome(self.size.width))
            self.set_focus(None)
        elif not isinstance(self.focused, Input):
            self.query_one(RowList).focus()

    def _text_of(self, folder: Path) -> str:
        """What the filter looks at."""
        seen = self._seen.get(folder)
        words = [folder.name]
        if seen is not None:
            words += [seen.name, seen.language, seen.base, seen.run_state, seen.problem]
        return " ".join(words).casefold()

    def _show_project(self) -> None:
        folder = self._folder
        lines: list[Line] = [[], [], [], []]
        if folder is not None:
            seen = self._seen.get(folder)
            width = max(20, self.size.width - 12)
            lines[1] = [(" Folder    ", "bold"), (fitted(short(folder), width).rstrip(), "")]
            if seen is not None:
                label = " Problem   " if seen.problem else " Next      "
                told = wrapped(seen.problem or seen.advice, width)[:2]
                style = "warn" if seen.problem else ""
                lines[2:] = [
                    [(label if number == 0 else " " * 11, "bold"), (line, style)]
                    for number, line in enumerate([*told, ""][:2])
                ]
        self.query_one("#home-project", Lines).show(lines)

    def _show_machine(self) -> None:
        reading = self._machine.latest
        if reading is self._read and not self._machine.is_over:
            return
        self._read = reading
        if self._machine.is_over:
            self._machine_look.stop()
            self.query_one("#home-machine", Lines).show([[(f" {self._machine.problem}", "warn")]])
        elif reading is not None:
            from voicetui.screens.wizard.fit import machine_lines

            self.query_one("#home-machine", Lines).show(machine_lines(reading))

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._show_rows, self._folder)

    # --- keys -------------------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:
        return action in ("new", "open", "demo", "pretrains") or self._folder is not None

    def why_not(self, action: str) -> str:  # noqa: ARG002 - one answer for all
        return "There is no project here yet: n makes one, o opens one."

    def keys_shown(self) -> list[Key]:
        rows = super().keys_shown()
        if isinstance(self.focused, Input):
            return keys.untyped(rows)
        if self._folder is None:
            return rows
        if not self.console.demo_works:
            rows = [row for row in rows if row.action != "demo"]
        choose = next(row for row in keys.remapped(self.console.keymap) if row.id == "list.choose")
        return [replace(choose, label="next step", rank=1), *rows]

    def on_row_list_moved(self) -> None:
        self._show_project()

    def on_row_list_chosen(self) -> None:
        if self._folder is not None:
            self.console.open_project(self._folder)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._filter = event.value.strip().casefold()
        self._show_rows(self._folder)

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_descendant_focus(self) -> None:
        self.refresh_keys()

    def action_demo(self) -> None:
        if self.console.host.live and not self.console.demo_works:
            self.say("Something works in this console already; the demo waits for its end.", "warn")
        else:
            self.console.open_demo(Path(_DEMO_FOLDER).absolute())

    def action_new(self) -> None:
        self.console.open_setup()

    def action_pretrains(self) -> None:
        self.console.open_pretrains(self._folder)

    def action_open(self) -> None:
        start = self._folder.parent if self._folder is not None else Path.cwd()
        self.app.push_screen(
            FolderDialog(
                "Open a project",
                "A project is a folder with a project.toml.",
                start if start.is_dir() else Path.home(),
                Looks(note=_project_note),
            ),
            self._opened,
        )

    def _opened(self, folder: Path | None) -> None:
        if folder is None:
            return
        if not _project_note(folder):
            told = f"{folder} is not a voice project: it has no project.toml. n makes a new one."
            self.console.tell("Nothing to open there", told)
        else:
            self.console.open_project(folder)

    def action_dataset(self) -> None:
        self._with_project(self.console.open_dataset)

    def action_runs(self) -> None:
        self._with_project(self.console.open_dashboard)

    def action_edit(self) -> None:
        self._with_project(self.console.open_setup)

    def _with_project(self, go: Callable[[Path], None]) -> None:
        """Go somewhere with the project under the cursor, unless it cannot be read."""
        folder = self._folder
        seen = self._seen.get(folder) if folder is not None else None
        if seen is not None and seen.problem:
            self.console.tell("This project cannot be opened", seen.problem)
        elif folder is not None:
            go(folder)

    def action_remove(self) -> None:
        from engine import recent

        folder = self._folder
        if folder is not None:
            recent.forget(folder)
            self._folders.remove(folder)
            self._show_rows()
            self.say(f"{short(folder)} is off the list. Its files are where they were.")

    def action_copy(self) -> None:
        if self._folder is not None:
            # Its folder stands below the list.
            self.say(listening.copy(self.app, str(self._folder)).told)


def _overviews(folders: Sequence[Path]) -> list[ProjectOverview]:
    from engine.overview import overview

    return [overview(folder) for folder in folders]


def _project_note(folder: Path) -> str:
    return "voice project" if (folder / "project.toml").is_file() else ""


def _welcome(width: int) -> list[Line]:
    room = min(76, width - 4)
    lines: list[Line] = [[]]
    for text, style in _WELCOME:
        if style == "key":
            lines.append([("  ", ""), (f" {text[0]} ", "inverse"), (text[1:], "")])
        else:
            lines += [[(f"  {line}", style)] for line in wrapped(text, room)]
    return lines
