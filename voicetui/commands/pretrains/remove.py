"""The command that removes a pretrain from this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.errors import RefusedError
from engine.text import clean
from voicetui.amounts import size
from voicetui.commands.options import shown
from voicetui.commands.pretrains.naming import Name, Rate
from voicetui.output import show


def remove(
    name: Name,
    rate: Rate = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking again.")] = False,
) -> None:
    """Remove a pretrain from this machine; copies that were installed elsewhere stay.

    Also removes a damaged one, and what is left of an unfinished download.
    """
    from engine.pretrains import catalogue, store
    from engine.pretrains.entry import bare_slug

    here = {**store.stored(), **store.damaged()}
    slug = bare_slug(name) if bare_slug(name) in here else catalogue.find(name, rate).slug
    folders = store.folders_of(slug)
    freed = sum(map(_bytes_in, folders))
    if not yes:
        raise RefusedError(
            f"This removes {clean(slug)} ({size(freed)}) from {shown(folders[0].parent)}. Projects "
            "that train from it would need it again; copies in Applio or RVC stay. Add --yes to "
            "remove it."
        )
    store.remove(slug)
    show(f"removed {clean(slug)}: {size(freed)} are free again")


def _bytes_in(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
