"""Bringing a published XTTS base to this machine: from the hub, or from a folder that holds it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from engine import hub, licences, places
from engine.errors import DamagedError, InputError
from engine.fetching import assembly
from engine.fetching.copying import copy
from engine.fetching.download import Meter
from engine.fetching.transfer import PATIENT, Policy
from engine.files import require_space
from engine.hub import Check, Progress, RemoteFile
from engine.text import clean, did_you_mean
from engine.xtts import base as bases
from engine.xtts.base import FAMILY, KnownBase, KnownFile


def fetch(
    name: str,
    *,
    accept_licence: bool,
    progress: Progress = hub.ignore_progress,
    check: Check = hub.never_stop,
    policy: Policy = PATIENT,
) -> Path:
    """The folder of a published base, fetched unless it is there already; see `hub.fetch_folder`.

    Raises InputError for an unknown name, LicenceError while its licence is not accepted,
    DownloadError, DiskFullError, BusyError and RefusedError.
    """
    base, folder = _known(name), places.models_dir(FAMILY) / name
    if whole_folder(base) is not None:
        return folder
    licences.require(base.name, base.licence, base.licence_url, accept=accept_licence)
    files = [
        RemoteFile(base.repository, file.revision, file.path, file.size, file.sha256)
        for file in base.files
    ]
    return hub.fetch_folder(files, folder, progress=progress, check=check, policy=policy)


def import_folder(
    name: str,
    source: Path,
    *,
    progress: Progress = hub.ignore_progress,
    check: Check = hub.never_stop,
) -> Path:
    """Copy a published base from a local folder, for a machine that cannot reach the hub.

    Its six files are checked against the known hashes where there are any. Raises InputError,
    BaseModelError when files are missing, DamagedError when one is not the published one,
    DiskFullError, BusyError and RefusedError.
    """
    base, folder = _known(name), places.models_dir(FAMILY) / name
    if whole_folder(base) is not None:
        return folder
    bases.check(source)
    total = sum((source / file.path).stat().st_size for file in base.files)
    require_space(folder.parent, total, f"The base {name}")
    meter = Meter(progress, total)
    with assembly.assemble(folder) as parts:
        for file in base.files:
            path = source / file.path
            accept = partial(_require_published, file=file, source=path)
            sha256 = copy(path, parts.path_of(file.path), meter, check, accept)
            size = parts.path_of(file.path).stat().st_size
            entry = assembly.Entry(base.repository, file.revision, "", size, sha256)
            parts.add(file.path, entry)
            meter.close_file(size)
        parts.commit([file.path for file in base.files])
    return folder


def _require_published(sha256: str, file: KnownFile, source: Path) -> None:
    if file.sha256 not in ("", sha256):
        raise DamagedError(
            f"{clean(str(source))} is not the published {file.path}: its SHA-256 is {sha256}, "
            f"expected {file.sha256}. Copy it again from the release, or use the folder itself "
            "as the base."
        )


def _known(name: str) -> KnownBase:
    published = bases.known()
    if name not in published:
        hint = did_you_mean(name, published)
        raise InputError(
            f"There is no published base called {clean(name)!r}.{hint} "
            f"Published bases: {', '.join(published)}."
        )
    return published[name]


def whole_folder(base: KnownBase) -> Path | None:
    """The folder of a published base if all files are there, in their known or recorded sizes."""
    folder = places.models_dir(FAMILY) / base.name
    recorded = assembly.read(folder)
    for file in base.files:
        path = folder / file.path
        size = file.size or (recorded[file.path].size if file.path in recorded else 0)
        if not path.is_file() or (size and path.stat().st_size != size):
            return None
    return folder
