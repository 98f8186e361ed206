"""The keys that take pretrains from elsewhere than the hub: from files here, and from lists."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import VoicetuiError
from engine.pretrains.entry import Entry, bare_slug
from engine.text import clean
from voicetui.screens import flow
from voicetui.screens.dialogs import Choice, Choose, Prompt
from voicetui.screens.folder_dialog import FilesDialog, FolderDialog
from voicetui.screens.pretrains.details import page_of
from voicetui.screens.pretrains.shelf import Item, title_of
from voicetui.screens.pretrains.working import WorkKeys
from voicetui.screens.reading import Reading
from voicetui.tasks import Check, Progress, Task
from voicetui.typed import path_of, short
from voicetui.widgets.folder_browser import Looks

if TYPE_CHECKING:
    from engine.pretrains.applio import Left, Offer
    from engine.pretrains.store import Stored

_PAIR = 2
_ENDINGS = (".pth", ".pt", ".safetensors")
# The key of the task that reads one; no slug has a colon.
_LIST = "list:"
_PAIR_ASKED = (
    "Take its generator (G) and its discriminator (D), or with Space the folder that holds them. "
    "They are copied, and judged by their tensors."
)


class BringKeys(WorkKeys):
    """Files of an entry, a pair of a person's own, and lists such as Applio's."""

    # Where files were found last.
    _found_in: Path | None = None

    # --- files ------------------------------------------------------------------------------------

    def action_bring(self) -> None:
        if (item := self.chosen) is not None:
            flow.begin(self.console, "taking files", self._bring(item))

    async def _bring(self, item: Item) -> None:
        if item.entry.family == "xtts":
            paths = await self._ask_for_folder(item)
        else:
            paths = await self._ask_for_pair(f"The files of {item.title}")
        if paths:
            self._import(item.slug, item.title, lambda _: item.entry, paths)

    def action_add(self) -> None:
        flow.begin(self.console, "taking files", self._add())

    async def _add(self) -> None:
        paths = await self._ask_for_pair("A pair of your own")
        if not paths:
            return
        files = " and ".join(clean(path.name) for path in paths)
        question = Prompt("What shall it be called?", f"From {files}.", check=_name_problem)
        if (answer := await flow.ask(self.console, question)) is None:
            return
        name = answer.strip()

        def entry(check: Check) -> Entry:
            from engine.pretrains import get

            return get.own_entry(name, paths, check=check)

        self._import(f"own:{bare_slug(name)}", clean(name), entry, paths)

    async def _ask_for_pair(self, title: str) -> list[Path] | None:
        return await self._ask_for_files(title, _PAIR_ASKED, _ENDINGS, _PAIR)

    async def _ask_for_files(
        self, title: str, told: str, endings: Sequence[str], count: int
    ) -> list[Path] | None:
        dialog = FilesDialog(title, told, self._start, endings, count)
        paths = await flow.ask(self.console, dialog)
        if paths:
            self._found_in = paths[0].parent
        return paths

    async def _ask_for_folder(self, item: Item) -> list[Path] | None:
        from engine.xtts import base as bases

        told = f"It holds {', '.join(bases.FILES)}. Space takes it."
        dialog = FolderDialog(f"The folder of {item.title}", told, self._start, Looks())
        folder = await flow.ask(self.console, dialog)
        return [folder] if folder is not None else None

    @property
    def _start(self) -> Path:
        found_in = self._found_in
        return found_in if found_in is not None and os.path.isdir(found_in) else Path.home()

    def _import(
        self, key: str, title: str, entry: Callable[[Check], Entry], paths: Sequence[Path]
    ) -> None:
        def work(progress: Progress, check: Check) -> Stored:
            from engine.pretrains import get

            return get.import_files(entry(check), paths, progress=progress, check=check)

        def imported(task: Task) -> None:
            stored: Stored = task.result
            self.report(f"{title_of(stored.entry)} is here: copied and checked.", "good")
            self.wish_for(stored.entry.slug)

        self.chore(key, title, "importing", work, imported)

    # --- lists ------------------------------------------------------------------------------------

    def action_lists(self) -> None:
        flow.begin(self.console, "reading a list", self._lists())

    async def _lists(self) -> None:
        source = await self._ask_for_list()
        if source is not None:
            self._read_list(source)

    async def _ask_for_list(self) -> str | None:
        from engine.pretrains.applio import PUBLISHED

        question = Choose(
            "Add what a list of pretrains names",
            "A list in the form of Applio's: names, rates, and where G and D are. Nothing of them "
            "is fetched yet, and nothing is added before you have seen what it holds. Applio's is "
            f"at\n{PUBLISHED}",
            [
                Choice("p", "the one that Applio publishes"),
                Choice("f", "a file of this machine"),
                Choice("t", "type an address or a path"),
            ],
        )
        answer = await flow.ask(self.console, question)
        if answer == "p":
            return PUBLISHED
        if answer == "f":
            found = await self._ask_for_files(
                "A list of pretrains", "It is a JSON file.", (".json",), 1
            )
            return str(found[0]) if found else None
        if answer == "t":
            told = "An address that begins with https://, or a path; ~ is your home."
            typed = await flow.ask(self.console, Prompt("Where is the list?", told))
            return _source_of(typed.strip()) if typed and typed.strip() else None
        return None

    def _read_list(self, source: str) -> None:
        def work(_: Progress, check: Check) -> Offer:
            from engine.pretrains import applio, catalogue

            return applio.read(applio.fetch(source, check=check), catalogue.entries())

        name = clean(source.rpartition("/")[2])
        self.chore(_LIST, name, "reading", work, lambda task: self._offered(task.result))

    def _offered(self, offer: Offer) -> None:
        count = f"{len(offer.new)} {'is' if len(offer.new) == 1 else 'are'} new"
        if not self.is_awaited:
            self.report(f"The list is read, {count}: l on the pretrains (F6) shows it again.")
            return
        self.say(f"The list is read: {count}.", "good" if offer.new else "")
        add = [Choice("a", f"add the {len(offer.new)} new")] if offer.new else []
        self.app.push_screen(
            Reading(f"Of this list {count}", offer_rows(offer), add),
            lambda answer: self._take_over(offer) if answer else None,
        )

    def _take_over(self, offer: Offer) -> None:
        flow.begin(self.console, "adding a list", self._write(offer))

    async def _write(self, offer: Offer) -> None:
        from engine.pretrains import own

        try:
            path = await asyncio.to_thread(own.add, offer.new)
        except (VoicetuiError, OSError) as error:
            self.console.tell("Nothing was added", str(error))
            return
        self.wish_for(offer.new[0].slug)
        self.report(f"{len(offer.new)} added to {short(path)}; f fetches one.", "good")
        if self.is_attached:
            self.reload()


def offer_rows(offer: Offer) -> list[tuple[str, str]]:
    """What a list offers, in labelled lines: new ones, known ones, refused ones with the reason."""
    new = [f"{title_of(entry)}: {page_of(entry)}" for entry in offer.new]
    told = {
        "new": new,
        "known": map(_left, offer.known),
        "refused": map(_left, offer.refused),
    }
    rows = [(label, clean(text)) for label, texts in told.items() for text in texts]
    return [*rows] or [("", "It names no pretrain.")]


def _left(left: Left) -> str:
    return f"{f'{left.name[:80]} {left.rate[:20]}'.strip()}: {left.why}"


def _name_problem(text: str) -> str:
    return "" if bare_slug(text) else "Give it a name with letters or digits."


def _source_of(text: str) -> str:
    """What a person typed: an address as it is, a path from their home or this folder."""
    return text if "://" in text else str(path_of(text))
