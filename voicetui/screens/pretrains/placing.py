"""The keys that do something with a pretrain that is here: install, merge, use, copy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import VoicetuiError
from engine.pretrains.entry import bare_slug, rate_label
from engine.project import Project
from engine.text import clean
from voicetui import listening
from voicetui.screens import flow
from voicetui.screens.dialogs import Choice, Choose, Prompt
from voicetui.screens.pick import Pick, Pickable
from voicetui.screens.pretrains.bringing import BringKeys
from voicetui.screens.pretrains.details import page_of
from voicetui.screens.pretrains.install_dialog import InstallDialog, name_of
from voicetui.screens.pretrains.merge_dialog import MergeDialog, Recipe
from voicetui.screens.pretrains.shelf import Item
from voicetui.tasks import Check, Progress
from voicetui.typed import short

if TYPE_CHECKING:
    from engine.pretrains.install import Plan
    from engine.pretrains.installations import Installation
    from engine.pretrains.store import Stored


class PlacingKeys(BringKeys):
    """Questions, and then work behind the screens."""

    # --- into Applio and RVC ----------------------------------------------------------------------

    def action_install(self) -> None:
        item = self.chosen
        if item is not None and item.stored is not None:
            self.app.push_screen(
                InstallDialog(item.title, item.stored), lambda plan: self._install(item, plan)
            )

    def _install(self, item: Item, plan: Plan | None) -> None:
        if plan is None:
            return
        if not plan.missing:
            self._installed(item, plan)
            return

        def work(progress: Progress, check: Check) -> tuple[Path, ...]:
            from engine.pretrains import install

            return install.install(plan, progress=progress, check=check)

        self.chore(item.slug, item.title, "installing", work, lambda _: self._installed(item, plan))

    def _installed(self, item: Item, plan: Plan) -> None:
        tool = plan.installation.title
        self.report(f"{item.title} is in {tool}.", "good")
        if self.is_awaited:
            steps = [f"{number}. {step}" for number, step in enumerate(plan.next_steps, 1)]
            warnings = [f"! {warning}" for warning in plan.warnings]
            told = [f"It is in {short(plan.installation.folder)}.", "", *steps, *warnings]
            told += ["", "O takes it out again."]
            self.console.tell(f"{item.title} is in {tool}: what to do there", "\n".join(told))

    def action_uninstall(self) -> None:
        if (item := self.chosen) is not None:
            flow.begin(self.console, "taking it out", self._uninstall(item))

    async def _uninstall(self, item: Item) -> None:
        places = {str(each.folder): each for each in item.installed}
        folder: str | None = next(iter(places), None)
        if len(places) > 1:
            things = [Pickable(path, _place(each, places)) for path, each in places.items()]
            folder = await flow.ask(self.console, Pick(f"Take {item.title} out of …", things))
        if folder is None:
            return
        place = places[folder]
        question = Choose(
            f"Take {item.title} out of {place.title}?",
            f"Its two files in {clean(short(folder))} are removed. It stays on this machine, in "
            "the store of this console.",
            [Choice("x", "take it out"), Choice("q", "leave it there")],
        )
        if await flow.ask(self.console, question) != "x":
            return
        try:
            await asyncio.to_thread(_uninstall, item.slug, place)
        except (VoicetuiError, OSError) as error:
            self.console.tell("It was not taken out", str(error))
            return
        self.report(f"{item.title} is out of {place.title}.", "good")
        if self.is_attached:
            self.reload()

    # --- merging ----------------------------------------------------------------------------------

    def action_merge(self) -> None:
        if (item := self.chosen) is not None:
            flow.begin(self.console, "merging", self._merge(item))

    async def _merge(self, item: Item) -> None:
        from engine.pretrains.merge import WARNING

        others = [each for each in self.mergeable if each.slug != item.slug]
        recipe = await flow.ask(self.console, MergeDialog(item, others, WARNING))
        if recipe is None:
            return
        name = await flow.ask(
            self.console,
            Prompt(
                "What shall the merge be called?",
                recipe.in_words,
                value=" x ".join(clean(each.entry.name) for each in recipe.items),
                check=lambda text: self._name_problem(text, item),
            ),
        )
        if name is not None:
            self._begin_merge(item, name.strip(), recipe)

    @property
    def mergeable(self) -> list[Item]:
        """The pairs that are here."""
        return [
            item
            for item in self.shelf.items
            if item.stored is not None and item.entry.family == "rvc" and not item.damage
        ]

    def _name_problem(self, text: str, item: Item) -> str:
        slug = bare_slug(text)
        if not slug:
            return "Give it a name with letters or digits."
        if f"{slug}-{rate_label(item.entry.rate)}" in self.shelf.by_slug:
            return "There is a pretrain of that name already."
        return ""

    def _begin_merge(self, item: Item, name: str, recipe: Recipe) -> None:
        def work(progress: Progress, check: Check) -> Stored:
            from engine.pretrains.merge import Part, merge

            chosen = [Part(part.stored, weight) for part, weight in recipe.parts if part.stored]
            base = recipe.base.stored if recipe.base is not None else None
            return merge(name, chosen, difference=base, progress=progress, check=check)

        def merged(stored: Stored) -> None:
            self.report(f"{clean(stored.entry.name)} is made, and here.", "good")
            self.wish_for(stored.entry.slug)

        self.chore(item.slug, item.title, "merging", work, lambda task: merged(task.result))

    # --- away from this machine -------------------------------------------------------------------

    def action_remove(self) -> None:
        if (item := self.chosen) is not None:
            flow.begin(self.console, "removing", self._remove(item))

    async def _remove(self, item: Item) -> None:
        again = "It can be fetched again." if item.entry.repository else "Nothing brings it back."
        base = " The project trains from it." if item.is_base else ""
        tools = " What was installed from it stays where it is." if item.installed else ""
        question = Choose(
            f"Remove {item.title} from this machine?",
            f"{again}{base}{tools}",
            [Choice("x", "remove its files"), Choice("q", "keep them")],
        )
        if await flow.ask(self.console, question) != "x":
            return
        try:
            await asyncio.to_thread(_remove, item.slug)
        except (VoicetuiError, OSError) as error:
            self.console.tell("It was not removed", str(error))
            return
        self.report(f"{item.title} is off this machine.")
        if self.is_attached:
            self.reload()

    # --- for a project ----------------------------------------------------------------------------

    def action_use(self) -> None:
        if (item := self.chosen) is not None:
            flow.begin(self.console, "changing the base", self._use(item))

    async def _use(self, item: Item) -> None:
        project = self.shelf.project or await self._choose_project()
        if project is None:
            return
        told = await asyncio.to_thread(_judged, item, project)
        if told.why_not:
            self.console.tell(f"{item.title} does not fit {clean(project.name)}", told.why_not)
            return
        if told.costs:
            question = Choose(
                f"Train {clean(project.name)} from {item.title}?",
                told.costs,
                [Choice("c", "change the base all the same"), Choice("q", "keep the present one")],
            )
            if await flow.ask(self.console, question) != "c":
                return
        try:
            made = await asyncio.to_thread(_use, item, project)
        except (VoicetuiError, OSError) as error:
            self.console.tell("The base was not changed", str(error))
            return
        here = "" if item.stored is not None else " It is not here yet: f fetches it."
        self.report(f"{clean(made.name)} trains from {item.title} now.{here}", "good")
        if self.is_attached:
            self.show_project(made.folder)

    async def _choose_project(self) -> Project | None:
        projects = await asyncio.to_thread(_recent_projects)
        if not projects:
            self.console.tell("No project yet", "F3 leads to the list of projects; n makes one.")
            return None
        things = [
            Pickable(str(folder), clean(each.name), clean(f"{each.language}, {each.base}"))
            for folder, each in projects.items()
        ]
        folder = await flow.ask(self.console, Pick("For which project?", things))
        return projects[Path(folder)] if folder is not None else None

    # --- copying ----------------------------------------------------------------------------------

    def action_page(self) -> None:
        if (item := self.chosen) is not None and (page := page_of(item.entry)):
            self.say_copied(listening.copy(self.console, page))

    def action_copy(self) -> None:
        if (item := self.chosen) is not None and item.stored is not None:
            self.say_copied(listening.copy(self.console, str(item.stored.folder)))


class _Judged:
    """Whether a pretrain can be the base of a project, and what that costs."""

    def __init__(self, why_not: str, costs: str) -> None:
        self.why_not = why_not
        self.costs = costs


def _judged(item: Item, project: Project) -> _Judged:
    from engine.pretrains import use

    return _Judged(use.fits(item.entry, project), use.costs(item.entry, project))


def _use(item: Item, project: Project) -> Project:
    from engine.pretrains import use

    # What it costs was told and accepted.
    return use.use(project, item.entry, force=True)


def _place(tool: Installation, others: Mapping[str, Installation]) -> str:
    # One Applio may have been given it in its old place and in its new one.
    is_alone = [each.root for each in others.values()].count(tool.root) == 1
    return name_of(tool.title, tool.root if is_alone else tool.folder)


def _uninstall(slug: str, place: Installation) -> None:
    from engine.pretrains import install

    install.uninstall(slug, place)


def _remove(slug: str) -> None:
    from engine.pretrains import store

    store.remove(slug)


def _recent_projects() -> dict[Path, Project]:
    from engine import project, recent

    found = {}
    for folder in recent.folders():
        try:
            found[folder] = project.load(folder)
        except (VoicetuiError, OSError):
            # The list of projects says what is wrong with it.
            continue
    return found
