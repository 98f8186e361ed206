"""The command that teaches a base a new language or script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicetui.commands.options import Json, Plain, ProjectDir, project_with, shown


def vocab(
    folder: ProjectDir,
    size: Annotated[int, typer.Option(min=1, help="New tokens at most.")] = 2000,
    min_count: Annotated[
        int, typer.Option(min=1, help="How often the text must hold a new token.")
    ] = 2,
    stop: Annotated[
        str,
        typer.Option(
            metavar="TOKENS",
            help="Tokens, with spaces between, that are neither added nor part of longer ones.",
        ),
    ] = "",
    new_characters_only: Annotated[
        bool,
        typer.Option(
            "--new-characters-only",
            help="Add only tokens with a character that the base lacks; old text stays as it is.",
        ),
    ] = False,
    language: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Language of the text; the project's unless given."),
    ] = None,
    text: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="More text, UTF-8, beside that of the clips; may be given again.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a vocabulary that a run has used.")
    ] = False,
    _plain: Plain = False,
    as_json: Json = False,
) -> None:
    """Teach the base a new language or script, in a copy that the project owns.

    It learns tokens from the text of the clips, puts them behind those of the base, which keep
    their numbers, and shows what becomes of the new text and of old text in 17 languages.
    """
    from voicetui.run import running

    project = project_with(folder)
    with running(as_json=as_json) as runner:
        from engine.xtts import vocab_job
        from engine.xtts.vocab_train import Wish

        wish = Wish(size, min_count, frozenset(stop.split()), new_characters_only)
        runner.complete(
            vocab_job.session(
                project, wish, language=language, files=text or (), dry_run=dry_run, force=force
            )
        )
        if dry_run:
            return
        runner.say(f"next: voicetui prepare {shown(folder)}  (cuts and counts with the new tokens)")
