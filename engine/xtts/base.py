"""An XTTS base on disk: which files make one, where a known one lives, and what it is called.

Nothing here needs torch; the weights are read by `engine.xtts.load`.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from engine import places
from engine.errors import BaseModelError, DiskFullError, InputError
from engine.files import sha256_file, write_json
from engine.text import clean, did_you_mean

FAMILY = "xtts"
FILES = (
    "config.json",
    "model.pth",
    "dvae.pth",
    "mel_stats.pth",
    "speakers_xtts.pth",
    "vocab.json",
)
_KNOWN_NAME = re.compile(r"xtts-v[\d.]+")


@dataclass(frozen=True)
class KnownFile:
    """A file of a published base. `size` 0 and `sha256` "" mean that they are not known."""

    path: str
    revision: str
    size: int
    sha256: str


@dataclass(frozen=True)
class KnownBase:
    """A published base that can be fetched by name."""

    name: str
    repository: str
    licence: str
    licence_url: str
    files: tuple[KnownFile, ...]


def known() -> dict[str, KnownBase]:
    """The published bases by name, from `profiles/bases.toml`."""
    text = resources.files("profiles").joinpath("bases.toml").read_text(encoding="utf-8")
    found: dict[str, KnownBase] = {}
    for name, table in tomllib.loads(text).items():
        files = tuple(
            KnownFile(
                entry["path"],
                entry.get("revision", table["revision"]),
                int(entry.get("size", 0)),
                entry.get("sha256", ""),
            )
            for entry in table["files"]
        )
        found[name] = KnownBase(
            name,
            table["repository"],
            table["licence"],
            table["licence_url"],
            files,
        )
    return found


def portable(reference: str) -> str:
    """A base as project.toml writes it: a known name, or an absolute folder. Raises InputError."""
    names = known()
    if reference in names:
        return reference
    if _KNOWN_NAME.fullmatch(reference) and not Path(reference).exists():
        raise InputError(
            f"There is no base called {clean(reference)!r}.{did_you_mean(reference, names, 0)} "
            f"Known bases: {', '.join(names)}; any folder with the six files is one too."
        )
    folder = Path(os.path.abspath(Path(reference).expanduser()))
    check(folder)
    return str(folder)


def locate(reference: str) -> Path:
    """The folder of a base. Raises BaseModelError when a known one is not fetched yet."""
    if reference not in known():
        return Path(reference)
    folder = places.models_dir(FAMILY) / reference
    if not folder.is_dir():
        raise BaseModelError(
            f"The base {reference} is not on this machine yet. Fetch it with "
            f"'voicetui fetch {reference}', or give a folder that holds {', '.join(FILES)}."
        )
    return folder


def vocab_of(reference: str) -> Path | None:
    """The vocabulary of a base when it is on this machine."""
    if reference in known():
        path = places.models_dir(FAMILY) / reference / "vocab.json"
    else:
        path = Path(reference) / "vocab.json"
    return path if path.is_file() else None


def check(folder: Path) -> None:
    """Raise BaseModelError that lists what is missing or misnamed in a base folder."""
    if not folder.is_dir():
        raise BaseModelError(f"There is no base folder {clean(str(folder))}.")
    present = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    missing = [name for name in FILES if name not in present]
    if not missing:
        return
    spare = [name for name in present if name not in FILES]
    lines = []
    for name in missing:
        near = difflib.get_close_matches(name, spare, 1, 0.6)
        lines.append(
            f"{name} (rename {clean(near[0])}?)"
            if near
            else f"{name} (copy it from the XTTS v2 release)"
        )
    raise BaseModelError(
        f"{clean(str(folder))} is not a whole XTTS base. Missing: {'; '.join(lines)}."
    )


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the six files, remembered in the cache by size and time of change."""
    check(folder)
    stamps = {
        name: [(folder / name).stat().st_size, (folder / name).stat().st_mtime_ns] for name in FILES
    }
    key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    memory = places.cache_dir() / "bases" / f"{key}.json"
    if memory.exists():
        try:
            remembered = json.loads(memory.read_bytes())
        except ValueError:
            remembered = {}
        if remembered.get("stamps") == stamps:
            return dict(remembered["hashes"])
    hashes = {name: sha256_file(folder / name) for name in FILES}
    # Where the cache cannot be written, the next run computes them again.
    with contextlib.suppress(OSError, DiskFullError):
        write_json(memory, {"folder": str(folder), "stamps": stamps, "hashes": hashes})
    return hashes


def identity(folder: Path) -> str:
    """One hash for all that a base is: the files that training depends on."""
    hashes = file_hashes(folder)
    names = ("config.json", "model.pth", "dvae.pth", "mel_stats.pth", "vocab.json")
    return hashlib.sha256("\n".join(hashes[name] for name in names).encode()).hexdigest()
