"""How commands are told which pretrain is meant."""

from __future__ import annotations

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


def stored_called(name: str, rate: str | None = None) -> Stored:
    """The pretrain on this machine that is meant. Raises InputError, DamagedError."""
    from engine.pretrains import catalogue, store

    entry = catalogue.find(name, rate)
    if (found := store.stored().get(entry.slug)) is not None:
        return found
    if problem := store.damaged().get(entry.slug):
        raise DamagedError(problem)
    raise InputError(
        f"{clean(entry.name)} is not on this machine yet. Get it first: voicetui pretrains get "
        f"{clean(entry.slug)}"
    )
