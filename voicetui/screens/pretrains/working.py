"""The keys that fetch a pretrain, and that look at its files. All of it goes on behind other screens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine import licences
from engine.errors import VoicetuiError
from engine.files import safe_join
from engine.text import clean
from voicetui import fetching
from voicetui.amounts import size
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.pretrains.narrowing import NarrowKeys
from voicetui.screens.pretrains.shelf import Item
from voicetui.screens.reading import Reading
from voicetui.tasks import Check, Progress, Task, Work

if TYPE_CHECKING:
    from engine.pretrains.store import Stored
    from engine.pretrains.verify import Finding

_SIGNS = {"fine": "✓", "note": "·", "wrong": "✗"}
# Of an XTTS base; the others of its files are text.
_WEIGHTS_OF_BASE = ("model.pth", "dvae.pth", "mel_stats.pth", "speakers_xtts.pth")
_PAIR = 2
_OVER = {
    "importing": "imported",
    "verifying": "verified",
    "reading": "read",
    "installing": "installed",
    "merging": "merged",
}


class WorkKeys(NarrowKeys):
    """Fetching, stopping, verifying, inspecting."""

    # --- telling ----------------------------------------------------------------------------------

    @property
    def is_awaited(self) -> bool:
        """Whether a dialog may tell a result: the screen is in sight, and asks nothing itself."""
        return self.console.screen is self

    def report(self, text: str, style: str = "") -> None:
        """Say how something ended: here, and on the screen in sight."""
        self.say(clean(text), style)
        if not self.in_sight:
            self.console.say(text, style)

    def chore(
        self, key: str, title: str, doing: str, work: Work, succeeded: Callable[[Task], None]
    ) -> None:
        """Begin work with the files of a pretrain, after what is being done with others.

        `key` is its slug, `title` what people call it. `succeeded` is called with the finished
        task; what else becomes of it is told.
        """
        known = self.console.chores.of(key)
        if known is not None and not known.is_over:
            self.say(f"One thing after the other: {title} is at work. x stops it.", "warn")
            return

        def ended(task: Task) -> None:
            if task.state == "done":
                succeeded(task)
            elif task.state == "stopped":
                self.report(f"{title}: stopped, nothing was changed.", "warn")
            elif self.is_awaited:
                self.console.tell(f"{title} was not {_OVER[doing]}", task.problem)
            else:
                self.report(f"{title}: {task.problem}", "bad")
            if self.is_attached:
                self.reload()

        self.console.chores.add(Task(key, doing, title, work, ended))
        self.say(f"{doing.capitalize()} {title} …")
        self.tick()

    # --- fetching ---------------------------------------------------------------------------------

    def action_get(self) -> None:
        item = self.chosen
        if item is None:
            return
        entry = item.entry
        if entry.family != "xtts" or _is_accepted(item):
            self._begin_fetch(item)
            return
        self.app.push_screen(
            Choose(
                f"The licence of {item.title}",
                f"{clean(entry.licence)}.\nRead it at {clean(entry.licence_url)}.\nWhoever uses "
                "this model, or a voice that is trained from it, is bound by it.",
                [Choice("a", "accept it, and fetch the model")],
            ),
            lambda answer: self._begin_fetch(item) if answer else None,
        )

    def _begin_fetch(self, item: Item) -> None:
        def work(progress: Progress, check: Check) -> Stored:
            from engine.pretrains import get

            return get.fetch(item.entry, accept_licence=True, progress=progress, check=check)

        def ended(task: Task) -> None:
            fetching.tell(self.console, task)
            if task.problem and self.is_awaited:
                self.console.tell(f"{item.title} was not fetched", task.problem)
            if self.is_attached:
                self.reload()

        fetching.begin(self.console, Task(item.slug, "fetching", item.title, work, ended))
        self.tick()

    def action_stop(self) -> None:
        task = self.stoppable
        if task is not None:
            task.stop()
            self.say(f"Stopping {task.name}; what came of it is kept.")

    @property
    def stoppable(self) -> Task | None:
        """What x stops: the work with the pretrain under the cursor, else what is done now."""
        own = self.task_of(self.chosen.slug) if self.chosen is not None else None
        if own is not None and not own.is_over:
            return own
        return self.console.chores.current or self.console.fetches.current

    # --- looking ----------------------------------------------------------------------------------

    def action_verify(self) -> None:
        item = self.chosen
        if item is None or item.stored is None:
            return
        if item.stored.came != "fetched":
            self._verify(item, item.stored, online=False)
            return
        stored = item.stored
        self.app.push_screen(
            Choose(
                f"Verify {item.title}",
                "Every byte on this machine is read and compared with what is on record.",
                [
                    Choice("h", "only what is here"),
                    Choice("a", "ask the hub too, whether its author has changed it since"),
                ],
            ),
            lambda answer: self._verify(item, stored, online=answer == "a") if answer else None,
        )

    def _verify(self, item: Item, stored: Stored, *, online: bool) -> None:
        def work(progress: Progress, check: Check) -> Sequence[Finding]:
            from engine.pretrains import verify

            return verify.verify(stored, online=online, progress=progress, check=check)

        self.chore(
            item.slug,
            item.title,
            "verifying",
            work,
            lambda task: self._verified(item, task.result),
        )

    def _verified(self, item: Item, findings: Sequence[Finding]) -> None:
        wrong = [finding for finding in findings if finding.level == "wrong"]
        if wrong:
            self.report(f"{item.title}: {wrong[0].seen}", "bad")
        else:
            self.report(f"{item.title} is whole: every byte is as it came.", "good")
        if self.is_awaited:
            told = [
                f"{_SIGNS[finding.level]} {finding.seen}"
                f"{f'. {finding.remedy}' if finding.remedy else ''}"
                for finding in findings
            ]
            whole = "must not be used" if wrong else "is whole"
            self.console.tell(f"{item.title} {whole}", "\n".join(told))

    def action_inspect(self) -> None:
        item = self.chosen
        if item is None or item.stored is None:
            return
        stored = item.stored

        def work(progress: Progress, check: Check) -> list[tuple[str, str]]:
            return inspected(stored, progress, check)

        self.chore(
            item.slug,
            item.title,
            "reading",
            work,
            lambda task: self._inspected(item, task.result),
        )

    def _inspected(self, item: Item, rows: list[tuple[str, str]]) -> None:
        if self.is_awaited:
            self.say(f"{item.title}: read from its tensors.", "good")
            self.app.push_screen(Reading(f"What {item.title} holds", rows))
        else:
            self.report(f"{item.title} is read: i on the pretrains (F6) shows it.", "good")


def inspected(stored: Stored, progress: Progress, check: Check) -> list[tuple[str, str]]:
    """What the weights of a pretrain hold, by their tensors, in labelled lines."""
    from engine.pretrains import reader
    from engine.pretrains.facts import belong
    from engine.pretrains.words import BELONG, in_words

    names = [file.path for file in stored.files] or list(_WEIGHTS_OF_BASE)
    paths = [path for name in names if (path := safe_join(stored.folder, name)).is_file()]
    sizes = [path.stat().st_size for path in paths]
    rows: list[tuple[str, str]] = []
    found = []
    for number, path in enumerate(paths):
        progress(sum(sizes[:number]), sum(sizes))
        facts = reader.inspect(path, check=check)
        found.append(facts)
        rows += [
            (clean(path.name), in_words(facts)),
            ("", f"{facts.tensors:,} tensors, {size(facts.bytes)}"),
        ]
        rows += [("left over", clean(leftover)) for leftover in facts.leftovers]
    if len(found) == len(stored.files) == _PAIR:
        reasons = belong(*found) or (f"{BELONG}.",)
        rows += [("together", clean(reason)) for reason in reasons]
    return rows


def _is_accepted(item: Item) -> bool:
    try:
        return licences.is_accepted(item.entry.slug, item.entry.licence)
    except VoicetuiError:
        # The record of licences is broken; fetching says how to mend it.
        return True
