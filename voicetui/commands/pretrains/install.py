"""The command that puts a pretrain where Applio or RVC finds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InputError
from engine.text import clean
from voicetui.commands.options import Json, shown
from voicetui.commands.pretrains.naming import Name, Rate, rvc_called

if TYPE_CHECKING:
    from engine.pretrains.install import Plan
    from engine.pretrains.store import Stored
    from voicetui.run import Runner


def install(
    name: Name,
    rate: Rate = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of Applio or RVC; without it, those on this machine are listed.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a pretrain where Applio or RVC finds it, and say what to do there.

    Its files get the catalogue's name. A different file of the same name is never overwritten, and
    'voicetui pretrains uninstall' takes back what was installed.
    """
    from voicetui.run import running

    pretrain = rvc_called(name, rate)
    with running(as_json=as_json) as runner:
        if into is None:
            _list_installations(pretrain, runner)
            return
        from engine.pretrains import install as installing
        from engine.pretrains import installations

        plan = installing.plan(pretrain, installations.recognise(into))
        for warning in plan.warnings:
            runner.say(f"warning: {warning}")
        slug = pretrain.entry.slug
        written = installing.install(
            plan, progress=runner.progress(slug), check=runner.raise_if_stopped
        )
        _tell(plan, written, runner)


def _tell(plan: Plan, written: tuple[Path, ...], runner: Runner) -> None:
    for each in plan.placements:
        done = "wrote" if each.target in written else "is there already:"
        runner.say(f"{done} {shown(each.target)}")
    runner.say("next:")
    for number, step in enumerate(plan.next_steps, 1):
        runner.say(f"  {number}. {step}")
    runner.result(
        {
            "name": plan.pretrain.entry.slug,
            "tool": plan.installation.kind,
            "folder": str(plan.installation.folder),
            "files": [str(each.target) for each in plan.placements],
            "written": [str(path) for path in written],
            "warnings": list(plan.warnings),
            "next": list(plan.next_steps),
        }
    )


def _list_installations(pretrain: Stored, runner: Runner) -> None:
    from engine.pretrains import installations

    found = installations.find()
    if not found:
        raise InputError(
            "No Applio and no RVC was found in the usual places. Give the folder from which you "
            f"start it: voicetui pretrains install {clean(pretrain.entry.slug)} --into DIR"
        )
    runner.say("Nothing was installed yet. Choose one of these:")
    for each in found:
        runner.say(f"{each.title} in {shown(each.root)}")
        slug = clean(pretrain.entry.slug)
        runner.say(f"    voicetui pretrains install {slug} --into {shown(each.root)}")
    runner.result(
        {
            "installations": [
                {"tool": each.kind, "root": str(each.root), "folder": str(each.folder)}
                for each in found
            ]
        }
    )
