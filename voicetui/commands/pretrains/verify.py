"""The command that looks whether pretrains still are what they were when they came."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import FailedError, InputError
from engine.text import clean
from voicetui.commands.options import Json

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
    """Compare stored pretrains with their records and with the catalogue; changes nothing."""
    from engine.pretrains.verify import worst
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        found = _look(names or [], runner, online=online)
        for slug, findings in found.items():
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


def _look(names: list[str], runner: Runner, *, online: bool) -> dict[str, tuple[Finding, ...]]:
    from engine.pretrains import store
    from engine.pretrains import verify as verifying

    stored, damaged = store.stored(), store.damaged()
    wanted = [_slug_of(name, [*stored, *damaged]) for name in names] or [*stored, *damaged]
    return {
        slug: (verifying.Finding("wrong", damaged[slug]),)
        if slug in damaged
        else verifying.verify(
            stored[slug],
            online=online,
            progress=runner.progress(slug),
            check=runner.raise_if_stopped,
        )
        for slug in wanted
    }


def _slug_of(name: str, here: list[str]) -> str:
    from engine.pretrains import catalogue
    from engine.pretrains.entry import bare_slug

    slug = bare_slug(name) if bare_slug(name) in here else catalogue.find(name).slug
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
