"""Taking a pretrain as the base of a project, and why it cannot be."""

from __future__ import annotations

import os

from engine import languages, lock
from engine import project as projects
from engine.errors import InputError, RefusedError
from engine.pretrains.entry import Entry
from engine.pretrains.store import folder_of
from engine.project import Project
from engine.text import clean
from engine.training import runs
from engine.xtts import base as bases
from engine.xtts import own_base

KIND = "use"
_RVC = (
    "An RVC pretrain is a start for training in Applio or RVC, not for an XTTS voice. Training RVC "
    "here comes later; until then it can be fetched, judged, merged and installed for those two."
)


def fits(entry: Entry, project: Project) -> str:
    """Why an entry cannot be the base of a project, or ""; what it costs is told by `costs`."""
    if entry.family == "rvc":
        return _RVC
    reference = reference_of(entry)
    if reference not in bases.known() and not os.path.isdir(reference):
        return f"{clean(entry.name)} is not on this machine yet. Get it first."
    if not project.new_language and not _speaks(entry, project.language):
        named = clean(languages.LANGUAGES.get(project.language, project.language))
        return (
            f"{clean(entry.name)} does not know {named}, the language of {clean(project.name)}. "
            "Take a base that does."
        )
    return ""


def _speaks(entry: Entry, language: str) -> bool:
    """By its vocabulary where that is here, else by what the catalogue says."""
    vocab = bases.vocab_of(reference_of(entry))
    if vocab is not None:
        return languages.has_tag(vocab, language)
    return language in (entry.languages or languages.LANGUAGES)


def reference_of(entry: Entry) -> str:
    """An XTTS entry as a project names its base: a known name, or an absolute folder."""
    known = bases.known()
    return next((name for name in (entry.name, entry.slug) if name in known), str(folder_of(entry)))


def is_used(entry: Entry, project: Project) -> bool:
    """Whether it is the base of a project already."""
    return entry.family == "xtts" and reference_of(entry) == project.base_reference


def costs(entry: Entry, project: Project) -> str:
    """What a project loses with its present base, or "" when that is nothing."""
    if is_used(entry, project):
        return ""
    old = clean(project.base)
    run = runs.latest_with_checkpoints(project)
    if run is not None:
        return (
            f"Run {clean(run.name)} was trained from {old}: without it, it cannot go on, and its "
            f"checkpoints neither speak nor export. Export it first; a base that is set back to "
            f"{old} brings them back."
        )
    if project.base == own_base.FOLDER:
        return (
            f"{clean(project.name)} has a base of its own with more words than others know. It "
            f"stays in {own_base.FOLDER}/; set base in project.toml back to it to have it again."
        )
    return ""


def use(project: Project, entry: Entry, *, force: bool = False) -> Project:
    """The project on another base, written to its project.toml.

    `force` accepts what that costs. Raises InputError when the entry does not fit, RefusedError
    when it costs something, BusyError while a job works on the project.
    """
    with lock.hold(project.folder, KIND):
        present = projects.load(project.folder)
        if why_not := fits(entry, present):
            raise InputError(why_not)
        if is_used(entry, present):
            return present
        told = costs(entry, present)
        if told and not force:
            raise RefusedError(f"{told} To change the base all the same, add --force.")
        made = projects.with_base(present, bases.portable(reference_of(entry)))
        made.save()
        return made
