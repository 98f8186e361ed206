"""Which licences were accepted on this machine: `licences.json` in the state folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from engine import places
from engine.errors import DamagedError, LicenceError
from engine.files import write_json
from engine.text import clean

FILE_NAME = "licences.json"


def is_accepted(name: str, licence: str) -> bool:
    """Whether this licence of a model was accepted. Raises DamagedError."""
    entry = _read(_path()).get(name)
    return entry is not None and entry.get("licence") == licence


def require(name: str, licence: str, url: str, *, accept: bool) -> None:
    """Pass when the licence of a model is accepted, and record it durably when that happens now.

    Raises LicenceError, which shows the licence and how to accept it, or DamagedError.
    """
    if is_accepted(name, licence):
        return
    if not accept:
        raise LicenceError(
            f"{clean(name)} comes under the {clean(licence)}: {clean(url)}. Read it, and if you "
            "accept it, run the command again with --accept-licence."
        )
    accepted = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {"licence": licence, "url": url, "accepted": accepted}
    write_json(_path(), _read(_path()) | {name: entry})


def _path() -> Path:
    return places.state_dir() / FILE_NAME


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        entries = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        entries = None
    if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
        raise DamagedError(
            f"{clean(str(path))} cannot be read. Remove it, and accept the licences again."
        )
    return entries
