"""The command that takes over a list of pretrains in Applio's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.text import clean
from voicetui.commands.options import Json
from voicetui.commands.pretrains import told
from voicetui.output import show, show_json

if TYPE_CHECKING:
    from engine.pretrains.applio import Left, Offer


def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL",
            help="A JSON file, or its address, which begins with https://.",
            show_default=False,
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be added, and write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a list such as Applio's to your own pretrains.

    They are written to pretrains.toml in the folder of your settings, and show in 'voicetui
    pretrains list' from then on. Nothing is downloaded yet; what is known already stays as it is.
    """
    from engine.pretrains import applio, catalogue, own

    known = catalogue.entries()
    offer = applio.read(applio.fetch(source), known)
    path = own.path() if dry_run else own.add(offer.new)
    if as_json:
        show_json(_as_json(offer, str(path), written=bool(offer.new) and not dry_run))
        return
    for entry in offer.new:
        show(f"new      {told.titled(entry)}: {clean(told.page(entry))}")
    for left in offer.known:
        show(f"known    {_titled(left)}: {clean(left.why)}")
    for left in offer.refused:
        show(f"refused  {_titled(left)}: {clean(left.why)}")
    if not offer.new:
        show("Nothing new in this list.")
    elif dry_run:
        show(f"Nothing was written; without --dry-run these go to {clean(str(path))}.")
    else:
        show(f"{len(offer.new)} added to {clean(str(path))}.")
        show(f"next: voicetui pretrains show {offer.new[0].slug}")


def _titled(left: Left) -> str:
    return clean(f"{left.name[:80]} {left.rate[:20]}".strip())


def _as_json(offer: Offer, path: str, *, written: bool) -> dict[str, object]:
    def plain(left: Left) -> dict[str, str]:
        return {"name": left.name, "rate": left.rate, "why": left.why}

    return {
        "new": [told.as_json(entry, installed=False) for entry in offer.new],
        "known": [plain(left) for left in offer.known],
        "refused": [plain(left) for left in offer.refused],
        "path": path,
        "written": written,
    }
