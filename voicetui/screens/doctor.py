"""The doctor: is this machine fit for the work? Each check as it comes, with what to do about it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.timer import Timer
from textual.widget import Widget

from engine.text import clean
from voicetui import checkup, listening
from voicetui.helper import Helper
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.dialogs import Message
from voicetui.terminal_facts import terminal_facts
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted, plain, wrapped

if TYPE_CHECKING:
    from engine.doctor import Check, TerminalFacts

_LOOK_SECONDS = 0.1
_SIGNS = {"ok": ("✓", "good"), "warning": ("!", "warn"), "failure": ("✗", "bad")}
_GROUP, _LEVEL, _NAME = 10, 11, 22
# Gives the checks as they come; the last argument is called meanwhile and may raise StopRequested.
Look = Callable[["Path | None", "TerminalFacts", Callable[[], None]], Iterable["Check"]]


def _look(folder: Path | None, facts: TerminalFacts, check: Callable[[], None]) -> Iterable[Check]:
    from engine import doctor

    return doctor.checks(folder, facts, check=check)


@dataclass(frozen=True)
class _Found:
    """Checks as rows; the group stands at its first one."""

    checks: Sequence[Check]

    def __len__(self) -> int:
        return len(self.checks)

    def line(self, index: int, width: int) -> Line:
        check = self.checks[index]
        is_new = index == 0 or self.checks[index - 1].group != check.group
        sign, style = _SIGNS[check.level]
        room = max(10, width - 1 - _GROUP - _LEVEL - _NAME)
        return [
            (fitted(f" {check.group}" if is_new else "", _GROUP + 1), "dim"),
            (fitted(f"{sign} {check.level}", _LEVEL), style),
            (fitted(check.name, _NAME), ""),
            (fitted(check.seen, room), "dim" if check.level == "ok" else ""),
        ]


class DoctorScreen(ConsoleScreen):
    """`folder` is the project whose disk is checked too. `look` makes the checks."""

    scope = "doctor"
    heading = "doctor"

    def __init__(self, folder: Path | None = None, look: Look = _look) -> None:
        super().__init__()
        self._folder = folder
        self._look = look
        self._checks: list[Check] = []
        self._helper: Helper[None] | None = None
        self._timer: Timer | None = None
        self._shown = -1

    def body(self) -> Iterable[Widget]:
        yield Lines(id="doctor-summary")
        yield RowList(_Found([]), empty="Looking at the machine.", id="doctor-checks")
        yield Lines(id="doctor-details")

    def on_mount(self) -> None:
        self._rows.focus()
        self.call_after_refresh(self.action_again)

    def on_unmount(self) -> None:
        if self._helper is not None:
            self._helper.stop()

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - the base's own
        self.call_after_refresh(self._show_details)

    @property
    def _rows(self) -> RowList:
        return self.query_one(RowList)

    def title_text(self) -> str:
        return "doctor · is this machine fit for the work?"

    # --- checking ---------------------------------------------------------------------------------

    def action_again(self) -> None:
        # An older helper goes on with the list that it was given, which nobody reads any more.
        found: list[Check] = []
        facts = self._facts()

        def work(check: Callable[[], None]) -> None:
            for seen in self._look(self._folder, facts, check):
                check()
                found.append(seen)

        self._checks, self._shown = found, -1
        self._helper = Helper("doctor", work)
        if self._timer is None:
            self._timer = self.set_interval(_LOOK_SECONDS, self._show_more)
        self._timer.resume()
        self._show_more()
        self.refresh_keys()

    def _facts(self) -> TerminalFacts:
        """The terminal as the console has it: its stdout is not that of the process any more."""
        return dataclasses.replace(
            terminal_facts(),
            is_tty=True,
            columns=self.app.size.width,
            rows=self.app.size.height,
            encoding="ascii" if self.console.ascii_only else "utf-8",
        )

    def _show_more(self) -> None:
        helper = self._helper
        assert helper is not None
        # Asked first: what came before its end is then among the checks.
        done = helper.done
        count = len(self._checks)
        if count != self._shown or done:
            is_first = self._shown <= 0
            self._shown = count
            self._rows.show(_Found(self._checks[:count]), cursor=0 if is_first else None)
            # The details stand right below the last row, and keep their place when there is little.
            self._rows.styles.max_height = max(1, count)
            self._show_summary(done)
            self._show_details()
        if done:
            assert self._timer is not None
            self._timer.pause()
            if helper.problem:
                self.say(helper.problem, "bad")
            elif self._rows.cursor == 0:
                self._rows.move_to(self._next_problem(-1) or 0)
            self.refresh_keys()

    def _show_summary(self, done: bool) -> None:
        counts = Counter(check.level for check in self._checks)
        text = checkup.summary(counts)
        style = "bad" if counts["failure"] else "warn" if counts["warning"] else "good"
        line: Line = [(f" {text}", style)]
        if not done:
            line = [
                (f" {len(self._checks)} checked so far. ", "bold"),
                ("The last ones load torch and take up to a minute.", "dim"),
            ]
        shown = self.query_one("#doctor-summary", Lines)
        rows = wrapped(plain(line), max(20, self.size.width - 2))
        if len(rows) > 1:
            shown.show([[], *([(f" {row}", style)] for row in rows[:2])])
        else:
            shown.show([[], line, []])

    # --- the chosen line --------------------------------------------------------------------------

    def _chosen(self) -> Check | None:
        cursor = self._rows.cursor
        return self._checks[cursor] if cursor < self._shown else None

    def _show_details(self) -> None:
        check = self._chosen()
        panel = self.query_one("#doctor-details", Lines)
        if check is None:
            panel.show([])
            return
        sign, style = _SIGNS[check.level]
        width = max(20, min(self.size.width, 110) - 11)
        lines: list[Line] = [[], [(f" {sign} ", style), (check.name, "bold")]]
        for label, text in (("seen", check.seen), ("to do", check.remedy or "Nothing.")):
            for index, part in enumerate(wrapped(clean(text), width)):
                lines.append([(fitted("" if index else f"   {label}", 10), "dim"), (part, "")])
        panel.show(lines)

    def on_row_list_moved(self) -> None:
        self._show_details()

    def on_row_list_chosen(self) -> None:
        check = self._chosen()
        if check is not None:
            remedy = f"\n\nTo do: {clean(check.remedy)}" if check.remedy else ""
            text = f"{check.level}: {clean(check.seen)}{remedy}"
            self.app.push_screen(Message(f"{check.group}: {check.name}", text))

    def _next_problem(self, after: int) -> int | None:
        """The first line behind `after` that is not ok, from the top again when there is none."""
        problems = [i for i, check in enumerate(self._checks) if check.level != "ok"]
        return next((i for i in problems if i > after), problems[0] if problems else None)

    # --- keys -------------------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:
        if action == "next_problem":
            return any(check.level != "ok" for check in self._checks)
        return action != "copy" or (self._helper is not None and self._helper.done)

    def why_not(self, action: str) -> str:
        if action == "next_problem":
            return "Nothing that is not ok so far."
        return "Wait until all is checked."

    def action_next_problem(self) -> None:
        found = self._next_problem(self._rows.cursor)
        if found is not None:
            self._rows.move_to(found)

    def action_copy(self) -> None:
        copied = listening.copy(self.app, checkup.report(self._checks))
        self.console.tell("The report is copied", copied.told)
