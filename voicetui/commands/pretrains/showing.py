"""The command that tells all about one pretrain."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from engine.text import clean
from voicetui.commands.options import Json
from voicetui.commands.pretrains import told
from voicetui.commands.pretrains.naming import Name, Rate
from voicetui.output import show, show_json, tell

if TYPE_CHECKING:
    from engine.pretrains.entry import Entry
    from engine.pretrains.store import Stored

_WIDTH = 80
_LABELS = 14


def show_(
    name: Name,
    rate: Rate = None,
    as_json: Json = False,
) -> None:
    """Tell all that is known of one pretrain and its files."""
    from engine.pretrains import catalogue, store

    known, trouble = catalogue.entries_to_show()
    if trouble:
        tell(f"warning: {trouble}")
    entry = catalogue.choose(known, name, rate)
    stored = store.stored().get(entry.slug)
    installed = stored is not None
    if as_json:
        value = told.as_json(entry, installed=installed)
        value["page"] = told.page(entry)
        value["files"] = [told.file_json(entry, file) for file in entry.files]
        value["stored"] = None if stored is None else told.stored_json(stored)
        value["next"] = told.next_steps(entry, installed=installed)
        show_json(value)
        return
    show(f"{told.titled(entry)} ({entry.slug})")
    for label, text in told.facts(entry, stored):
        _show_labelled(label, text)
    show("")
    if stored is not None and stored.files:
        _show_stored(stored)
    else:
        _show_files(entry)
    show("")
    for at, step in enumerate(told.next_steps(entry, installed=installed)):
        show(f"{'' if at else 'next:':6}{step}")


def _show_files(entry: Entry) -> None:
    if not entry.files and entry.repository:
        show("The names of its files are not known; they are found by what is in them.")
    for file in entry.files:
        role = f"{file.role}  " if file.role else ""
        show(f"{role}{clean(file.path)}")
        known = f"{told.size(file.size)}, {file.size:,} bytes" if file.size else "size not known"
        show(f"   {known}")
        show(f"   SHA-256 {clean(file.sha256) or 'not known'}")


def _show_stored(stored: Stored) -> None:
    from engine.pretrains.words import in_words

    for file in stored.files:
        show(f"{file.role}  {clean(file.path)}")
        show(f"   {told.size(file.size)}, {file.size:,} bytes")
        show(f"   SHA-256 {clean(file.sha256)}")
        show(f"   {clean(in_words(file.facts))}")


def _show_labelled(label: str, text: str) -> None:
    # Addresses stay whole, so that a terminal can open them.
    lines = textwrap.wrap(
        text, _WIDTH - _LABELS, break_long_words=False, break_on_hyphens=False
    ) or [text]
    for at, line in enumerate(lines):
        show(f"{'' if at else label:<{_LABELS}}{line}")
