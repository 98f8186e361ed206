"""The command that takes back what was installed into Applio or RVC."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicetui.commands.options import Json, shown
from voicetui.commands.pretrains.naming import Name, Rate


def uninstall(
    name: Name,
    source: Annotated[
        Path,
        typer.Option("--from", metavar="DIR", help="Folder of Applio or RVC.", show_default=False),
    ],
    rate: Rate = None,
    as_json: Json = False,
) -> None:
    """Remove a pretrain from Applio or RVC again; it stays in the store.

    Only files that 'voicetui pretrains install' put there and that nobody has changed since.
    """
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        from engine.pretrains import install as installing
        from engine.pretrains import installations

        slug = _slug(name, rate)
        removed = installing.uninstall(slug, installations.recognise(source))
        for path in removed:
            runner.say(f"removed {shown(path)}")
        if not removed:
            runner.say(f"{slug} was gone already; it is forgotten now.")
        runner.result({"name": slug, "removed": [str(path) for path in removed]})


def _slug(name: str, rate: str | None) -> str:
    """That of an installed pretrain, which the catalogue need not know any more."""
    from engine.pretrains import catalogue, installed
    from engine.pretrains.entry import bare_slug

    slug = bare_slug(name)
    if rate is None and slug in {each.slug for each in installed.read().values()}:
        return slug
    return catalogue.find(name, rate).slug
