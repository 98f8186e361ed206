"""Bringing a published XTTS base to this machine: from the hub, or from a folder that holds it."""

from __future__ import annotations

from pathlib import Path

from engine import hub, licences, places
from engine.errors import DamagedError, InputError
from engine.fetching import assembly, partial
from engine.fetching.download import Meter
from engine.fetching.transfer import PATIENT, Policy
from engine.files import require_space, sha256_file
from engine.hub import Check, Progress, RemoteFile
from engine.text import clean, did_you_mean
from engine.xtts import base as bases
from engine.xtts.base import FAMILY, KnownBase, KnownFile

_COPIED_AT_ONCE = 1 << 22


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
    if _is_whole(base, folder):
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
    if _is_whole(base, folder):
        return folder
    bases.check(source)
    total = sum((source / file.path).stat().st_size for file in base.files)
    require_space(folder.parent, total, f"The base {name}")
    meter = Meter(progress, total)
    with assembly.assemble(folder) as parts:
        for file in base.files:
            sha256 = _copy(source / file.path, parts.path_of(file.path), file, meter, check)
            size = parts.path_of(file.path).stat().st_size
            entry = assembly.Entry(base.repository, file.revision, "", size, sha256)
            parts.add(file.path, entry)
            meter.close_file(size)
        parts.commit([file.path for file in base.files])
    return folder


def _copy(source: Path, target: Path, file: KnownFile, meter: Meter, check: Check) -> str:
    """Copy a file that must be the published one. Returns its SHA-256."""
    with partial.hold(target) as part, source.open("rb", buffering=0) as handle:
        part.begin("", None)
        while piece := handle.read(_COPIED_AT_ONCE):
            part.write(piece)
            meter.show(part.length)
            check()
        # The copy is what will be used, so the copy is what is checked.
        sha256 = sha256_file(part.path, lambda _: check())
        if file.sha256 not in ("", sha256):
            part.discard()
            raise DamagedError(
                f"{clean(str(source))} is not the published {file.path}: its SHA-256 is {sha256}, "
                f"expected {file.sha256}. Copy it again from the release, or use the folder itself "
                "as the base."
            )
        part.commit()
        return sha256


def _known(name: str) -> KnownBase:
    published = bases.known()
    if name not in published:
        hint = did_you_mean(name, published)
        raise InputError(
            f"There is no published base called {clean(name)!r}.{hint} "
            f"Published bases: {', '.join(published)}."
        )
    return published[name]


def _is_whole(base: KnownBase, folder: Path) -> bool:
    """Whether all files are there, in their known sizes or else in those that were recorded."""
    recorded = assembly.read(folder)
    for file in base.files:
        path = folder / file.path
        size = file.size or (recorded[file.path].size if file.path in recorded else 0)
        if not path.is_file() or (size and path.stat().st_size != size):
            return False
    return True
