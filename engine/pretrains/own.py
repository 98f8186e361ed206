"""A person's own pretrains: `pretrains.toml` in the folder of settings.

It adds to our catalogue and changes it field by field, for each name and rate. While it cannot be
read, what fetches or changes something refuses to work, because the file may say where an entry of
ours is to come from; what only shows entries shows ours, and tells what is wrong with the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import places
from engine.errors import InputError, RefusedError, SettingError
from engine.files import write_text
from engine.pretrains import tables
from engine.pretrains.entry import Entry, bare_slug, rate_label
from engine.pretrains.tables import Table
from engine.text import clean

FILE_NAME = "pretrains.toml"
_HEADER = """\
# Your own pretrains, in addition to those that 'voicetui pretrains list' knows. A table of a name
# that is known already changes the fields that it gives.
"""


def path() -> Path:
    """Where the file is, or would be."""
    return places.config_dir() / FILE_NAME


def load() -> dict[str, Table]:
    """The tables of the file by the slugs of their names; none without a file.

    Raises SettingError, which names the file and the remedy.
    """
    return _parse(_text())


def add(entries: Sequence[Entry]) -> Path:
    """Write entries at the end of the file, durably; what stands there stays as it is.

    Raises SettingError when the file cannot be read, InputError when it is written in a way that
    nothing can be added to, RefusedError when it has one of them already, DiskFullError.
    """
    import tomli_w

    text = _text()
    there = _parse(text)
    document: dict[str, dict[str, Any]] = {}
    for entry in entries:
        slug = bare_slug(entry.name)
        known = there.get(slug)
        name, label = known.name if known else entry.name, rate_label(entry.rate)
        if label in document.get(name, {}) or (known and entry.rate in known.rates):
            raise RefusedError(
                f"{clean(str(path()))} has {clean(entry.name)} at {label} already. Remove it there "
                "first to have it replaced."
            )
        document.setdefault(name, {})[label] = tables.fields_of(entry)
    if document:
        begun = f"{text.rstrip()}\n" if text.strip() else _HEADER
        whole = f"{begun}\n{tomli_w.dumps(document)}"
        # Nothing is written that the next command could not read.
        try:
            _parse(whole)
        except SettingError as error:
            raise InputError(
                f"Nothing can be added to {clean(str(path()))}: it holds one of the names as "
                "name.rate = …, not as a table of its own such as [Name.40k]. Write it so."
            ) from error
        write_text(path(), whole)
    return path()


def _text() -> str:
    try:
        return path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise _unreadable(reason or type(error).__name__) from error


def _parse(text: str) -> dict[str, Table]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"not valid TOML: {error}") from error
    return tables.parse(document, clean(str(path())))


def _unreadable(reason: str) -> SettingError:
    return SettingError(
        f"{clean(str(path()))} cannot be read ({clean(reason)}). Mend it, or move it away to work "
        "without pretrains of your own."
    )
