"""Half-filled wizards, kept until they are finished or thrown away: `wizard.json` in the state folder.

One draft for each project that is being changed, by its folder, and one for a new project.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from engine import places
from engine.errors import DiskFullError
from engine.files import write_json

FILE_NAME = "wizard.json"
_NEW = "new"


@dataclass(frozen=True)
class Draft:
    """What a person answered so far, all of it as typed.

    `sources` are absolute paths, `base` a known name or an absolute folder, `values` the texts of
    settings by their key. `new_language` is the code of a language that a base need not know yet.
    `own_folder` says that the folder no longer follows the name. `step` is the step that was in
    sight.
    """

    name: str = ""
    language: str = ""
    new_language: str = ""
    folder: str = ""
    own_folder: bool = False
    sources: tuple[str, ...] = ()
    base: str = ""
    profile: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    step: int = 0


def load(folder: Path | None) -> Draft | None:
    """The draft of a project, or of a new one (None); None where there is none or it is broken."""
    entry = _read().get(_key(folder))
    return _draft(entry) if isinstance(entry, dict) else None


def save(folder: Path | None, draft: Draft) -> None:
    """Keep a draft durably. A state folder that cannot be written costs only the memory."""
    _write(_read() | {_key(folder): asdict(draft)})


def forget(folder: Path | None) -> None:
    """Throw a draft away."""
    entries = _read()
    if entries.pop(_key(folder), None) is not None:
        _write(entries)


def _key(folder: Path | None) -> str:
    return _NEW if folder is None else os.path.abspath(folder)


def _read() -> dict[str, Any]:
    try:
        entries = json.loads((places.state_dir() / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _write(entries: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError, DiskFullError):
        write_json(places.state_dir() / FILE_NAME, entries)


def _draft(entry: Mapping[str, Any]) -> Draft | None:
    """A draft from its JSON; None when a field is not what it should be."""
    found: dict[str, Any] = {}
    empty = Draft()
    for each in fields(Draft):
        value = entry.get(each.name, getattr(empty, each.name))
        if each.name == "sources":
            value = tuple(value) if isinstance(value, list) else value
        if type(value) is not type(getattr(empty, each.name)):
            return None
        found[each.name] = value
    texts = [*found["sources"], *found["values"].values()]
    return Draft(**found) if all(isinstance(text, str) for text in texts) else None
