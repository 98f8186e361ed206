"""The dialog that asks where to install a pretrain, and shows what goes where."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from engine.errors import VoicetuiError
from engine.text import clean
from voicetui.amounts import size
from voicetui.screens.base import Dialog
from voicetui.screens.folder_dialog import FolderDialog
from voicetui.typed import short
from voicetui.widgets.folder_browser import Looks
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, Span, fitted, wrapped

if TYPE_CHECKING:
    from engine.pretrains.install import Plan
    from engine.pretrains.installations import Installation
    from engine.pretrains.store import Stored

_KEYS = (("Enter", "install"), ("o", "another folder"), ("q", "cancel"))
_LOOKING = "Looking for Applio and RVC below this folder and your home …"
_NONE = "Neither Applio nor RVC was found; o takes their folder."
_TITLE = 8


@dataclass(frozen=True)
class _Rows:
    found: Sequence[Installation]

    def __len__(self) -> int:
        return len(self.found)

    def line(self, index: int, width: int) -> Line:
        each = self.found[index]
        return [(" ", ""), (fitted(name_of(each.title, each.root), width - 1), "")]


class InstallDialog(Dialog["Plan"]):
    """Gives the plan of what to install, None when nothing shall be."""

    BINDINGS: ClassVar[list[tuple[str, str, str]]] = [
        ("escape,ctrl+g,q", "cancel", "cancel"),
        ("o", "browse", "another folder"),
    ]

    def __init__(self, title: str, stored: Stored) -> None:
        super().__init__()
        self._title = title
        self._stored = stored
        self._found: list[Installation] = []
        self._plan: Plan | None = None

    def compose(self) -> ComposeResult:
        keys: list[Span] = []
        for key, label in _KEYS:
            keys += [(f" {key} ", "inverse"), (f" {label}  ", "")]
        with Vertical(classes="dialog"):
            yield Lines([[(f"Install {self._title}", "title")], []])
            yield RowList(_Rows(()), empty=_LOOKING, id="installations")
            yield Lines([[]], id="plan")
            yield Lines([[], keys])

    def on_mount(self) -> None:
        self._rows.styles.height = 1
        self._rows.focus()
        self._look()

    @property
    def _rows(self) -> RowList:
        return self.query_one("#installations", RowList)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        from engine.pretrains import installations

        found = await asyncio.to_thread(installations.find)
        known = {each.root for each in self._found}
        self._found += [each for each in found if each.root not in known]
        self._show(self._rows.cursor)

    def _show(self, cursor: int) -> None:
        rows = self._rows
        rows.styles.height = max(1, min(len(self._found), 6))
        rows.show(_Rows(self._found), cursor=cursor, empty=_NONE)
        self._judge()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._judge()

    @work(exclusive=True, group="plan")
    async def _judge(self) -> None:
        from engine.pretrains import install

        self._plan = None
        if not self._found:
            self.query_one("#plan", Lines).show([[]])
            return
        chosen = self._found[self._rows.cursor]
        try:
            plan = await asyncio.to_thread(install.plan, self._stored, chosen)
        except (VoicetuiError, OSError) as error:
            self.query_one("#plan", Lines).show(_told(str(error), self.text_width, "bad"))
            return
        self._plan = plan
        self.query_one("#plan", Lines).show(plan_lines(plan, self.text_width))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if self._plan is not None:
            self.dismiss(self._plan)

    def action_browse(self) -> None:
        self.app.push_screen(
            FolderDialog(
                "The folder of Applio or RVC",
                "It is the one from which you start it.",
                Path.home(),
                Looks(note=_note),
            ),
            self._browsed,
        )

    def _browsed(self, folder: Path | None) -> None:
        from engine.pretrains import installations

        if folder is None:
            return
        try:
            found = installations.recognise(folder)
        except VoicetuiError as error:
            self.query_one("#plan", Lines).show(_told(str(error), self.text_width, "bad"))
            return
        roots = [each.root for each in self._found]
        if found.root not in roots:
            self._found.append(found)
            roots.append(found.root)
        self._show(roots.index(found.root))


def name_of(title: str, folder: Path) -> str:
    """A tool and its folder, as lists of them show it."""
    return f"{title:<{_TITLE}}{clean(short(folder))}"


def plan_lines(plan: Plan, width: int) -> list[Line]:
    """What a plan would write where, and what may not suit the tool."""
    folder = clean(short(plan.installation.folder))
    lines: list[Line] = [[], *([(line, "dim")] for line in wrapped(f"Goes into {folder}", width))]
    for each in plan.placements:
        how = "is there already" if each.is_there else size(each.size)
        if not each.is_there and not each.as_it_came:
            how += ", written anew for older torch"
        lines.append([("✓ " if each.is_there else "+ ", "good"), (clean(each.target.name), "bold")])
        lines[-1].append((f"  {how}", "dim"))
    for warning in plan.warnings:
        lines += _told(f"! {warning}", width, "warn")[1:]
    return lines


def _told(text: str, width: int, style: str) -> list[Line]:
    return [[], *([(line, style)] for line in wrapped(clean(text), width))]


def _note(folder: Path) -> str:
    from engine.pretrains import installations

    found = installations.at(folder)
    return found.title if found is not None else ""
