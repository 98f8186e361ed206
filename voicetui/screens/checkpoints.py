"""The checkpoints of all runs of a project, and its exports."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.widget import Widget

from engine import lock
from engine import project as projects
from engine.errors import VoicetuiError
from engine.events import Spoke
from engine.project import Project
from engine.text import clean
from engine.training import saved as saves
from engine.training.saved import Export, Saved
from voicetui import listening
from voicetui.amounts import duration, size
from voicetui.helper import Helper
from voicetui.screens import flow
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.errands import Errands
from voicetui.screens.panels.checkpoint_facts import facts_of
from voicetui.screens.panels.made import made_lines
from voicetui.screens.reading import Reading
from voicetui.speaking import Utterance
from voicetui.typed import short
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted

_PERIOD_SECONDS = 0.5
_RELOAD_TICKS = 8
# engine.files reads a file in pieces of this size and asks after each whether to go on.
_PIECE_BYTES = 1 << 24

_HEADER: Line = [
    (f"   {'run':<5}{'step':>8}{'epoch':>7}{'held-out':>10}{'size':>9}  {'age':<13}what it is", "")
]
# Below this width there is no room for size and age; the facts of a checkpoint hold them.
_ROOMY = 72
_SHORT_HEADER: Line = [(f"   {'run':<5}{'step':>8}{'epoch':>7}{'held-out':>10}  what it is", "")]


@dataclass(frozen=True)
class Checkpoints:
    """The rows of the list. `marked` is the folder that another one is compared with."""

    saved: Sequence[Saved]
    verified: frozenset[Path]
    marked: Path | None
    now: float
    roomy: bool = True

    def __len__(self) -> int:
        return len(self.saved)

    def line(self, index: int, width: int) -> Line:  # noqa: ARG002 - the widget cuts it
        saved = self.saved[index]
        mark = "A" if saved.folder == self.marked else "★" if saved.is_best else " "
        loss = f"{saved.loss:.3f}" if saved.loss is not None else "-"
        age = duration(max(0.0, self.now - saved.time)) if saved.time else "?"
        epoch = "" if saved.damage else str(saved.epoch)
        return [
            (f" {mark} ", "accent" if mark == "A" else "good"),
            (fitted(saved.run, 5), "dim"),
            (fitted(f"{saved.step:,}", 8, right=True), "bold"),
            (fitted(epoch, 7, right=True), ""),
            (fitted(loss, 10, right=True), "good" if saved.is_best else ""),
            (fitted(size(saved.bytes), 9, right=True) if self.roomy else "", ""),
            ("  ", ""),
            (fitted(age, 13) if self.roomy else "", "dim"),
            self._nature(saved),
        ]

    def _nature(self, saved: Saved) -> tuple[str, str]:
        if saved.damage:
            return "damaged", "bad"
        kinds = (("best", saved.is_best), ("last", saved.is_last), ("at work", saved.is_live))
        words = [word for word, is_so in kinds if is_so]
        if saved.folder in self.verified:
            words.append("verified")
        return ", ".join(words), "good" if saved.is_best else ""


class CheckpointsScreen(ConsoleScreen):
    """Lists what can be spoken with, exported, compared, verified and deleted."""

    scope = "checkpoints"
    heading = "checkpoints"
    # Unix seconds; tests set another one.
    clock: ClassVar[Callable[[], float]] = staticmethod(time.time)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self._voice = folder.name
        self._saved: list[Saved] = []
        self._exports: list[Export] = []
        self._samples: list[Path] = []
        self._verified: frozenset[Path] = frozenset()
        self._marked: Path | None = None
        self._verifying: tuple[Saved, Helper[str], list[int]] | None = None
        self._names: tuple[Path, ...] = ()
        self._ticks = 0
        self._going = 0

    def body(self) -> Iterable[Widget]:
        yield RowList(id="checkpoints", header=_HEADER, empty="Reading…")
        yield Lines([[]], id="checkpoint")
        yield Lines([[]], id="exports")

    def on_mount(self) -> None:
        super().on_mount()
        self.errands = Errands(self, self.folder)
        with contextlib.suppress(VoicetuiError):
            self._voice = projects.load(self.folder).name
        self.query_one(RowList).focus()
        self.reload()
        self.set_interval(_PERIOD_SECONDS, self.tick)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        if self._saved:
            self.call_after_refresh(self._show)

    def on_unmount(self) -> None:
        if self._verifying is not None:
            self._verifying[1].stop()

    def title_text(self) -> str:
        return clean(f"{self._voice} · checkpoints and exports")

    # --- the list ---------------------------------------------------------------------------------

    @property
    def chosen(self) -> Saved | None:
        """The checkpoint under the cursor."""
        cursor = self.query_one(RowList).cursor
        return self._saved[cursor] if cursor < len(self._saved) else None

    def reload(self) -> None:
        """Read the list again, in a helper thread."""
        self._names = self._folders()
        self.run_worker(self._reload(), exclusive=True)

    async def _reload(self) -> None:
        kept = self.chosen
        self._saved = await asyncio.to_thread(saves.checkpoints, self.folder)
        self._exports = await asyncio.to_thread(saves.exports, self.folder)
        self._samples = await asyncio.to_thread(saves.samples, self.folder)
        here = [saved.folder for saved in self._saved]
        if self._marked not in here:
            self._marked = None
        self._show(here.index(kept.folder) if kept is not None and kept.folder in here else None)
        self.refresh_keys()

    def _folders(self) -> tuple[Path, ...]:
        places = ("runs/*/checkpoints/step-*", "export/*", f"runs/*/{saves.SAMPLES}/*.wav")
        return tuple(sorted(path for place in places for path in self.folder.glob(place)))

    def _show(self, cursor: int | None = None) -> None:
        rows = self.query_one(RowList)
        roomy = self.size.width >= _ROOMY
        rows.show(
            Checkpoints(self._saved, self._verified, self._marked, type(self).clock(), roomy),
            cursor=cursor,
            header=_HEADER if roomy else _SHORT_HEADER,
            empty="No checkpoint yet; a training saves one after each epoch.",
        )
        self._show_chosen()
        self._show_exports()

    def _show_chosen(self) -> None:
        saved = self.chosen
        line: Line = []
        if saved is not None and saved.damage:
            line = [(" ✗ ", "bad"), (clean(saved.damage), "bad")]
        elif saved is not None:
            line = [(" " + clean(short(saved.folder)), "dim")]
        self.query_one("#checkpoint", Lines).show([line])

    def _show_exports(self) -> None:
        lines = made_lines(self.folder, self._exports, self._samples, self.size.width)
        self.query_one("#exports", Lines).show(lines)

    def on_row_list_moved(self) -> None:
        self._show_chosen()
        self.refresh_keys()

    def on_row_list_chosen(self) -> None:
        saved = self.chosen
        if saved is not None:
            title = f"Run {saved.run}, step {saved.step:,}"
            self.console.push_screen(Reading(title, facts_of(saved)))

    def action_reload(self) -> None:
        self.reload()
        self.say("Read again.")

    def tick(self) -> None:
        """Tell how the work gets on, and see what changed on disk."""
        self._ticks += 1
        self._look_at_verifying()
        was_going, self._going = self._going, self.errands.going
        over = self._going < was_going
        if over or (self._ticks % _RELOAD_TICKS == 0 and self._folders() != self._names):
            self.reload()

    # --- what is possible -------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:
        return not self.why_not(action)

    def why_not(self, action: str) -> str:
        saved = self.chosen
        if action == "reload":
            return ""
        if saved is None:
            return "There is no checkpoint yet."
        if saved.damage and action in ("speak", "export", "compare"):
            return "This checkpoint is damaged; take another one."
        return saves.why_kept(saved) if action == "delete" else ""

    # --- verifying --------------------------------------------------------------------------------

    def action_verify(self) -> None:
        saved = self.chosen
        if saved is None:
            return
        if self._verifying is not None:
            self._verifying[1].stop()
        done = [0]

        def work(check: Callable[[], None]) -> str:
            def count() -> None:
                check()
                done[0] += 1

            return saves.verify(saved, count)

        self._verifying = (saved, Helper("verify", work), done)
        self.say(f"Verifying step {saved.step:,}…")

    def _look_at_verifying(self) -> None:
        if self._verifying is None:
            return
        saved, helper, pieces = self._verifying
        if not helper.done:
            share = min(1.0, pieces[0] * _PIECE_BYTES / max(1, saved.bytes))
            self.say(f"Verifying step {saved.step:,}: {100 * share:.0f} % of {size(saved.bytes)}…")
            return
        self._verifying = None
        if helper.problem or helper.result:
            self.console.tell("This checkpoint is damaged", helper.problem or helper.result or "")
            self.reload()
            return
        self._verified |= {saved.folder}
        self._show()
        self.say(f"Step {saved.step:,} is whole: every byte is what was written.", "good")

    # --- deleting ---------------------------------------------------------------------------------

    def action_delete(self) -> None:
        saved = self.chosen
        if saved is None:
            return
        loss = "It is the best one of its run. " if saved.is_best else ""
        loss += "Its run goes on from it. " if saved.is_last else ""

        def answered(answer: str | None) -> None:
            if answer == "x":
                flow.begin(self.console, "deleting", self._delete(saved))

        self.console.push_screen(
            Choose(
                f"Delete run {saved.run}, step {saved.step:,}?",
                f"{loss}{size(saved.bytes)} become free. It cannot be brought back.",
                [Choice("x", "delete it"), Choice("q", "keep it")],
            ),
            answered,
        )

    async def _delete(self, saved: Saved) -> None:
        try:
            await asyncio.to_thread(saves.delete, saved)
        except (VoicetuiError, OSError) as error:
            self.console.tell("It was not deleted", str(error))
            return
        self.say(f"Deleted step {saved.step:,}; {size(saved.bytes)} are free.")
        if self.is_attached:
            self.reload()

    # --- speaking and exporting -------------------------------------------------------------------

    def action_export(self) -> None:
        if (saved := self.chosen) is not None:
            flow.begin(self.console, "exporting", self._export(saved))

    async def _export(self, saved: Saved) -> None:
        project = await self.errands.load()
        if project is not None:
            await self.errands.export(project, _name(saved))

    def action_speak(self) -> None:
        if (saved := self.chosen) is not None:
            flow.begin(self.console, "speaking", self._speak([saved]))

    def action_compare(self) -> None:
        saved = self.chosen
        if saved is None:
            return
        first = next((s for s in self._saved if s.folder == self._marked), None)
        if first is None or first is saved:
            self._marked = saved.folder if first is None else None
            self._show()
            self.say(
                f"A is step {saved.step:,}; b on another one lets both speak."
                if self._marked
                else "Nothing is marked."
            )
            return
        flow.begin(self.console, "comparing", self._speak([first, saved]))

    async def _speak(self, chosen: list[Saved]) -> None:
        project = await self.errands.load()
        said = await self.errands.ask_utterance(project) if project is not None else None
        if project is None or said is None:
            return
        if len(chosen) == 1:
            await self.errands.speak(project, said, _name(chosen[0]), on_cpu=self._is_taken())
            return
        self._marked = None
        if self.is_attached:
            self._show()
        await self._compare(project, said, chosen)

    async def _compare(self, project: Project, said: Utterance, chosen: list[Saved]) -> None:
        """One after the other with the same seed, then both results in one dialog."""
        results: list[Spoke] = []

        def spoke(event: Spoke) -> None:
            results.append(event)
            if len(results) == len(chosen):
                self._tell_comparison(results)
            else:
                # Nothing is asked any more, so that it need not wait for other questions.
                following = self.errands.speak(
                    project, said, _name(chosen[len(results)]), on_cpu=self._is_taken(), spoke=spoke
                )
                self.console.run_worker(following)

        await self.errands.speak(
            project, said, _name(chosen[0]), on_cpu=self._is_taken(), spoke=spoke
        )

    def _tell_comparison(self, results: Sequence[Spoke]) -> None:
        lines = []
        for letter, result in zip("AB", results, strict=True):
            lines += [f"{letter}  step {result.step:,}, {result.seconds:.1f} s", result.path, ""]
        paths = [Path(result.path) for result in results]
        command = self.errands.made = listening.fetch_command(*paths)
        self.errands.report_made("Spoken", *paths)
        if not self.errands.is_awaited:
            return
        copied = listening.copy(self.console, command)
        self.console.tell(
            "The same sentence, the same seed", "\n".join([*lines, command, "", copied.told])
        )

    def _is_taken(self) -> bool:
        """Whether a training holds the GPU, so that speaking goes to the CPU."""
        return lock.holder(self.folder) is not None

    def action_copy(self) -> None:
        saved = self.chosen
        text = self.errands.made or (str(saved.folder) if saved is not None else "")
        if text:
            self.say_copied(listening.copy(self.console, text))


def _name(saved: Saved) -> str:
    """How the engine names a checkpoint of any run."""
    return f"{saved.run}/{saved.step}"
