"""Lists of pretrains in the form that Applio publishes, as entries of our own.

    {name: {"32k" | "32000": {"G": link, "D": link}}}

A link is "owner/repository/resolve/<revision>/<path>", with or without "https://huggingface.co/" in
front, or "null". Such a list tells no size and no hash. It comes from outside: what does not lead
to plain files at the hub is refused, name by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from engine.errors import DownloadError, InputError, SettingError
from engine.fetching import document
from engine.fetching.transfer import PATIENT, Policy
from engine.hub import Check, is_offline, never_stop
from engine.pretrains import tables
from engine.pretrains.entry import Entry, bare_slug, rate_label, rate_of
from engine.text import clean

# Where Applio publishes its own.
PUBLISHED = "https://huggingface.co/IAHispano/Applio/raw/main/pretrains.json"
_LARGEST = 1_000_000
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LINK = re.compile(
    r"(?:https://huggingface\.co/)?"
    r"(?P<repository>[^/?#]+/[^/?#]+)/(?:resolve|blob|raw)/(?P<revision>[^/?#]+)/(?P<path>[^?#]+)"
    r"(?:[?#].*)?",
    re.DOTALL,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NEWEST = "main"


@dataclass(frozen=True)
class Left:
    """An entry of a list that was not taken: its name and rate as the list has them, and why."""

    name: str
    rate: str
    why: str


@dataclass(frozen=True)
class Offer:
    """What a list offers: entries that are new, that are known already, and that are refused."""

    new: tuple[Entry, ...]
    known: tuple[Left, ...]
    refused: tuple[Left, ...]


class _Refused(Exception):
    """An entry that is not taken; the text says why."""


def fetch(source: str, *, check: Check = never_stop, policy: Policy = PATIENT) -> bytes:
    """The bytes of a list: a file, or an https:// address. Raises InputError, DownloadError."""
    if _ADDRESS.match(source):
        if is_offline():
            raise DownloadError(
                "HF_HUB_OFFLINE forbids the network. Unset it, or give a file that was saved before."
            )
        return document.read(source, most=_LARGEST, check=check, policy=policy)
    path = Path(source)
    try:
        # One byte more tells that it is too large, whatever kind of file it is.
        with path.open("rb") as handle:
            data = handle.read(_LARGEST + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"{clean(source)} cannot be read: {clean(reason)}. Give a file, or an address that "
            "begins with https://."
        ) from error
    if len(data) > _LARGEST:
        raise InputError(
            f"{clean(source)} is larger than {_LARGEST / 1e6:g} MB: it is no list of pretrains."
        )
    return data


def read(data: bytes, known: Collection[Entry]) -> Offer:
    """What a list offers beside the known entries. Raises InputError when it is none."""
    new: dict[str, Entry] = {}
    there: list[Left] = []
    refused: list[Left] = []
    for name, rates in _names(data).items():
        if not isinstance(rates, dict):
            refused.append(Left(name, "", "it has no table of rates"))
            continue
        for label, links in rates.items():
            try:
                entry = _entry(name, label, links)
                if entry.slug in new:
                    raise _Refused("the list has this name and rate twice")
            except _Refused as reason:
                refused.append(Left(name, label, str(reason)))
                continue
            if why := _known_as(entry, known):
                there.append(Left(name, label, why))
            else:
                new[entry.slug] = _as_spelled(entry, known)
    return Offer(tuple(new.values()), tuple(there), tuple(refused))


def _names(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(
            "This is not valid JSON. Give the list itself: an address with /raw/ or /resolve/ in "
            "it, not that of the page that shows it."
        ) from None
    if not isinstance(value, dict):
        raise InputError(
            "This is no list of pretrains: it should hold names, then rates, then G and D."
        )
    return value


def _entry(name: str, label: str, links: Any) -> Entry:
    try:
        tables.check_name(name, "")
    except SettingError:
        raise _Refused("its name cannot be used") from None
    try:
        rate = tables.check_rate(rate_of(label))
    except InputError:
        raise _Refused("this is no sample rate") from None
    if not isinstance(links, dict):
        raise _Refused("it names no files")
    found = {role: _file(role, links.get(role)) for role in tables.ROLES}
    repositories = {repository for repository, _ in found.values()}
    files: dict[str, Any] = {role: file for role, (_, file) in found.items()}
    if len(repositories) > 1:
        raise _Refused("its G and D lie in different repositories")
    if files["G"]["path"] == files["D"]["path"]:
        raise _Refused("its G and D are the same file")
    fields: dict[str, Any] = {"repository": repositories.pop(), **files}
    if files["G"]["revision"] == files["D"]["revision"]:
        fields["revision"] = files["G"]["revision"]
        fields |= {role: {"path": file["path"]} for role, file in files.items()}
    return tables.build(name, rate, fields, origin="own")


def _file(role: str, link: Any) -> tuple[str, dict[str, str]]:
    """The repository, path and revision that a link leads to."""
    if link in (None, "", "null"):
        raise _Refused(f"it names no {role}")
    match = _LINK.fullmatch(link) if isinstance(link, str) else None
    if match is None:
        raise _Refused(f"its {role} is no link to a file at huggingface.co")
    try:
        repository = tables.check_repository(match["repository"])
        path = tables.check_path(unquote(match["path"], errors="strict"))
    except (ValueError, InputError):
        raise _Refused(f"its {role} does not lead to a plain file") from None
    revision = match["revision"]
    if revision != _NEWEST and not _COMMIT.fullmatch(revision):
        raise _Refused(f"its {role} is on the branch {revision}; only main or a commit is taken")
    return repository, {"path": path, "revision": "" if revision == _NEWEST else revision}


def _known_as(entry: Entry, known: Collection[Entry]) -> str:
    """Why a known entry makes this one needless, or ""."""
    for other in known:
        if other.files and _place(other) == _place(entry):
            return f"it is {other.name} at {rate_label(other.rate)}"
    if any(other.slug == entry.slug for other in known):
        return (
            "there is one of this name, with other files; rename it in the list to have it as well"
        )
    return ""


def _place(entry: Entry) -> tuple[str, ...]:
    return (entry.repository.lower(), *(file.path for file in entry.files))


def _as_spelled(entry: Entry, known: Collection[Entry]) -> Entry:
    """The entry under the name that its other rates have already."""
    slug = bare_slug(entry.name)
    spelled = (other.name for other in known if bare_slug(other.name) == slug)
    return replace(entry, name=next(spelled, entry.name))
