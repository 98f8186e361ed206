"""The command that looks whether this machine is fit for the work."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InputError
from engine.text import clean
from voicetui import exit_codes
from voicetui.checkup import lines_of, summary
from voicetui.commands.options import Json
from voicetui.output import show, show_json, tell

if TYPE_CHECKING:
    from engine.doctor import Check

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR",
        help="Folder of a voice project, or where one is to be: its disk is checked too.",
        show_default=False,
    ),
]


def doctor(folder: Folder = None, as_json: Json = False) -> None:
    """Check this machine: GPU, memory, disk, terminal, models, hub, packages.

    Each line is ok, a warning or a failure, with what to do. The exit code is 1 after a failure.
    The last checks load torch and take up to a minute.
    """
    from engine.doctor import checks
    from voicetui.terminal_facts import terminal_facts

    if folder is not None and folder.exists() and not folder.is_dir():
        raise InputError(f"{clean(str(folder))} is a file. Give the folder of a project.")
    found: list[Check] = []
    try:
        for check in checks(folder, terminal_facts()):
            for line in [] if as_json else lines_of(check, found[-1].group if found else ""):
                show(line)
            found.append(check)
    except KeyboardInterrupt:
        tell("left before all was checked")
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    counts = Counter(check.level for check in found)
    if as_json:
        show_json({"checks": [asdict(check) for check in found], "levels": dict(counts)})
    else:
        show("")
        show(summary(counts))
    raise typer.Exit(exit_codes.FAILED if counts["failure"] else exit_codes.DONE)
