"""Step 6: everything at a glance, and the command line that does the same."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textual.widget import Widget

from engine import languages
from engine.languages import LANGUAGES
from engine.text import clean
from engine.xtts import base as bases
from voicetui import listening
from voicetui.amounts import duration
from voicetui.screens.wizard import plan
from voicetui.screens.wizard.changes import changes
from voicetui.screens.wizard.sources import files_in, length_warning
from voicetui.screens.wizard.step import Step
from voicetui.typed import path_of, short
from voicetui.widgets.pager import Pager
from voicetui.widgets.styled import Line, fitted, wrapped

_LABEL_WIDTH = 14
_ADVICE = (
    "Enter makes the project: a folder with project.toml, nothing else yet. Preparing comes next: "
    "it cuts the recordings into clips and writes down what is said in them."
)
_ADVICE_CHANGE = (
    "Enter writes project.toml. A run that is at work keeps the settings it began with; changed "
    "recordings or clip lengths count from the next preparation on."
)


class _Report(Pager):
    """The summary; Enter makes the project."""

    def action_choose(self) -> None:
        step = self.parent
        assert isinstance(step, SummaryStep)
        step.wizard.create()


class SummaryStep(Step):
    """The table of all answers, with warnings."""

    actions = frozenset({"copy", "left"})

    def compose(self) -> Iterable[Widget]:
        yield _Report(id="report")

    def on_mount(self) -> None:
        # What the lines were made from that helper threads find.
        self._shown: object = None
        self.draft_changed()

    def on_resize(self) -> None:
        self.draft_changed()

    def fields(self) -> list[Widget]:
        return [self.query_one(_Report)]

    def advice(self) -> str:
        return _ADVICE if self.before is None else _ADVICE_CHANGE

    def poll(self) -> None:
        now = (self.wizard.counting.totals, self.wizard.fit())
        if now != self._shown:
            self._shown = now
            self.draft_changed()

    def draft_changed(self) -> None:
        report = self.query_one(_Report)
        lines = self._lines(report.text_width)
        if lines != report.lines:
            report.show(lines, top=report.top)

    # --- the table --------------------------------------------------------------------------------

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for label, text in self._rows():
            first, *more = wrapped(text, max(20, width - _LABEL_WIDTH - 1))
            lines.append([(fitted(f" {label}", _LABEL_WIDTH), "bold"), (first, "")])
            lines += [[(" " * _LABEL_WIDTH + line, "")] for line in more]
        notes = [("✗", "bad", f"{step}: {told}") for step, told in self.wizard.problems.items()]
        notes += [("⚠", "warn", told) for told in self.warnings()]
        if notes:
            lines.append([])
        for sign, style, told in notes:
            first, *more = wrapped(told, max(20, width - 4))
            lines.append([(f" {sign} ", style), (first, "warn")])
            lines += [[(f"   {line}", "warn")] for line in more]
        what = "The same by a command" if self.before is None else "A new one by a command"
        lines += [[], [(f" {what} (y copies it)", "title")]]
        pieces = plan.command(self.draft)
        for number, piece in enumerate(pieces):
            end = " \\" if number < len(pieces) - 1 else ""
            lead = "" if number == 0 else "    "
            for line in _broken(f"{lead}{clean(piece)}{end}", width - 2):
                lines.append([(f" {line}", "accent")])
        return lines

    def _rows(self) -> list[tuple[str, str]]:
        draft, training = self.draft, self.wizard.settings.training
        code = languages.normal(draft.language)
        batch = training.batch_size * training.accumulation
        rows = [
            (
                "Voice",
                f"{clean(draft.name.strip()) or '(no name)'}, {LANGUAGES.get(code, clean(code) or '(no language)')}",
            ),
            ("Folder", clean(short(path_of(draft.folder))) if draft.folder else "(none)"),
            ("Recordings", self._recordings()),
            ("Base", clean(short(draft.base))),
            ("Profile", f"{draft.profile}: {training.epochs} epochs at {training.learning_rate:g}"),
            (
                "Batch",
                f"{training.batch_size} x {training.accumulation}, learns like {batch} clips",
            ),
        ]
        told = {plan.BATCH, plan.ACCUMULATION, plan.EPOCHS}
        rows += [
            (("Settings" if number == 0 else ""), f"{key} = {clean(str(value))}")
            for number, (key, value) in enumerate(
                (key, value) for key, value in plan.own_values(draft).items() if key not in told
            )
        ]
        return rows + self._changes()

    def _recordings(self) -> str:
        sources = self.draft.sources
        if not sources:
            return "none yet: add them later"
        alone = len(sources) == 1
        shown = ", ".join(
            clean(short(source) if alone else Path(source).name) for source in sources[:3]
        )
        more = f" and {len(sources) - 3} more" if len(sources) > 3 else ""
        totals = self.wizard.counting.totals
        if totals is None or not totals.files:
            return shown + more
        held = f"{files_in(totals)}, {duration(totals.seconds)}"
        return f"{held}{'' if totals.done else ' so far'}: {shown}{more}"

    def _changes(self) -> list[tuple[str, str]]:
        """What of an existing project becomes otherwise."""
        if self.before is None:
            return []
        told = changes(self.before, self.draft) or ["nothing"]
        return [("" if number else "Changed", text) for number, text in enumerate(told)]

    def warnings(self) -> list[str]:
        """What does not keep the project from being made, and should be known."""
        found: list[str] = []
        totals = self.wizard.counting.totals
        if not self.draft.sources:
            found.append(
                "No recordings yet: add them later. The project can be prepared once it has some."
            )
        elif totals is not None and (told := length_warning(totals)):
            found.append(f"{duration(totals.seconds)} of recordings: {told[0].lower()}{told[1:]}")
        if totals is not None and totals.problems and self.draft.sources:
            count = len(totals.problems)
            files = "1 file" if count == 1 else f"{count:,} files"
            found.append(f"{files} cannot be used; step 2 says why (p).")
        if self.draft.base in bases.known() and bases.vocab_of(self.draft.base) is None:
            found.append(
                f"The base {self.draft.base} is not on this machine yet: fetch it in step 3 (f), or "
                f"with 'voicetui fetch {self.draft.base}'."
            )
        if plan.is_new(self.draft):
            code = clean(languages.normal(self.draft.language))
            found.append(
                f"The base does not know {code}: after the preparation it is taught, here or with "
                "'voicetui vocab'."
            )
        fit = self.wizard.fit()
        if fit is not None and not fit.fits:
            found.append("The batch may not fit into memory; step 5 suggests one.")
        return found

    # --- keys -------------------------------------------------------------------------------------

    def copy(self) -> None:
        """Copy the command line."""
        line = " ".join(plan.command(self.draft))
        self.wizard.say(listening.copy(self.app, line).told)


def _broken(text: str, width: int) -> list[str]:
    """A command in pieces of at most `width` characters, cut where it must be."""
    return [text[start : start + width] for start in range(0, len(text), max(20, width))] or [""]
