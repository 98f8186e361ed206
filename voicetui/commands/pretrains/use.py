"""The command that makes a pretrain the base of a project."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from engine.errors import InputError
from engine.text import clean
from voicetui.commands.options import ProjectDir, project_with, shown
from voicetui.commands.pretrains.naming import Name
from voicetui.output import show


def use(
    name: Name,
    folder: ProjectDir,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also when a run was trained from the present base."),
    ] = False,
) -> None:
    """Make a pretrain the base that a project trains from.

    XTTS bases only: RVC pretrains are for Applio and RVC, see 'voicetui pretrains install'.
    """
    from engine.overview import overview
    from engine.pretrains import catalogue
    from engine.pretrains import use as using
    from engine.xtts import base as bases

    if os.path.isdir(name) and not folder.exists():
        raise InputError(
            f"{clean(name)} is a folder. The pretrain's name comes first: voicetui pretrains use "
            "NAME DIR."
        )
    project, entry = project_with(folder), catalogue.find(name)
    fresh = " --fresh" if using.costs(entry, project) else ""
    made = using.use(project, entry, force=force)
    show(f"{clean(made.name)} trains from {clean(made.base)} now.")
    if bases.vocab_of(made.base_reference) is None:
        show(f"It is not on this machine yet: voicetui pretrains get {clean(made.base)}")
    elif overview(folder).clips:
        show(f"next: voicetui train {shown(folder)}{fresh}")
    else:
        show(f"next: voicetui prepare {shown(folder)}")
