"""The wizard: a new voice in six short steps, or the same steps to change one that exists."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textual import events, work
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Input

from engine import project
from engine.errors import VoicetuiError
from engine.project import Project
from engine.text import clean
from voicetui import drafts, keys
from voicetui.counting import Counting
from voicetui.drafts import Draft
from voicetui.fetching import fetch_line
from voicetui.keys import Key
from voicetui.machine import Machine
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.wizard import fit, plan
from voicetui.screens.wizard.base import BaseStep
from voicetui.screens.wizard.batch import BatchStep
from voicetui.screens.wizard.changes import closing
from voicetui.screens.wizard.keeper import Keeper, half_filled
from voicetui.screens.wizard.profile import ProfileStep
from voicetui.screens.wizard.sources import SourcesStep
from voicetui.screens.wizard.step import Step
from voicetui.screens.wizard.step_keys import StepKeys
from voicetui.screens.wizard.strip import Advice, strip
from voicetui.screens.wizard.summary import SummaryStep
from voicetui.screens.wizard.typeahead import settled
from voicetui.screens.wizard.voice import VoiceStep
from voicetui.typed import path_of
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import plain

_STEPS: tuple[type[Step], ...] = (
    VoiceStep,
    SourcesStep,
    BaseStep,
    ProfileStep,
    BatchStep,
    SummaryStep,
)
_LAST = len(_STEPS) - 1
_POLL_SECONDS = 0.25
# A lower terminal has no room for advice.
_ADVICE_HEIGHT = 23
_ALWAYS = frozenset({"abandon"})
# These go before what is typed in a field, so that what was typed after them lands behind them.
_AHEAD = frozenset({"forward", "backward", "next_step", "previous_step"})


class SetupScreen(StepKeys, ConsoleScreen):
    """Walks through the steps; the draft is kept on the disk after every change."""

    scope = "setup"
    BINDINGS = [  # noqa: RUF012 - Textual's own declaration
        dataclasses.replace(binding, priority=binding.action in _AHEAD)
        for binding in keys.bindings("setup")
        if isinstance(binding, Binding)
    ]

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.before: Project | None = None
        self.draft = plan.new_draft()
        self.problems: dict[str, str] = {}
        # The one that the status line tells.
        self._told_problem = ""
        # All settings as the draft has them, and as its profile alone would.
        self.settings = plan.all_settings(self.draft)
        self.usual = plan.profile_settings(self.draft)
        self.counting = Counting()
        self.browsed: Path | None = None
        self._machine: Machine | None = None
        self._step: Step | None = None
        self._keeper = Keeper(self, folder)
        self._farthest = 0
        self._bases = fit.BaseSizes()

    def body(self) -> Iterable[Widget]:
        yield Lines([[]], id="wizard-steps")
        with Container(id="wizard"):
            yield Vertical(id="wizard-step")
            yield Advice([[]], id="wizard-advice")

    # --- beginning and end ------------------------------------------------------------------------

    def on_mount(self) -> None:
        super().on_mount()
        if self.folder is not None and not self._load(self.folder):
            return
        kept = drafts.load(self.folder)
        if kept is None or kept == dataclasses.replace(self.draft, step=kept.step):
            self.call_after_refresh(self._begin, self.draft)
        else:
            self.call_after_refresh(self._offer, kept)
        self.set_interval(_POLL_SECONDS, self._poll)

    def _load(self, folder: Path) -> bool:
        try:
            self.before = project.load(folder)
        except (VoicetuiError, OSError) as error:
            told = str(error)
            self.call_after_refresh(self._refuse, told)
            return False
        self.draft = plan.draft_of(self.before)
        return True

    def _close(self) -> None:
        """Give way to the screen before; to the list of projects where there is none."""
        console = self.console
        console.pop_screen()
        # The bottom of the stack is Textual's own blank screen.
        if len(console.screen_stack) < 2:
            console.open_home()

    def _refuse(self, told: str) -> None:
        self._close()
        self.console.tell("This project cannot be changed here", told)

    def _offer(self, kept: Draft) -> None:
        self.app.push_screen(half_filled(kept), lambda answer: self._offered(answer, kept))

    async def _offered(self, answer: str | None, kept: Draft) -> None:
        if answer is None:
            self._close()
        elif answer == "g":
            await self._begin(kept)
        else:
            await self._keeper.forget()
            await self._begin(self.draft)

    async def _begin(self, draft: Draft) -> None:
        self._judge(draft)
        if draft.sources:
            self.counting.begin(draft.sources, path_of(draft.folder or "."))
        await self._go_to(draft.step)

    def on_unmount(self) -> None:
        self.counting.stop()
        if self._machine is not None:
            self._machine.close()
        self._keeper.close()

    @property
    def machine(self) -> Machine:
        """Readings of this machine; they begin when they are asked for."""
        if self._machine is None:
            self._machine = Machine(path_of(self.draft.folder or "."))
        return self._machine

    def fit(self) -> fit.Fit | None:
        """How the batch fits into this machine; None before step 5 looked at it."""
        reading = None if self._machine is None else self._machine.latest
        if reading is None:
            return None
        network = self._bases.of(self.draft.base)
        return fit.fit_of(self.settings, self.usual, reading, network)

    # --- the draft --------------------------------------------------------------------------------

    def change(self, **answers: Any) -> None:
        """Take other answers, show what they mean, and keep them soon."""
        self._take(dataclasses.replace(self.draft, **answers))
        if "sources" in answers:
            self.counting.begin(self.draft.sources, path_of(self.draft.folder or "."))
        self._show_draft()

    def _show_draft(self) -> None:
        if self._step is not None:
            self._step.draft_changed()
        self._frame_steps()

    def set_value(self, key: str, text: str | None) -> None:
        """Take another value of a setting: "" that of the profile, None nothing."""
        if text is None:
            return
        values = {name: value for name, value in self.draft.values.items() if name != key}
        if text.strip():
            values[key] = text.strip()
        self.change(values=values)

    def _take(self, draft: Draft) -> None:
        if draft == self.draft:
            return
        self._judge(draft)
        self._keeper.keep(draft)
        if self._told_problem and self._told_problem not in self.problems.values():
            self._told_problem = ""
            self.say("")

    def _judge(self, draft: Draft) -> None:
        self.draft = draft
        self.problems = plan.problems(draft, self.before)
        self.settings = plan.all_settings(draft)
        self.usual = plan.profile_settings(draft)

    # --- steps ------------------------------------------------------------------------------------

    @property
    def step(self) -> Step | None:
        """The step in sight."""
        return self._step

    async def _go_to(self, number: int) -> None:
        number = max(0, min(number, _LAST))
        await self._settle()
        self._farthest = max(self._farthest, number)
        self._take(dataclasses.replace(self.draft, step=number))
        place = self.query_one("#wizard-step", Vertical)
        # Nothing may ask a step for what is not there yet, or not any more.
        self._step = None
        await place.remove_children()
        step = _STEPS[number]()
        await place.mount(step)
        self._step = step
        self._focus(0)
        self._frame_steps()
        self.refresh_advice()
        self.refresh_title()
        self.refresh_keys()
        self.say("")

    async def _settle(self) -> None:
        """Let the field take in what was typed before it is left."""
        await settled(self.focused, self._step)
        if self._step is not None and self.focused is not None:
            self._step.leave(self.focused)

    def _focus(self, index: int) -> None:
        fields = self._step.fields() if self._step is not None else []
        if fields:
            self.set_focus(fields[index])

    def move_focus(self, step: int) -> bool:
        """Go to the next field or the one before; gives whether there was one."""
        fields = self._step.fields() if self._step is not None else []
        focused = self.focused
        at = fields.index(focused) if focused in fields else -1
        if at < 0 and fields:
            # A line that narrows a list stands for the list.
            at = 0
        if not 0 <= at + step < len(fields):
            return False
        # At once, and not with the next message: what is typed meanwhile belongs there.
        self.set_focus(fields[at + step])
        return True

    def title_text(self) -> str:
        if self.before is not None:
            return f"{clean(self.before.name)} · change"
        return f"{clean(self.draft.name)} · new voice" if self.draft.name.strip() else "new voice"

    def _frame_steps(self) -> None:
        # Of a project that is changed, every step was seen.
        reached = len(_STEPS) if self.before is not None else self._farthest
        unanswered = () if self.draft.sources else ("recordings",)
        line = strip(self.draft.step, reached, self.problems, unanswered)
        self.query_one("#wizard-steps", Lines).show([line])
        self.refresh_title()

    def refresh_advice(self) -> None:
        """Show what the step has to say now."""
        self.query_one(Advice).advise(self._step.advice() if self._step is not None else "")

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        self.refresh_advice()
        self.refresh_keys()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.set_class(event.size.height < _ADVICE_HEIGHT, "-tiny")
        self.call_after_refresh(self.refresh_advice)
        self.call_after_refresh(self._show_draft)

    def _poll(self) -> None:
        if self._step is None:
            return
        self._step.poll()
        task = self.console.fetches.current
        if task is not None and not isinstance(self._step, BaseStep):
            self.say(plain(fetch_line(task)).strip())

    # --- keys -------------------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:
        if self._step is None:
            return action == "abandon"
        if action in ("forward", "next_step"):
            return self.draft.step < _LAST
        if action in ("backward", "previous_step"):
            return self.draft.step > 0 or self.focused not in self._step.fields()[:1]
        if action == "stop_fetch" and self.console.fetches.is_empty:
            return False
        return action in _ALWAYS or action in self._step.actions

    def why_not(self, action: str) -> str:  # noqa: ARG002 - one answer for all
        return "That belongs to another step."

    def keys_shown(self) -> list[Key]:
        """While a line is typed in, letters are text: then the other keys of a row are shown."""
        rows = super().keys_shown()
        if self._enter() not in ("", "next") and not isinstance(self.focused, Input):
            choose = next(
                row for row in keys.remapped(self.console.keymap) if row.id == "list.choose"
            )
            rows = [dataclasses.replace(choose, label=self._enter(), rank=2), *rows]
        if not isinstance(self.focused, Input):
            return [row for row in rows if row.action != "abandon"]
        return keys.untyped(rows)

    def _enter(self) -> str:
        if isinstance(self._step, SummaryStep):
            return "make it" if self.before is None else "save"
        return "" if self._step is None else self._step.enter

    async def on_row_list_chosen(self) -> None:
        await self.action_next_step()

    async def action_next_step(self) -> None:
        await self._go_to(self.draft.step + 1)

    async def action_previous_step(self) -> None:
        await self._go_to(self.draft.step - 1)

    async def action_forward(self) -> None:
        await self._settle()
        if not self.move_focus(1) and self.draft.step < _LAST:
            await self._go_to(self.draft.step + 1)

    async def action_backward(self) -> None:
        await self._settle()
        if not self.move_focus(-1) and self.draft.step > 0:
            await self._go_to(self.draft.step - 1)
            self._focus(-1)

    def action_abandon(self) -> None:
        self.console.action_leave()

    # --- the end ----------------------------------------------------------------------------------

    def create(self) -> None:
        """Make the project, or write its changes; what stands in the way is shown at its step."""
        if self.problems:
            step, told = next(iter(self.problems.items()))
            self._show_problem(step, told)
            return
        try:
            made = plan.save(self.draft, self.before)
        except (VoicetuiError, OSError) as error:
            self.console.tell("That could not be written", str(error))
            return
        self._made(made)

    @work(exclusive=True, group="problem")
    async def _show_problem(self, step: str, told: str) -> None:
        await self._go_to(plan.STEPS.index(step))
        if self._step is not None and (field := self._step.show_problem()) is not None:
            self.set_focus(field)
        self._told_problem = told
        self.say(told, "warn")

    @work(exclusive=True, group="made")
    async def _made(self, made: Project) -> None:
        from engine import recent
        from engine.overview import overview

        await self._keeper.forget()
        await asyncio.to_thread(recent.remember, made.folder)
        self.console.gone_to = made.folder.absolute()
        seen = await asyncio.to_thread(overview, made.folder)
        self.app.push_screen(
            closing(made, self.before, seen.next_step),
            lambda answer: self._go_on(answer, made.folder),
        )

    def _go_on(self, answer: str | None, folder: Path) -> None:
        console = self.console
        self._close()
        if answer == "p":
            console.open_dataset(folder, begin=True)
        elif answer == "t":
            console.open_dashboard(folder)
