"""The command that lists the pretrains."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from engine.text import clean
from voicetui.commands.options import Json
from voicetui.commands.pretrains import told
from voicetui.commands.pretrains.naming import Rate
from voicetui.output import show, show_json, tell

if TYPE_CHECKING:
    from engine.pretrains.catalogue import Search
    from engine.pretrains.entry import Entry
    from engine.pretrains.store import Stored

_GAP = "  "
_LONGEST = 28
# Right-aligned ones hold numbers.
_RIGHT = {"HOURS", "SIZE"}
_NO_BEST = "There is no best pretrain: 'voicetui pretrains check' says what to weigh."


class KindChoice(StrEnum):
    """The kinds, as --kind takes them."""

    SCRATCH = "scratch"
    FINETUNE = "finetune"
    MERGE = "merge"
    UNKNOWN = "unknown"


class FamilyChoice(StrEnum):
    """The families, as --family takes them."""

    RVC = "rvc"
    XTTS = "xtts"


def list_(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT",
            help="Words in its name, its author, what is noted.",
            show_default=False,
        ),
    ] = "",
    rate: Rate = None,
    kind: Annotated[
        KindChoice | None, typer.Option(help="How it was made.", show_default=False)
    ] = None,
    author: Annotated[
        str, typer.Option(metavar="NAME", help="Who made it.", show_default=False)
    ] = "",
    language: Annotated[
        str,
        typer.Option(
            metavar="CODE", help="A language it was trained on: ja, Japanese.", show_default=False
        ),
    ] = "",
    installed: Annotated[
        bool | None,
        typer.Option("--installed/--missing", help="On this machine, or not.", show_default=False),
    ] = None,
    family: Annotated[
        FamilyChoice | None, typer.Option(help="What it is a start for.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List the pretrains that are known, and which are here.

    Each name comes at one or more sample rates. What is not known of one shows as "-", and a wish
    for it leaves that one out.
    """
    from engine.pretrains import catalogue, store
    from engine.pretrains.entry import rate_of

    wanted = catalogue.Search(
        text=text,
        rate=rate_of(rate) if rate else None,
        kind=None if kind is None else kind.value,
        author=author,
        language=language,
        installed=installed,
        family=None if family is None else family.value,
    )
    known, trouble = catalogue.entries_to_show()
    here, damaged = store.look()
    found = catalogue.search(known, wanted, here)
    if trouble:
        tell(f"warning: {trouble}")
    if damaged:
        listed = clean(", ".join(damaged))
        tell(f"warning: damaged: {listed}. 'voicetui pretrains verify' says what to do.")
    if as_json:
        show_json([told.as_json(entry, installed=entry.slug in here) for entry in found])
        return
    if not found:
        tell(_nothing(wanted, known, here))
        return
    for line in _table(found, here, shutil.get_terminal_size().columns):
        show(line)
    show("")
    show(f"{len(found)} of {len(known)}. here: on this machine. -: not known.")
    show("verified: the size and the SHA-256 of its files are known before it is fetched.")
    show("'voicetui pretrains show NAME' tells all about one, 'get NAME' brings it here.")
    show(_NO_BEST)


def _nothing(wanted: Search, known: Sequence[Entry], here: Mapping[str, Stored]) -> str:
    from engine.pretrains import catalogue

    if wanted.installed and not here:
        return "No pretrain is on this machine yet: voicetui pretrains get NAME"
    if wanted.language and not catalogue.search(
        known, catalogue.Search(language=wanted.language), here
    ):
        codes = ", ".join(sorted({code for entry in known for code in entry.languages}))
        return (
            f"No pretrain is known to have heard {clean(wanted.language)!r}. Those that are known "
            f"heard {clean(codes)}."
        )
    return (
        f"None of the {len(known)} pretrains fits. Ask for less: much is not known of many of them, "
        "and what is not known fits no wish."
    )


def _table(found: Sequence[Entry], here: Mapping[str, Stored], width: int) -> list[str]:
    """The entries in lines of at most `width` cells; some columns need a wide terminal."""
    columns = _columns(found, here)
    sizes = {
        title: min(_LONGEST, max(map(_cells, (title, *cells)))) for title, cells in columns.items()
    }
    # What does not fit is left out, the last columns first.
    while len(sizes) > 1 and sum(sizes.values()) + len(_GAP) * (len(sizes) - 1) > width:
        sizes.popitem()
    fitted = [
        [_fitted(cell, size, right=title in _RIGHT) for cell in (title, *columns[title])]
        for title, size in sizes.items()
    ]
    return [_GAP.join(line).rstrip() for line in zip(*fitted, strict=True)]


def _columns(found: Sequence[Entry], here: Mapping[str, Stored]) -> dict[str, list[str]]:
    """The cells of each column, the most important first."""
    from engine.pretrains.entry import rate_label
    from voicetui import cells

    columns: dict[str, list[str]] = {
        "NAME": [entry.name for entry in found],
        "RATE": [rate_label(entry.rate) for entry in found],
        "STATE": [told.state(entry, installed=entry.slug in here) for entry in found],
        "KIND": ["XTTS base" if entry.family == "xtts" else entry.kind for entry in found],
        "LANGUAGE": [told.languages(entry) for entry in found],
        "HOURS": [told.hours(entry) for entry in found],
        "SIZE": [told.size(told.bytes_of(entry, here.get(entry.slug))) for entry in found],
        "AUTHOR": [entry.author for entry in found],
        "LICENCE": [entry.licence for entry in found],
        "REPOSITORY": [entry.repository for entry in found],
    }
    return {
        title: [cells.shown(text) or told.UNKNOWN for text in texts]
        for title, texts in columns.items()
    }


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _fitted(text: str, size: int, *, right: bool) -> str:
    from rich.cells import set_cell_size

    if _cells(text) > size:
        return set_cell_size(text, size - 1) + "…"
    gap = " " * (size - _cells(text))
    return gap + text if right else text + gap
