"""Commands that list what there is: settings, profiles, bases, keys."""

from __future__ import annotations

import textwrap

from engine.text import clean
from voicetui.commands.options import Json
from voicetui.output import show, show_json

_WIDTH = 80
_INDENT = "    "


def settings(as_json: Json = False) -> None:
    """List every setting with its default, what it may be, and what it does."""
    from engine.settings import SETTINGS

    if as_json:
        show_json(
            [
                {
                    "key": row.key,
                    "type": row.type.__name__,
                    "default": row.default,
                    "minimum": row.minimum,
                    "maximum": row.maximum,
                    "choices": list(row.choices),
                    "help": row.help,
                }
                for row in SETTINGS.values()
            ]
        )
        return
    for row in SETTINGS.values():
        default = str(row.default).lower() if row.type is bool else str(row.default)
        show(f"{row.key} = {default}")
        _show_text(row.help)
        _show_text(f"Allowed: {row.allowed}.")


def profiles(as_json: Json = False) -> None:
    """List the training profiles, your own among them."""
    from engine.profile import available

    found = available().values()
    if as_json:
        show_json(
            [
                {
                    "name": profile.name,
                    "summary": profile.summary,
                    "help": profile.help,
                    "values": dict(profile.values),
                    "origin": profile.origin,
                }
                for profile in found
            ]
        )
        return
    for profile in found:
        own = "" if profile.origin == "voicetui" else f"  ({clean(profile.origin)})"
        show(f"{clean(profile.name)}: {clean(profile.summary)}{own}")
        if profile.help:
            _show_text(profile.help)
        if profile.values:
            _show_text(", ".join(f"{key} = {value}" for key, value in profile.values.items()))


def bases(as_json: Json = False) -> None:
    """List the XTTS bases that can be fetched by name, and which are here."""
    from engine import places
    from engine.xtts import base

    rows = [
        {
            "name": known.name,
            "licence": known.licence,
            "licence_url": known.licence_url,
            "bytes": sum(file.size for file in known.files),
            "here": (places.models_dir(base.FAMILY) / known.name).is_dir(),
        }
        for known in base.known().values()
    ]
    if as_json:
        show_json(rows)
        return
    for row in rows:
        place = "on this machine" if row["here"] else f"voicetui fetch {row['name']}"
        show(f"{row['name']}  {place}")
        _show_text(f"{row['licence']}, {row['licence_url']}")


def keys(as_json: Json = False) -> None:
    """List the console's keys, and the names by which they can be changed.

    Your own keys stand in a file keys.toml, one a line: "doctor.again" = "R".
    """
    from voicetui import keymap
    from voicetui import keys as table

    own = keymap.load()
    rows = table.remapped(own)
    if as_json:
        show_json(
            [
                {
                    "id": row.id,
                    "keys": row.keys.split(","),
                    "default": before.keys.split(","),
                    "label": row.label,
                    "help": row.help,
                }
                for row, before in zip(rows, table.TABLE, strict=True)
            ]
        )
        return
    for scope in table.scopes():
        show(table.title(scope))
        for row in (row for row in rows if row.scope == scope):
            changed = " (yours)" if row.id in own else ""
            show(f"  {table.all_names(row.keys):<16} {row.id:<26} {row.help}{changed}")
        show("")
    show(f"Your own keys: {clean(str(keymap.path()))}")


def _show_text(text: str) -> None:
    wrapped = textwrap.wrap(clean(text), _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
    for line in wrapped:
        show(line)
