"""How commands are told which pretrain is meant."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import DamagedError, InputError
from engine.text import clean

if TYPE_CHECKING:
    from engine.pretrains.store import Stored

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A pretrain of 'voicetui pretrains list', such as titan or titan-40k.",
        show_default=False,
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(metavar="RATE", help="32k, 40k or 48k, where a name comes at several."),
]


def rvc_called(name: str, rate: str | None = None) -> Stored:
    """The RVC pretrain on this machine that is meant. Raises InputError, DamagedError."""
    from engine.pretrains import catalogue, store
    from engine.pretrains.entry import bare_slug

    stored, damaged = store.look()
    if problem := damaged.get(bare_slug(name)):
        raise DamagedError(problem)
    entry = catalogue.find(name, rate)
    # Told before anybody fetches 2 GB for it.
    if entry.family == "xtts":
        raise InputError(
            f"{clean(entry.name)} is an XTTS base; only RVC pretrains are installed or merged. XTTS "
            f"bases are used here: 'voicetui pretrains use {clean(entry.slug)} DIR'."
        )
    if (found := stored.get(entry.slug)) is not None:
        return found
    if problem := damaged.get(entry.slug):
        raise DamagedError(problem)
    raise InputError(
        f"{clean(entry.name)} is not on this machine yet. Get it first: voicetui pretrains get "
        f"{clean(entry.slug)}"
    )


def slug_called(name: str, rate: str | None, here: Collection[str]) -> str:
    """The slug that is meant, one of those that are `here` or of the catalogue. Raises InputError."""
    from engine.pretrains import catalogue
    from engine.pretrains.entry import bare_slug, rate_label, rate_of

    slug = bare_slug(name)
    if slug in here:
        return slug
    try:
        return catalogue.find(name, rate).slug
    except InputError:
        # A damaged one that no catalogue names has nothing but its folder.
        at = rate_label(rate_of(rate)) if rate else ""
        meant = [each for each in here if each.rpartition("-")[0] == slug and each.endswith(at)]
        if len(meant) != 1:
            raise
        return meant[0]
