"""Step 5: what this machine can hold, and every setting there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.widget import Widget
from textual.widgets import Input

from engine.dataset.clips import FILE_NAME as CLIPS
from engine.events import Planned
from engine.settings import SETTINGS, Setting, Settings
from engine.text import clean
from voicetui.amounts import size
from voicetui.measuring import Measuring
from voicetui.screens.dialogs import Prompt
from voicetui.screens.wizard import fit, plan
from voicetui.screens.wizard.fit import Fit
from voicetui.screens.wizard.step import Step
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted, wrapped

_ADVICE = {
    plan.BATCH: (
        "Clips computed together: 5-10 need little memory and their noise helps out of poor "
        "solutions, 10-20 suit most, more is fast but may speak new texts worse. Out of memory: "
        "halve it and double accumulation."
    ),
    plan.ACCUMULATION: (
        "Batches that are added up before the weights move: 8 x 4 learns like a batch of 32 and "
        "takes the memory of 8."
    ),
}
_FIRST = (plan.BATCH, plan.ACCUMULATION)
_WIDE = 98


class _Rows:
    def __init__(self, keys: Sequence[str], now: Settings, usual: Settings) -> None:
        self.keys = keys
        self._now = now
        self._usual = usual

    def __len__(self) -> int:
        return len(self.keys)

    def line(self, index: int, width: int) -> Line:
        setting = SETTINGS[self.keys[index]]
        now = plan.value_in(self._now, setting.key)
        usual = plan.value_in(self._usual, setting.key)
        is_own = now != usual
        line: Line = [
            (" ● " if is_own else "   ", "accent"),
            (fitted(setting.name, 20), "bold"),
            (fitted(clean(plan.typed(now)), 17), "accent" if is_own else ""),
            (fitted(f"profile {plan.typed(usual)}" if is_own else "", 16), "dim"),
        ]
        rest = width - 57
        text = setting.help if width >= _WIDE else setting.section
        return [*line, (fitted(text, max(0, rest)), "dim")]


def _header(width: int) -> Line:
    last = "what it does" if width >= _WIDE else "section"
    return [(f"   {'setting':<20}{'value':<17}{'':<16}{last}", "")]


class BatchStep(Step):
    """This machine, what fits into it, and all settings; Enter changes one."""

    actions = frozenset({"use", "measure", "usual", "filter", "left", "right"})
    enter = "change"

    def compose(self) -> Iterable[Widget]:
        yield Lines([[(" Looking at this machine …", "dim")]], id="batch-machine")
        yield Lines([[]], id="batch-fit")
        rows = RowList(id="settings", header=_header(0), empty="No setting is called that.")
        yield rows
        yield FilterLine(rows, id="filter")

    def on_mount(self) -> None:
        self._filter = ""
        self._measuring: Measuring | None = None
        self.wizard.machine.watch(True)
        self._show_rows(0)
        self.draft_changed()

    def on_unmount(self) -> None:
        if self._measuring is not None:
            self._measuring.stop()
        self.wizard.machine.watch(False)

    def on_resize(self) -> None:
        self._show_rows()
        self.poll()

    def fields(self) -> list[Widget]:
        return [self.query_one(RowList)]

    @property
    def _setting(self) -> Setting | None:
        rows = self.query_one(RowList)
        found = rows.rows
        return (
            SETTINGS[found.keys[rows.cursor]] if isinstance(found, _Rows) and len(found) else None
        )

    def advice(self) -> str:
        setting = self._setting
        if setting is None:
            return ""
        allowed = f"It is {setting.allowed}; the default is {plan.typed(setting.default)}."
        return f"{_ADVICE.get(setting.key, setting.help)}\n{allowed}"

    # --- showing ----------------------------------------------------------------------------------

    def _show_rows(self, cursor: int | None = None) -> None:
        keys = [*_FIRST, *(key for key in SETTINGS if key not in _FIRST)]
        found = [key for key in keys if self._filter in key or self._filter in SETTINGS[key].help]
        rows = _Rows(found, self.wizard.settings, self.wizard.usual)
        shown = self.query_one(RowList)
        shown.show(rows, cursor=cursor, header=_header(shown.size.width))

    def draft_changed(self) -> None:
        self._show_rows()
        self.poll()

    def poll(self) -> None:
        reading = self.wizard.machine.latest
        if reading is None:
            return
        lines = fit.machine_lines(reading)
        self.query_one("#batch-machine", Lines).show(lines)
        found = self.wizard.fit()
        width = max(30, self.size.width - 3)
        told = [[], *self._fit_lines(found, width), []] if found else [[]]
        told = [*told[:-1], *self._measured_lines(width), []]
        self.query_one("#batch-fit", Lines).show(told)

    def _fit_lines(self, found: Fit, width: int) -> list[Line]:
        training = self.wizard.settings.training
        batch, accumulation = training.batch_size, training.accumulation
        where = "on the GPU" if found.kind == "cuda" else "of RAM"
        whose = " for this base" if found.of_base else ""
        sign, style, fits = ("✓", "good", "fits") if found.fits else ("✗", "bad", "may not fit")
        lines: list[Line] = [
            [
                (f" {sign} ", style),
                (f"{batch} x {accumulation} {fits}: ", "bold"),
                (f"about {size(found.needed)}{whose}, and {size(found.free)} {where} are free", ""),
            ]
        ]
        suggested = found.suggestion
        if (suggested.batch_size, suggested.accumulation) == (batch, accumulation):
            told = (
                "This is an estimate; the first step measures it." if found.fits else suggested.why
            )
        else:
            told = (
                f"Suggested: {suggested.batch_size} x {suggested.accumulation} (u takes it). "
                f"{suggested.why}"
            )
        told = f"It learns like a batch of {batch * accumulation}. {told}"
        return lines + [[(f"   {line}", "dim")] for line in wrapped(told, width - 3)]

    @property
    def _measured(self) -> Measuring | None:
        """What is or was measured, where it holds for the settings as they are now."""
        measuring = self._measuring
        holds = measuring is not None and measuring.is_for(self.wizard.settings.training)
        return measuring if holds else None

    @property
    def _plan(self) -> Planned | None:
        return None if self._measured is None else self._measured.plan

    def _measured_lines(self, width: int) -> list[Line]:
        measuring, found = self._measured, self._plan
        if found is not None:
            told = f"{found.batch_size} x {found.accumulation} (u takes it). {found.why}"
            style = "good" if found.fits else "bad"
            return [[(f"   {line}", style)] for line in wrapped(told, width - 3)]
        if measuring is not None and not measuring.done:
            return [
                [(f"   Measuring steps with the longest clips … {measuring.seconds:.0f} s", "")]
            ]
        if measuring is not None and measuring.problem:
            told = f"Not measured: {clean(measuring.problem)}"
            return [[(f"   {line}", "warn")] for line in wrapped(told, width - 3)]
        return [] if self._why_not_measured() else [[("   m measures it with real steps.", "dim")]]

    def _why_not_measured(self) -> str:
        project = self.before
        if project is None or not (project.dataset_dir / CLIPS).is_file():
            return "That takes the clips themselves: make the voice and prepare it first."
        if project.base != self.draft.base:
            return "The base is another one now: save that first."
        return ""

    def show_problem(self) -> Widget | None:
        rows = self.query_one(RowList)
        values = self.draft.values
        wrong = next((key for key in values if plan.value_problem(key, values[key])), None)
        if wrong is not None and isinstance(rows.rows, _Rows) and wrong in rows.rows.keys:
            rows.move_to(rows.rows.keys.index(wrong))
        return rows

    # --- keys -------------------------------------------------------------------------------------

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self.wizard.refresh_advice()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        setting = self._setting
        if setting is None:
            return
        now = plan.value_in(self.wizard.settings, setting.key)
        self.app.push_screen(
            Prompt(
                setting.key,
                f"{setting.help}\nIt is {setting.allowed}.",
                value=plan.typed(now),
                check=lambda text: plan.value_problem(setting.key, text.strip()),
            ),
            lambda text: self.wizard.set_value(setting.key, text),
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter = event.value.strip().lower()
        self._show_rows(0)
        self.wizard.refresh_advice()

    def filter(self) -> None:
        self.query_one(FilterLine).open()

    def usual(self) -> None:
        """Take the profile's value of the setting under the cursor again."""
        if self._setting is not None:
            self.wizard.set_value(self._setting.key, "")

    def measure(self) -> None:
        """Measure the batch that fits by real steps, in a process of their own."""
        if told := self._why_not_measured():
            self.wizard.say(told, "warn")
        elif self.before is not None and (self._measured is None or self._measured.done):
            if self._measuring is not None:
                self._measuring.stop()
            self._measuring = Measuring(self.before, self.wizard.settings.training)
            self.poll()

    def use(self) -> None:
        """Take the suggested batch."""
        found = self.wizard.fit()
        suggested = self._plan or (found.suggestion if found is not None else None)
        if suggested is None:
            self.wizard.say("There is no suggestion: the card does not tell its memory.", "warn")
            return
        pair = {
            plan.BATCH: str(suggested.batch_size),
            plan.ACCUMULATION: str(suggested.accumulation),
        }
        self.wizard.change(values={**self.draft.values, **pair})
