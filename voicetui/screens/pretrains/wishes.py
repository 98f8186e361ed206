"""What a person looks for, in words; the looking is that of `engine.pretrains.catalogue`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.languages import LANGUAGES, normal
from engine.pretrains.entry import rate_label
from engine.text import clean

if TYPE_CHECKING:
    from engine.pretrains.catalogue import Search
    from engine.pretrains.entry import Family, Kind

KINDS: dict[Kind, str] = {
    "scratch": "trained from scratch",
    "finetune": "finetunes",
    "merge": "merges",
    "unknown": "of a kind that is not told",
}
FAMILIES: dict[Family, str] = {"xtts": "for XTTS", "rvc": "for RVC"}


def new_search() -> Search:
    """The wish for nothing, which all fit."""
    from engine.pretrains.catalogue import Search

    return Search()


def words_of(wanted: Search) -> str:
    """What narrows the list, as people say it; "" for all."""
    parts = [
        rate_label(wanted.rate) if wanted.rate else "",
        KINDS[wanted.kind] if wanted.kind else "",
        {True: "here", False: "not here", None: ""}[wanted.installed],
        FAMILIES[wanted.family] if wanted.family else "",
        f"by {clean(wanted.author)}" if wanted.author else "",
        language_name(wanted.language),
        f"“{clean(wanted.text)}”" if wanted.text else "",
    ]
    return ", ".join(part for part in parts if part)


def language_name(code: str) -> str:
    """A language as people call it."""
    return clean(LANGUAGES.get(normal(code), code))
