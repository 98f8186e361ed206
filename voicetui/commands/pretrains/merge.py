"""The command that merges pretrains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.errors import InputError
from engine.text import clean
from voicetui.commands.options import Json, shown
from voicetui.commands.pretrains.naming import rvc_called

if TYPE_CHECKING:
    from engine.pretrains.merge import Part


def merge(
    name: Annotated[
        str, typer.Argument(metavar="NEWNAME", help="Name of the result.", show_default=False)
    ],
    parts: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME:WEIGHT",
            help="Pretrains and how much of each, as in titan-40k:0.7; 1 unless given.",
            show_default=False,
        ),
    ],
    difference: Annotated[
        str | None,
        typer.Option(
            metavar="BASE",
            help="Add to this pretrain what the parts differ from it by, with the weights as given.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16"] | None,
        typer.Option(help="That of the first part unless given.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Merge pretrains: the weighted average of their G files and of their D files.

    They must agree in version, rate, pitch, vocoder, embedder and speakers. Merged pretrains are
    considered the worst kind; listen before you rely on one.
    """
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        from engine.pretrains import merge as merging

        merged = merging.merge(
            name,
            [_part(text) for text in parts],
            difference=None if difference is None else rvc_called(difference),
            precision=precision or "",
            progress=runner.progress(name),
            check=runner.raise_if_stopped,
        )
        slug = clean(merged.entry.slug)
        runner.say(f"{slug} is in {shown(merged.folder)}")
        for line in merged.lineage:
            runner.say(f"    {line}")
        runner.say(f"warning: {merging.WARNING}")
        runner.say(f"next: voicetui pretrains install {slug}  (for Applio or RVC)")
        runner.result(
            {
                "name": merged.entry.slug,
                "path": str(merged.folder),
                "lineage": list(merged.lineage),
                "warning": merging.WARNING,
            }
        )


def _part(text: str) -> Part:
    from engine.pretrains.merge import Part

    name, colon, weight = text.rpartition(":")
    try:
        return Part(rvc_called(name), float(weight)) if colon else Part(rvc_called(text), 1.0)
    except ValueError:
        raise InputError(
            f"{clean(weight)!r} is no weight. Give each part as NAME:WEIGHT, as in titan-40k:0.7."
        ) from None
