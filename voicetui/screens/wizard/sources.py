"""Step 2: which recordings the voice is made from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.widget import Widget
from textual.widgets import Input

from engine.text import clean
from voicetui.amounts import duration, size
from voicetui.screens.dialogs import Prompt
from voicetui.screens.wizard import plan
from voicetui.screens.wizard.listed import Listed
from voicetui.screens.wizard.step import Step
from voicetui.typed import path_of, short
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.folder_browser import FolderBrowser, Listing, Looks
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, Span, fitted

if TYPE_CHECKING:
    from engine.dataset.survey import Totals

# The XTTS fine-tuning guide: "3 minutes total; however, 5+ minutes is recommended".
LEAST_SECONDS, GOOD_SECONDS = 180, 300
_ADVICE = (
    "Space marks recordings and whole folders. At least 3 minutes of one speaker, better 5 and "
    "more: clear speech, even in level, without music, echo or noise; short and long sentences, "
    "questions, names, numbers. Wav and flac are best. The files are never changed."
)


def is_recording(name: str) -> bool:
    """Whether a folder's search takes a file of this name."""
    from engine.dataset.sources import sounds

    return sounds(name)


def files_in(totals: Totals) -> str:
    """How many files there are, and how many of them can be used."""
    files = f"{totals.files:,} {'file' if totals.files == 1 else 'files'}"
    usable = totals.files - totals.unusable
    return f"{usable:,} of {files}" if totals.unusable else files


def totals_line(totals: Totals | None) -> Line:
    """What the chosen sources hold, in a line."""
    if totals is None:
        return [(" Counting …", "dim")]
    if not totals.files and totals.done:
        return [(" No recordings in what is chosen.", "warn")]
    formats = sorted(totals.formats.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{clean(ending)} {count:,}" for ending, count in formats[:4])
    line: Line = [
        (f" {files_in(totals)}", "bold"),
        (f" · {duration(totals.seconds)}", "bold"),
        (f" · {size(totals.size)}" if totals.size else "", ""),
        (f" · {shown}" if shown else "", ""),
    ]
    if not totals.done:
        line.append((f" · {totals.measured:,} looked at so far", "dim"))
    return line


def _listed(names: Sequence[str], width: int) -> Line:
    """As many names as there is room for."""
    for count in range(len(names), 0, -1):
        shown = ", ".join(map(clean, names[:count]))
        more = "" if count == len(names) else f" and {len(names) - count:,} more (c lists them)"
        room = width - len(more)
        if cell_len(shown) <= room or count == 1:
            return [(fitted(shown, room).rstrip(), ""), (more, "dim")]
    return []


def length_warning(totals: Totals) -> str:
    """What to say about the length of what was counted; "" when it is long enough."""
    if not totals.done or totals.unknown:
        return ""
    if totals.seconds < LEAST_SECONDS:
        return "Too little: 3 minutes at least, better 5."
    if totals.seconds < GOOD_SECONDS:
        return "Enough to begin with; 5 minutes are better."
    return ""


class SourcesStep(Step):
    """A folder browser with a live count of what is marked."""

    actions = frozenset(
        {"mark", "left", "right", "type_path", "chosen", "problems", "filter", "home_folder"}
    )
    enter = "open"

    def compose(self) -> Iterable[Widget]:
        yield Lines([[]], id="place")
        browser = FolderBrowser(self._start(), Looks(is_recording), id="browser")
        browser.marks = self._marks()
        yield browser
        yield FilterLine(browser, id="filter")
        yield Lines([[], [], []], id="count")

    def on_mount(self) -> None:
        self._listing: Listing | None = None
        self.draft_changed()

    def fields(self) -> list[Widget]:
        return [self._browser]

    def advice(self) -> str:
        return _ADVICE

    @property
    def _browser(self) -> FolderBrowser:
        return self.query_one(FolderBrowser)

    def _start(self) -> Path:
        """Beside what was chosen first, else where the console was started."""
        if self.wizard.browsed is not None:
            return self.wizard.browsed
        first = Path(self.draft.sources[0]).parent if self.draft.sources else Path.cwd()
        return first if first.is_dir() else Path.home()

    def _marks(self) -> frozenset[Path]:
        return frozenset(map(Path, self.draft.sources))

    # --- showing ----------------------------------------------------------------------------------

    def draft_changed(self) -> None:
        self._browser.show_marks(self._marks(), self._bad())
        self.poll()

    def _bad(self) -> frozenset[Path]:
        totals = self.wizard.counting.totals
        return frozenset(one.path for one in totals.problems) if totals is not None else frozenset()

    def poll(self) -> None:
        if self._browser.bad != self._bad():
            self._browser.show_marks(self._marks(), self._bad())
        self.query_one("#count", Lines).show([self._chosen_line(), *self._count_lines()])

    def _chosen_line(self) -> Line:
        names = [os.path.basename(source) or source for source in self.draft.sources]
        if not names:
            return [(" Nothing is chosen yet: Space marks what is under the cursor.", "warn")]
        return [(" Chosen: ", "dim"), *_listed(names, self.size.width - len(" Chosen:  "))]

    def _count_lines(self) -> list[Line]:
        counting = self.wizard.counting
        if not self.draft.sources:
            return [[], []]
        if counting.problem:
            return [[(f" {counting.problem}", "bad")], []]
        totals = counting.totals
        second: list[Span] = []
        if totals is not None and totals.problems:
            second = [(f" ✗ {len(totals.problems):,} cannot be used (p says why). ", "bad")]
        elif totals is not None and totals.unknown:
            second = [(f" The headers of {totals.unknown:,} do not tell their length. ", "dim")]
        if totals is not None:
            second.append((f" {length_warning(totals)}", "warn"))
        return [totals_line(totals), second]

    def on_folder_browser_entered(self, event: FolderBrowser.Entered) -> None:
        event.stop()
        self.wizard.browsed = event.listing.folder
        self._listing = event.listing
        self._show_place()

    def on_resize(self) -> None:
        self._show_place()
        self.poll()

    def _show_place(self) -> None:
        listing = self._listing
        if listing is None:
            return
        others = ""
        if listing.others:
            files = "file is" if listing.others == 1 else "files are"
            others = f"  {listing.others:,} other {files} not shown"
        place = clean(short(listing.folder))
        width = max(10, self.size.width - len(others) - 2)
        line: Line = [(f" {fitted(place, width).rstrip()}", "bold"), (others, "dim")]
        self.query_one("#place", Lines).show(
            [[(f" {listing.problem}", "warn")]] if listing.problem else [line]
        )

    def show_problem(self) -> Widget | None:
        wrong = next(
            (s for s in map(Path, self.draft.sources) if plan.source_problem(self.draft, s)), None
        )
        if wrong is not None and wrong.parent.is_dir():
            self._browser.enter(wrong.parent, wrong)
        return self._browser

    # --- keys -------------------------------------------------------------------------------------

    def on_folder_browser_picked(self, event: FolderBrowser.Picked) -> None:
        event.stop()
        self._toggle(event.entry.path)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._browser.narrow(event.value)

    def mark(self) -> None:
        """Take what is under the cursor, or leave it out again."""
        entry = self._browser.entry
        if entry is not None and entry.name == "..":
            self.wizard.say("Go up with ←, and mark the folder there.", "warn")
        elif entry is not None:
            self._toggle(entry.path)
            self._browser.action_down()

    def _toggle(self, path: Path) -> None:
        sources = self.draft.sources
        if str(path) in sources:
            self.wizard.change(sources=tuple(s for s in sources if s != str(path)))
            return
        covered = next((s for s in sources if path.is_relative_to(s)), None)
        if covered is not None:
            self.wizard.say(
                f"It is in {clean(Path(covered).name)}, which is chosen as a whole.", "warn"
            )
        elif problem := plan.source_problem(self.draft, path):
            self.wizard.say(problem, "warn")
        else:
            # What lies in a folder that is taken need not be named again.
            kept = tuple(s for s in sources if not Path(s).is_relative_to(path))
            self.wizard.change(sources=(*kept, str(path)))

    def left(self) -> None:
        self._browser.up()

    def right(self) -> None:
        self._browser.into()

    def home_folder(self) -> None:
        self._browser.enter(Path.home())

    def filter(self) -> None:
        self.query_one(FilterLine).open()

    def type_path(self) -> None:
        self.app.push_screen(
            Prompt(
                "A recording, or a folder of them",
                "Its path on this machine; ~ is your home. It is added to what is chosen.",
                check=lambda text: plan.source_problem(self.draft, path_of(text)),
            ),
            self._typed,
        )

    def _typed(self, text: str | None) -> None:
        if text is None:
            return
        path = path_of(text)
        if str(path) not in self.draft.sources:
            self._toggle(path)
        self._browser.enter(path.parent, path)

    def chosen(self) -> None:
        def remove(index: int) -> None:
            sources = list(self.draft.sources)
            del sources[index]
            self.wizard.change(sources=tuple(sources))

        shown = [clean(source) for source in self.draft.sources]
        self.app.push_screen(Listed("Chosen recordings and folders", shown, remove))

    def problems(self) -> None:
        totals = self.wizard.counting.totals
        found = totals.problems if totals is not None else ()
        if found:
            self.app.push_screen(Listed("What cannot be used", [one.message for one in found]))
        else:
            self.wizard.say("Everything that was looked at so far can be read.")
