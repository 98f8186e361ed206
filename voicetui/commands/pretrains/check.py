"""The command that holds a project or a sound against the rules of making a pretrain."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicetui import exit_codes
from voicetui.commands.options import Json
from voicetui.output import show, show_json, tell

if TYPE_CHECKING:
    from engine.pretrains.making import Check


# As the doctor waits.
_DRIVER_SECONDS = 30.0


class Plan(StrEnum):
    """The two ways to make a pretrain."""

    SCRATCH = "scratch"
    FINETUNE = "finetune"


def check(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="Folder of a voice project that is prepared.", show_default=False
        ),
    ] = None,
    kind: Annotated[
        Plan, typer.Option(help="Train from scratch (50 h), or finetune a pretrain (10 h).")
    ] = Plan.FINETUNE,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="The batch size that you train with.", show_default=False
        ),
    ] = None,
    sample: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="WAV",
            help="Speech that a model made, or a recording: listened to for the faults of training; "
            "may be given again.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold a dataset and samples against the rules of making a pretrain.

    Hours, speakers, quality, noise, bandwidth, batch size, the card; and in samples the 8 kHz line,
    mirrored harmonics and noise. Each line is ok, a warning or a failure, with what to do. The exit
    code is 0 also with warnings, and 1 after a failure (too few hours).
    """
    from engine import project
    from engine.pretrains import making

    try:
        found = making.judge(
            None if folder is None else project.load(folder),
            kind=kind.value,
            batch_size=batch_size,
            samples=sample or (),
            cards=_cards(),
        )
    except KeyboardInterrupt:
        tell("left before all was checked")
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    counts = Counter(each.level for each in found)
    if as_json:
        show_json(
            {
                "kind": kind.value,
                "checks": [each.as_values() for each in found],
                "levels": dict(counts),
                "best": {"answer": making.NO_BEST, "weigh": dict(making.WEIGH)},
                "limit": making.NO_RVC,
            }
        )
    else:
        _show(found)
    raise typer.Exit(exit_codes.FAILED if counts["failure"] else exit_codes.DONE)


def _cards() -> list[str]:
    """The names of this machine's cards that answer; none when the driver hangs."""
    from engine.checks.finding import within
    from engine.hardware import Monitor

    def ask() -> list[str]:
        with Monitor() as monitor:
            return [gpu.name for gpu in monitor.gpus() if not gpu.lost]

    try:
        return within(_DRIVER_SECONDS, ask)
    except TimeoutError:
        tell("the NVIDIA driver does not answer; 'voicetui doctor' says more")
        return []


def _show(found: tuple[Check, ...]) -> None:
    from engine.pretrains import making
    from voicetui.checkup import report, wrapped

    told = [
        replace(each, remedy=" ".join(filter(None, (each.meaning, each.remedy)))) for each in found
    ]
    show(report(told))
    show("")
    for line in wrapped(f"{making.NO_BEST} Weigh instead:", ""):
        show(line)
    for name, why in making.WEIGH:
        for line in wrapped(why, f"  {name:<15} "):
            show(line)
    show("")
    for line in wrapped(making.NO_RVC, ""):
        show(line)
