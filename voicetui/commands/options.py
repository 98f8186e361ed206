"""Arguments and options that several commands share."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.text import clean

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


Mouse = Annotated[
    bool,
    typer.Option("--mouse", help="Let the console use the mouse; it needs none."),
]


def wants_console(*, plain: bool = False, as_json: bool = False) -> bool:
    """Whether the console opens: on a terminal, unless plain lines or JSON are asked for."""
    streams = (sys.stdin, sys.stdout)
    has_terminal = all(stream is not None and stream.isatty() for stream in streams)
    return has_terminal and not plain and not as_json and os.environ.get("TERM") != "dumb"


def shown(path: Path) -> str:
    """A path as a shell takes it, safe to show."""
    return clean(shlex.quote(str(path)))


def values_of(pairs: list[str] | None) -> Mapping[str, Value]:
    """The settings given with --set. Raises SettingError."""
    from engine import settings

    return settings.parse_assignments(pairs or [])


def project_with(folder: Path, pairs: list[str] | None = None) -> Project:
    """The project in a folder with the settings given with --set. Raises InputError."""
    from engine import project

    values = values_of(pairs)
    return project.load(folder).with_values(values)
