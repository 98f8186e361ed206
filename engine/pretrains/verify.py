"""Whether a stored pretrain still is what it was when it came, and what its author has done since."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine import hub
from engine.errors import DownloadError
from engine.fetching import assembly
from engine.fetching.download import Meter
from engine.fetching.transfer import PATIENT, Policy
from engine.files import sha256_file
from engine.hub import Check, Progress, RemoteFile
from engine.pretrains import catalogue
from engine.pretrains.store import Stored
from engine.text import clean

Level = Literal["fine", "note", "wrong"]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAIN = "main"


@dataclass(frozen=True)
class Finding:
    """One thing that was seen, and what to do about it, "" for nothing."""

    level: Level
    seen: str
    remedy: str = ""


@dataclass(frozen=True)
class _Expected:
    """A file that must be there as it was. `sha256` "" means that only its size is on record."""

    path: str
    size: int
    sha256: str


def verify(
    stored: Stored,
    *,
    online: bool = False,
    progress: Progress = hub.ignore_progress,
    check: Check = hub.never_stop,
    policy: Policy = PATIENT,
) -> tuple[Finding, ...]:
    """Compare the files of a pretrain with its record and with the catalogue.

    With `online`, also what its author published since; nothing is ever replaced. `progress` gets
    bytes read and bytes in all. Raises StopRequested by way of `check`.
    """
    expected = tuple(_expected(stored))
    meter = Meter(progress, sum(file.size for file in expected))
    findings = [_compare(stored, file, meter, check) for file in expected]
    findings += _against_catalogue(stored, expected)
    if online:
        findings += _upstream(stored, expected, check, policy)
    return tuple(findings)


def worst(findings: Sequence[Finding]) -> Level:
    """The gravest level; what is "wrong" must not be used as it is."""
    levels = {finding.level for finding in findings}
    grave: tuple[Level, ...] = ("wrong", "note")
    return next((level for level in grave if level in levels), "fine")


def _expected(stored: Stored) -> Iterator[_Expected]:
    for file in stored.files:
        yield _Expected(file.path, file.size, file.sha256)
        if file.tensors != file.path:
            yield _Expected(file.tensors, file.tensors_size, file.tensors_sha256)
    if stored.entry.family == "xtts":
        came = assembly.read(stored.folder)
        for known in stored.entry.files:
            recorded = came.get(known.path)
            size = recorded.size if recorded else known.size
            sha256 = recorded.sha256 if recorded else known.sha256
            yield _Expected(known.path, size, sha256)


def _compare(stored: Stored, file: _Expected, meter: Meter, check: Check) -> Finding:
    path = stored.folder / file.path
    name, again = clean(file.path), _get_again(stored)
    if not path.is_file():
        return Finding("wrong", f"{name} is missing", again)
    size = path.stat().st_size
    if file.size and size != file.size:
        return Finding("wrong", f"{name} has {size:,} bytes, its record says {file.size:,}", again)
    found = sha256_file(path, meter.counter(check))
    meter.close_file(size)
    if not file.sha256:
        return Finding("note", f"{name} has no hash on record; it is {found} now")
    if found != file.sha256:
        seen = f"{name} has changed: its SHA-256 is {found}, its record says {file.sha256}"
        return Finding("wrong", seen, again)
    return Finding("fine", f"{name} is as it came")


def _get_again(stored: Stored) -> str:
    slug = clean(stored.entry.slug)
    return f"Do not train from it: 'voicetui pretrains remove {slug} --yes', then get it again."


def _against_catalogue(stored: Stored, expected: Sequence[_Expected]) -> Iterator[Finding]:
    slug = stored.entry.slug
    known = next((entry for entry in catalogue.entries() if entry.slug == slug), None)
    if known is None or known.origin == "made":
        return
    pinned = [file for file in known.files if file.sha256]
    here = {file.sha256 for file in expected}
    if other := [file.path for file in pinned if file.sha256 not in here]:
        seen = f"the catalogue names other bytes for {clean(', '.join(other))}"
        yield Finding("wrong", seen, _get_again(stored))
    elif pinned:
        yield Finding("fine", "its files are those that the catalogue names")


def _upstream(
    stored: Stored, expected: Sequence[_Expected], check: Check, policy: Policy
) -> Iterator[Finding]:
    entry = stored.entry
    if stored.came != "fetched":
        yield Finding("note", "it did not come from a hub, so there is nothing to compare it with")
        return
    if hub.is_offline():
        yield Finding("note", "HF_HUB_OFFLINE forbids to ask the hub", "Unset it to ask.")
        return
    for revision in dict.fromkeys((entry.revision or _MAIN, _MAIN)):
        try:
            listed = hub.list_files(entry.repository, revision, check=check, policy=policy)
        except DownloadError as error:
            yield Finding("note", f"the hub could not be asked: {clean(str(error))}")
        else:
            yield _compare_upstream(stored, expected, revision, listed)


def _compare_upstream(
    stored: Stored, expected: Sequence[_Expected], revision: str, listed: Sequence[RemoteFile]
) -> Finding:
    """What a revision means now, against what came."""
    now = {file.path: file for file in listed}
    names = {file.path for file in (stored.files or stored.entry.files)}
    changed = [
        file.path
        for file in expected
        if file.path in names and not _is_same(file, now.get(file.path))
    ]
    where = clean(f"{stored.entry.repository} at {revision}")
    if not changed:
        commit = listed[0].revision
        moved = f", in commit {clean(commit)}" if commit != stored.commit else ""
        return Finding("fine", f"{where} still has the same files{moved}")
    files = clean(", ".join(changed))
    if _COMMIT.fullmatch(revision):
        return Finding(
            "note",
            f"{where} has other bytes for {files}, and a commit never changes",
            "Do not fetch from this hub or mirror; what is here is as it came.",
        )
    return Finding(
        "note",
        f"{where} changed: other bytes for {files}",
        "What is here is as it came. For the new version, remove it and get it again; a version "
        "that the catalogue pins stays the same.",
    )


def _is_same(file: _Expected, now: RemoteFile | None) -> bool:
    if now is None:
        return False
    return file.sha256 == now.sha256 if now.sha256 else file.size == now.size
