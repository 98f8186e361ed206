"""What the wizard changes in an existing project, and what comes after it is saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine import languages
from engine.languages import LANGUAGES
from engine.project import Project
from engine.settings import SETTINGS
from engine.text import clean
from voicetui.drafts import Draft
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.wizard import plan
from voicetui.typed import short

if TYPE_CHECKING:
    from engine.overview import NextStep

_UNPREPARED = ("sources", "prepare")
_LATER = Choice("q", "later; the list of projects has it")


def changes(before: Project, draft: Draft) -> list[str]:
    """What becomes otherwise, old and new."""
    then = plan.draft_of(before)
    was, now = plan.all_settings(then), plan.all_settings(draft)
    pairs = [
        ("name", then.name, draft.name.strip()),
        ("language", _language(then), _language(draft)),
        ("base", short(then.base), short(draft.base)),
        ("profile", then.profile, draft.profile),
    ]
    pairs += [
        (key, plan.typed(plan.value_in(was, key)), plan.typed(plan.value_in(now, key)))
        for key in SETTINGS
    ]
    told = [
        f"{name}: {clean(old) or '(none)'} → {clean(new) or '(none)'}"
        for name, old, new in pairs
        if old != new
    ]
    return told + _recordings(then, draft)


def _language(draft: Draft) -> str:
    code = languages.normal(draft.language)
    return LANGUAGES.get(code, code)


def _recordings(then: Draft, now: Draft) -> list[str]:
    added = [source for source in now.sources if source not in then.sources]
    gone = [source for source in then.sources if source not in now.sources]
    return [
        f"recordings: {what} {', '.join(clean(Path(source).name) for source in sources)}"
        for what, sources in (("added", added), ("removed", gone))
        if sources
    ]


def changes_clips(before: Project, made: Project) -> bool:
    """Whether a preparation would make other clips than before."""
    return (
        made.source_paths != before.source_paths
        or made.language != before.language
        or made.settings.dataset != before.settings.dataset
    )


def closing(made: Project, before: Project | None, next_step: NextStep) -> Choose:
    """Tells that a project is written and asks what comes next: "p" prepare it, "t" train it."""
    where = f"It stands in {clean(short(made.folder.absolute()))}."
    choices = [_LATER]
    has_clips = before is not None and next_step not in _UNPREPARED
    if before is not None and has_clips and not changes_clips(before, made):
        where += " Its clips stay as they are."
        choices.insert(0, Choice("t", "go to its training"))
    elif made.sources:
        what = "cut the recordings into clips with their texts"
        choices.insert(0, Choice("p", f"prepare it now: {what}"))
    else:
        where += " It has no recordings yet: add them later (e in the list of projects)."
    told = "is made" if before is None else "is saved"
    return Choose(f"{clean(made.name)} {told}", where, choices)
