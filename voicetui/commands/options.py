"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.project import Project
    from engine.settings import Value

ProjectDir = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the voice project.", show_default=False)
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting for this time only; 'voicetui settings' lists them.",
        show_default=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Put events or a result as JSON on stdout, the rest on stderr."),
]
Plain = Annotated[
    bool,
    typer.Option("--plain", "--headless", help="Plain lines; never open the console."),
]
Checkpoint = Annotated[
    str,
    typer.Option(metavar="WHICH", help="Which checkpoint: best, last or the number of a step."),
]


def values_of(pairs: list[str] | None) -> Mapping[str, Value]:
    """The settings given with --set. Raises SettingError."""
    from engine import settings

    return settings.parse_assignments(pairs or [])


def project_with(folder: Path, pairs: list[str] | None = None) -> Project:
    """The project in a folder with the settings given with --set. Raises InputError."""
    from engine import project

    values = values_of(pairs)
    return project.load(folder).with_values(values)
