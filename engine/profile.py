"""Training profiles: named sets of settings, ours and a person's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from engine import places, settings
from engine.errors import InputError, SettingError
from engine.text import clean, did_you_mean

DEFAULT = "standard"


@dataclass(frozen=True)
class Profile:
    """A named set of settings. `origin` is the file it came from, or "voicetui"."""

    name: str
    summary: str
    help: str
    values: Mapping[str, settings.Value]
    origin: str


def _read(document: Mapping[str, Any], where: str, origin: str) -> dict[str, Profile]:
    profiles: dict[str, Profile] = {}
    for name, table in document.items():
        place = f"{where} [{clean(name)}]"
        if not isinstance(table, Mapping):
            raise SettingError(f"{place}: a profile is a table with summary, help and settings.")
        unknown = set(table) - {"summary", "help", *settings.SECTIONS}
        if unknown:
            raise SettingError(f"{place}: there is no {clean(sorted(unknown)[0])!r} in a profile.")
        profiles[name] = Profile(
            name,
            str(table.get("summary", name)),
            str(table.get("help", "")),
            settings.read_tables(table, place),
            origin,
        )
    return profiles


def available() -> dict[str, Profile]:
    """All profiles by name; a person's own replace ours of the same name. Raises SettingError."""
    text = resources.files("profiles").joinpath("training.toml").read_text(encoding="utf-8")
    found = _read(tomllib.loads(text), "training.toml", "voicetui")
    own = places.config_dir() / "profiles"
    for path in sorted(own.glob("*.toml")):
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SettingError(
                f"{clean(str(path))} is not valid TOML: {clean(str(error))}"
            ) from error
        found |= _read(document, clean(str(path)), str(path))
    return found


def load(name: str) -> Profile:
    """The profile of a name. Raises InputError with the nearest name."""
    profiles = available()
    if name not in profiles:
        hint = did_you_mean(name, profiles)
        raise InputError(
            f"There is no profile {clean(name)!r}.{hint} Profiles: {', '.join(profiles)}."
        )
    return profiles[name]
