"""A person's own keys: keys.toml in the folder of settings.

It holds lines such as `"dashboard.stop" = "X"`; `voicetui keys` lists the names on the left.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from engine import places
from engine.errors import SettingError
from engine.text import clean, did_you_mean
from voicetui import keys

FILE_NAME = "keys.toml"
# Ctrl-C must stop a run whatever else was changed.
_FIXED = "everywhere.interrupt"
_MODIFIED = re.compile(r"(ctrl|shift|alt)[-+](.+)", re.IGNORECASE)
# What people write in place of Textual's names.
_ALSO = {"esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "del": "delete"}
_ARROWS = {"up", "down", "left", "right", "home", "end", "pageup", "pagedown"}
_EDITING = {"insert", "delete", "backspace", "enter", "escape", "tab", "space"}
_SIGNS = {"comma", "minus", "plus", "slash", "backslash", "underscore", "at"}
_NAMED = _ARROWS | _EDITING | _SIGNS | {f"f{number}" for number in range(1, 25)}
# Terminals send the same byte for both.
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}


def path() -> Path:
    """Where the file is, or would be."""
    return places.config_dir() / FILE_NAME


def load() -> dict[str, str]:
    """A person's own keys by id; none without the file. Raises SettingError, which names the line."""
    file = path()
    if not file.is_file():
        return {}
    shown = clean(str(file))
    try:
        document: Mapping[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingError(
            f"{shown} is not valid TOML: {clean(str(error))}. "
            'A line looks like "home.new" = "a", with both in quotes.'
        ) from error
    except OSError as error:
        raise SettingError(f"{shown} cannot be read: {clean(str(error))}.") from error
    chosen = dict(_chosen(identifier, value, shown) for identifier, value in document.items())
    try:
        keys.check(keys.remapped(chosen))
    except SettingError as error:
        raise SettingError(f"{shown}: {error}") from error
    return chosen


def _chosen(identifier: str, value: object, shown: str) -> tuple[str, str]:
    known = [key.id for key in keys.TABLE]
    if isinstance(value, Mapping):
        raise SettingError(
            f'{shown}: put the name of a key in quotes: "{clean(identifier)}.…" = "x".'
        )
    if identifier not in known:
        hint = did_you_mean(identifier, known)
        raise SettingError(
            f"{shown}: there is no key called {clean(repr(identifier))}.{hint} "
            "'voicetui keys' lists them."
        )
    if identifier == _FIXED:
        raise SettingError(f"{shown}: {_FIXED} always is Ctrl-C. Take the line out.")
    if not isinstance(value, str) or not value.strip():
        raise SettingError(f'{shown}: {identifier} must be a key such as "x" or "ctrl+x".')
    return identifier, ",".join(normal(key, f"{shown}: {identifier}") for key in _split(value))


def _split(value: str) -> list[str]:
    # A comma alone is the key.
    return [value.strip()] if value.strip() == "," else value.split(",")


def normal(key: str, where: str) -> str:
    """A key by Textual's name for it: "?" and "Ctrl-X" too. Raises SettingError for no key."""
    key = key.strip()
    modified = _MODIFIED.fullmatch(key)
    if modified is None:
        return _plain(key, where)
    modifier, plain = modified[1].lower(), _plain(modified[2], where)
    if modifier == "shift" and len(plain) == 1:
        return plain.upper()
    full = f"{modifier}+{plain.lower() if modifier == 'ctrl' else plain}"
    return _SAME.get(full, full)


def _plain(key: str, where: str) -> str:
    from textual.keys import KEY_TO_UNICODE_NAME, _character_to_key

    if len(key) == 1 and key.isprintable():
        return _character_to_key(key)
    lower = _ALSO.get(key.lower(), key.lower())
    if lower in _NAMED or lower in KEY_TO_UNICODE_NAME or lower in keys.NAMES:
        return lower
    raise SettingError(
        f"{where} is {clean(repr(key))}, which is no key. "
        'Write it like "x", "X", "?", "ctrl+x", "f6" or "enter".'
    )
