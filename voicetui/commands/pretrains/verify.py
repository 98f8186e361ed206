"""The command that looks whether pretrains still are what they were when they came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import FailedError, InputError
from engine.text import clean
from voicetui.commands.options import Json
from voicetui.commands.pretrains.naming import slug_called

if TYPE_CHECKING:
    from engine.pretrains.verify import Finding
    from voicetui.run import Runner


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="Which ones; all on this machine unless given.", show_default=False
        ),
    ] = None,
    online: Annotated[
        bool,
        typer.Option("--online", help="Also look whether their authors changed them since."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look whether pretrains still are as they came.

    Their bytes are compared with what was recorded then, and with the catalogue. Nothing is
    changed. Ends with 1 when one is not as it came.
    """
    from engine.pretrains.verify import worst
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        found: dict[str, tuple[Finding, ...]] = {}
        for slug, findings in _look(names or [], runner, online=online):
            found[slug] = findings
            _tell(runner, slug, findings)
        if not found:
            runner.say("There are no pretrains on this machine yet: voicetui pretrains list")
        listed = [
            {"slug": slug, "findings": [asdict(finding) for finding in findings]}
            for slug, findings in found.items()
        ]
        runner.result({"pretrains": listed})
        wrong = [slug for slug, findings in found.items() if worst(findings) == "wrong"]
    if wrong:
        raise FailedError(f"Not as they came: {clean(', '.join(wrong))}. See above what to do.")


def _look(
    names: list[str], runner: Runner, *, online: bool
) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    """Each one with what was found, as soon as it is."""
    from engine.pretrains import store
    from engine.pretrains import verify as verifying

    stored, damaged = store.look()
    wanted = [_slug_of(name, [*stored, *damaged]) for name in names] or [*stored, *damaged]
    for slug in wanted:
        if slug in damaged:
            yield slug, (verifying.Finding("wrong", damaged[slug]),)
        else:
            show, check = runner.progress(slug), runner.raise_if_stopped
            yield (
                slug,
                verifying.verify(stored[slug], online=online, progress=show, check=check),
            )


def _slug_of(name: str, here: list[str]) -> str:
    slug = slug_called(name, None, here)
    if slug not in here:
        raise InputError(
            f"{clean(slug)} is not on this machine yet: voicetui pretrains get {clean(slug)}"
        )
    return slug


def _tell(runner: Runner, slug: str, findings: tuple[Finding, ...]) -> None:
    from engine.pretrains.verify import worst

    runner.say(f"{clean(slug)}: {worst(findings)}")
    told: list[str] = []
    for finding in findings:
        runner.say(f"  {finding.level:<5} {finding.seen}")
        if finding.remedy and finding.remedy not in told:
            told.append(finding.remedy)
    for remedy in told:
        runner.say(f"  {remedy}")
