"""The command that removes a pretrain from this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import RefusedError
from engine.text import clean
from voicetui.amounts import size
from voicetui.commands.options import shown
from voicetui.commands.pretrains.naming import Name, Rate, slug_called
from voicetui.output import show

if TYPE_CHECKING:
    from engine.pretrains.store import Stored


def remove(
    name: Name,
    rate: Rate = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking again.")] = False,
) -> None:
    """Remove a pretrain from this machine.

    Also a damaged one, and what is left of an unfinished download. Copies that were installed into
    Applio or RVC stay.
    """
    from engine.pretrains import store

    stored, damaged = store.look()
    here = {*stored, *damaged}
    slug = slug_called(name, rate, here)
    folders = store.folders_of(slug)
    freed = sum(map(_bytes_in, folders))
    if not yes:
        raise RefusedError(
            f"This removes {clean(slug)} ({size(freed)}) from {shown(folders[0].parent)}. "
            f"{_consequence(stored.get(slug))}Add --yes to remove it."
        )
    store.remove(slug)
    show(f"removed {clean(slug)}: {size(freed)} are free again")


def _consequence(stored: Stored | None) -> str:
    if stored is None:
        return ""
    if stored.entry.family == "xtts":
        return "Projects that train from it would need it again. "
    again = "" if stored.came == "fetched" else f"It was {stored.came}: no hub has it. "
    return f"{again}Copies in Applio or RVC stay. "


def _bytes_in(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
