"""Pretrains as TOML tables, read strictly: the form that `profiles/pretrains.toml` explains."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, get_args

from engine import places
from engine.errors import InputError, SettingError
from engine.files import safe_join
from engine.pretrains.entry import Entry, Kind, Role, WeightsFile, bare_slug, rate_label, rate_of
from engine.text import clean, did_you_mean

ROLES: tuple[Role, ...] = ("G", "D")
Fields = Mapping[str, Any]
_LONGEST_TEXT = 1000
_LONGEST_NAME = 80
_LONGEST_SHOWN = 80
_RATES = (8_000, 192_000)
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Table:
    """What a TOML file says about a pretrain: at every rate, and at single ones (in Hz).

    The fields are those of Entry, and "G" and "D" of WeightsFile; all are checked.
    """

    name: str
    common: Fields
    rates: Mapping[int, Fields]


def parse(document: Mapping[str, Any], where: str) -> dict[str, Table]:
    """The tables of a document by the slugs of their names.

    `where` names the file. Raises SettingError with the file, the entry, and what is allowed.
    """
    found: dict[str, Table] = {}
    for name, value in document.items():
        slug = check_name(name, where)
        place = f"{where} [{clean(name)}]"
        if not isinstance(value, Mapping):
            raise SettingError(f"{place}: a pretrain is a table, with one for each rate inside.")
        if slug in found:
            raise SettingError(
                f"{place}: [{clean(found[slug].name)}] has the same short name, {slug}. Put both "
                "in one table, or name one otherwise."
            )
        found[slug] = _table(name, value, place)
    return found


def check_name(name: str, where: str) -> str:
    """The short name of a pretrain, without its rate. Raises SettingError."""
    slug = bare_slug(name)
    if not slug or len(name) > _LONGEST_NAME or clean(name) != name:
        raise SettingError(
            f"{where} [{_shown(name)}]: a name has letters or digits of the English alphabet, at "
            f"most {_LONGEST_NAME} characters, and none that cannot be seen."
        )
    return slug


def check_rate(rate: int) -> int:
    """A rate in Hz that a model can have. Raises InputError."""
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InputError(f"There is no pretrain at {rate_label(rate)}; try 32k, 40k or 48k.")
    return rate


def _table(name: str, values: Fields, place: str) -> Table:
    rates: dict[int, Fields] = {}
    for key, value in values.items():
        if key in _COMMON:
            continue
        try:
            rate = check_rate(rate_of(key))
        except InputError:
            if key in ROLES:
                remedy = " It belongs to a rate, as in [Name.40k]."
            else:
                remedy = did_you_mean(key, _COMMON) + " A rate is written as 40k, 8k to 192k."
            raise SettingError(
                f"{place}: there is no {_shown(key)!r} in a pretrain.{remedy}"
            ) from None
        below = f"{place[:-1]}.{clean(key)}]"
        if not isinstance(value, Mapping):
            raise SettingError(f"{below}: a rate is a table of fields; it may be empty.")
        if rate in rates:
            raise SettingError(f"{below}: {rate_label(rate)} stands there twice.")
        rates[rate] = _checked(value, _AT_A_RATE, below)
    own = {key: value for key, value in values.items() if key in _COMMON}
    return Table(name, _checked(own, _COMMON, place), rates)


def build(name: str, rate: int, fields: Fields, **given: Any) -> Entry:
    """An entry from checked fields. Its folder is that of its files unless the fields name one."""
    files = tuple(
        WeightsFile(role=role, **fields[role]) for role in ROLES if fields.get(role) is not None
    )
    others = {key: value for key, value in fields.items() if key not in ROLES}
    parents = {str(PurePosixPath(file.path).parent) for file in files}
    if "folder" not in others and len(parents) == 1:
        others["folder"] = parents.pop().removeprefix(".")
    return Entry(name, rate, **{**others, **given, "files": files})


def fields_of(entry: Entry) -> dict[str, Any]:
    """An entry as the table of its rate. It says all that an entry of the same name could change."""
    values: dict[str, Any] = {
        "repository": entry.repository,
        "folder": entry.folder,
        "revision": entry.revision,
        "kind": entry.kind,
        "embedder": entry.embedder,
        "pitch": entry.pitch,
    }
    if entry.languages:
        values["languages"] = list(entry.languages)
    if entry.hours is not None:
        values["hours"] = entry.hours
    for key in ("author", "parent", "licence", "licence_url", "note"):
        if text := getattr(entry, key):
            values[key] = text
    for file in entry.files:
        known = {"path": file.path, "size": file.size, "sha256": file.sha256}
        known["revision"] = file.revision
        values[file.role] = {key: value for key, value in known.items() if value}
    return values


def check_path(path: str) -> str:
    """A path inside a repository. Raises ValueError or InputError when it is not a plain one."""
    safe_join(places.cache_dir(), path)
    # Two ways to write one path would be two files to us.
    if str(PurePosixPath(path)) != path or clean(path) != path or "\\" in path:
        raise ValueError(path)
    return path


def check_repository(name: str) -> str:
    """The name of a repository, "owner/repository". Raises ValueError."""
    if not _REPOSITORY.fullmatch(name) or ".." in name or "--" in name:
        raise ValueError(name)
    return name


def _checked(values: Fields, allowed: Mapping[str, _Field], place: str) -> dict[str, Any]:
    return {key: _value(key, value, allowed, place) for key, value in values.items()}


def _value(key: str, value: Any, allowed: Mapping[str, _Field], place: str) -> Any:
    if key not in allowed:
        raise SettingError(
            f"{place}: there is no {_shown(key)!r} here.{did_you_mean(key, allowed)} "
            f"Allowed: {', '.join(allowed)}."
        )
    if key in ROLES:
        if not isinstance(value, Mapping) or "path" not in value:
            raise SettingError(
                f'{place}: {key} must look like {{ path = "…", size = 123, sha256 = "…" }}; only '
                "path has to be there."
            )
        return _checked(value, _OF_A_FILE, f"{place} {key}")
    try:
        return allowed[key].read(value)
    except (ValueError, TypeError, OverflowError, InputError):
        raise SettingError(
            f"{place}: {key} is {_shown(repr(value))}, but must be {allowed[key].allowed}."
        ) from None


def _shown(text: str) -> str:
    return clean(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


@dataclass(frozen=True)
class _Field:
    """How a value is read, and what is allowed in words."""

    read: Callable[[Any], Any]
    allowed: str


def _string(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise TypeError
    return value


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if _string(value) and not pattern.fullmatch(value):
            raise ValueError
        return str(value)

    return read


def _optional(check: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: check(value) if _string(value) else ""


def _kind(value: Any) -> str:
    if value not in get_args(Kind):
        raise ValueError
    return str(value)


def _languages(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(_LANGUAGE.fullmatch(code) for code in value):
        raise ValueError
    return tuple(value)


def _hours(value: Any) -> float:
    hours = float(value)
    if isinstance(value, bool | str) or not math.isfinite(hours) or hours <= 0:
        raise ValueError
    return hours


def _pitch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _size(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError
    return value


_TEXT = _Field(_string, f"a text of at most {_LONGEST_TEXT} characters")
_REVISION = _Field(_matching(_COMMIT), "a commit of 40 digits 0-9a-f, or left out")
_COMMON: Mapping[str, _Field] = {
    "author": _TEXT,
    "repository": _Field(_optional(check_repository), 'like "owner/repository"'),
    "folder": _Field(_optional(check_path), 'a folder of the repository, like "v2/40k"'),
    "revision": _REVISION,
    "kind": _Field(_kind, f"one of {', '.join(get_args(Kind))}"),
    "parent": _TEXT,
    "languages": _Field(_languages, 'a list of codes, like ["en", "pt"]'),
    "hours": _Field(_hours, "a number above 0"),
    "embedder": _TEXT,
    "pitch": _Field(_pitch, "true or false"),
    "licence": _TEXT,
    "licence_url": _Field(_matching(re.compile(r"https?://[!-~]+")), "an address, https://…"),
    "note": _TEXT,
}
_FILE: _Field = _Field(dict, "")
_AT_A_RATE: Mapping[str, _Field] = {**_COMMON, **dict.fromkeys(ROLES, _FILE)}
_OF_A_FILE: Mapping[str, _Field] = {
    "path": _Field(lambda value: check_path(_string(value)), 'a path, like "v2/G_40k.pth"'),
    "size": _Field(_size, "a whole number of bytes"),
    "sha256": _Field(_matching(_SHA256), "64 digits 0-9a-f"),
    "revision": _REVISION,
}
