"""The command that brings a pretrain to this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InputError, StopRequested
from engine.text import clean
from voicetui.commands.options import Json, shown
from voicetui.commands.pretrains.naming import Rate
from voicetui.output import tell

if TYPE_CHECKING:
    from engine.pretrains.entry import Entry
    from engine.pretrains.store import Stored
    from voicetui.run import Runner


def get(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Its name; 'voicetui pretrains list' has them. After --from: more files.",
            show_default=False,
        ),
    ] = None,
    rate: Rate = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Take it from local files: a generator and a discriminator, or their folder.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="With --from: keep it as a pretrain of your own, under this name.",
            show_default=False,
        ),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the licence of an XTTS base.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a pretrain to this machine, and judge it by its tensors.

    What was fetched before an interruption is kept, and the same command goes on from there.
    """
    from voicetui.run import running

    given = list(words or [])
    if name is None and not given:
        raise InputError(
            "Give the NAME of a pretrain; 'voicetui pretrains list' has them. One of your own "
            "comes with --from PATH --name NAME."
        )
    if name is not None and not sources:
        raise InputError("--name is for a pretrain of your own: give its files with --from.")
    wanted = name if name is not None else given.pop(0)
    if given and not sources:
        raise InputError(f"{clean(given[0])} is one too many: get one pretrain at a time.")
    paths = [*(sources or []), *map(Path, given)]
    try:
        with running(as_json=as_json) as runner:
            entry = _entry(wanted, rate, paths if name is not None else [], runner)
            stored = _bring(entry, paths, runner, accept_licence=accept_licence)
            for line in found_lines(stored):
                runner.say(line)
            runner.result(_values(stored))
    except StopRequested:
        if not paths:
            tell("What came is kept; the same command goes on from there.")
        raise


def _entry(wanted: str, rate: str | None, own_paths: Sequence[Path], runner: Runner) -> Entry:
    from engine.pretrains import catalogue
    from engine.pretrains import get as getting
    from engine.pretrains.entry import rate_of

    if not own_paths:
        return catalogue.find(wanted, rate)
    hertz = rate_of(rate) if rate is not None else None
    return getting.own_entry(wanted, own_paths, rate=hertz, check=runner.raise_if_stopped)


def _bring(entry: Entry, paths: Sequence[Path], runner: Runner, *, accept_licence: bool) -> Stored:
    from engine.pretrains import get as getting

    show, check = runner.progress(entry.slug), runner.raise_if_stopped

    def progress(done: int, total: int) -> None:
        show(done, total)
        if done == total and entry.family == "rvc":
            runner.say(f"{clean(entry.slug)}  reading the tensors")

    if paths:
        return getting.import_files(entry, paths, progress=progress, check=check)
    return getting.fetch(entry, accept_licence=accept_licence, progress=progress, check=check)


def found_lines(stored: Stored) -> Iterator[str]:
    """What a stored pretrain is, and what to do with it."""
    from engine.pretrains.words import in_words

    slug = clean(stored.entry.slug)
    yield f"{slug} is in {shown(stored.folder)}"
    for file in stored.files:
        yield f"  {clean(file.path)}: {clean(in_words(file.facts))}"
    if stored.entry.family == "xtts":
        yield f"next: voicetui pretrains use {slug} DIR  (DIR is your voice project)"
    else:
        yield f"next: voicetui pretrains install {slug}  (into Applio or RVC)"


def _values(stored: Stored) -> dict[str, object]:
    from engine.pretrains import record

    where = {"slug": stored.entry.slug, "path": str(stored.folder)}
    return where | record.values_of(stored, leave_out="folder")
