"""The command that judges weights files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import BaseModelError, DamagedError, FailedError, InputError, UnsafeFileError
from engine.text import clean
from voicetui.amounts import size
from voicetui.commands.options import Json, shown

if TYPE_CHECKING:
    from engine.pretrains.facts import Facts
    from voicetui.run import Runner

_WHAT = {
    "generator": "generator (G) of RVC",
    "discriminator": "discriminator (D) of RVC",
    "voice": "exported voice of RVC, for speaking and not to train from",
    "xtts model": "model of an XTTS base",
    "xtts dvae": "audio codebook (DVAE) of an XTTS base",
    "xtts mel stats": "mel statistics of an XTTS base",
    "xtts speakers": "built-in speakers of an XTTS base",
    "other": "unknown weights",
}


@dataclasses.dataclass(frozen=True)
class _Judged:
    """A file with its facts, or the reason why it was refused."""

    path: Path
    facts: Facts | None
    refused: str = ""


def inspect(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="Weights files, or folders of them; G and D together are compared.",
            show_default=False,
        ),
    ],
    as_json: Json = False,
) -> None:
    """Say what weights files are, from their tensors alone; nothing in them is run.

    Names of files do not count. Each is read in a process of its own with little memory, little
    time and no network; what is more than plain tensors is refused with the reason. Ends with 1
    when a file was refused or has a problem, or when G and D do not belong together.
    """
    from voicetui.run import running

    files = _files(paths)
    with running(as_json=as_json) as runner:
        judged = [_judge(path, runner) for path in files]
        pair = _pair(judged)
        for line in _pair_lines(pair):
            runner.say(line)
        bases = [path for path in paths if path.is_dir() and _is_base(path, judged)]
        missing = [_missing(path) for path in bases]
        for path, lacks in zip(bases, missing, strict=True):
            runner.say(lacks or f"a whole XTTS base; next: voicetui new NAME --base {shown(path)}")
        runner.result(
            {
                "files": [_values(each) for each in judged],
                "belong": None if pair is None else not pair,
                "reasons": list(pair or ()),
                "missing": list(filter(None, missing)),
            }
        )
    bad = [each for each in judged if each.facts is None or each.facts.problems]
    if bad:
        which = "This file" if len(judged) == 1 else f"{len(bad)} of the {len(judged)} files"
        raise FailedError(f"{which} cannot be used as it is; see above why.")
    if pair:
        raise FailedError("G and D do not belong together. Take both from one pretrain.")
    if any(missing):
        raise FailedError("A base is not whole; see above what it lacks.")


def _files(paths: Sequence[Path]) -> list[Path]:
    from engine.pretrains import reader

    found: list[Path] = []
    for path in paths:
        inside = reader.weights_in(path) if path.is_dir() else (path,)
        if not inside or not path.exists():
            lacks = "is no weights file" if path.is_dir() else "is nothing"
            raise InputError(
                f"There {lacks} in {clean(str(path))}. Give a file that ends in .pth or "
                ".safetensors, or a folder that holds some."
            )
        found += inside
    return found


def _judge(path: Path, runner: Runner) -> _Judged:
    from engine.pretrains import reader

    runner.say(f"{shown(path)}  {size(path.stat().st_size)}")
    try:
        facts = reader.inspect(path, check=runner.raise_if_stopped)
    except (UnsafeFileError, DamagedError) as error:
        runner.say(f"  refused: {clean(str(error))}")
        return _Judged(path, None, str(error))
    for line in _lines(facts):
        runner.say(f"  {clean(line)}")
    return _Judged(path, facts)


def _lines(facts: Facts) -> Iterator[str]:
    from engine.pretrains.entry import rate_label

    yield _WHAT[facts.what]
    about = [
        f"RVC {facts.version}" if facts.version else "",
        rate_label(facts.rate) if facts.rate else "",
        {True: "with pitch", False: "without pitch", None: ""}[facts.pitch],
        f"room for {facts.speakers} speakers" if facts.speakers else "",
        facts.vocoder,
    ]
    if any(about):
        yield ", ".join(filter(None, about))
    yield ", ".join(
        filter(
            None,
            [
                f"{facts.tensors:,} tensors",
                f"{facts.parameters:,} parameters",
                size(facts.bytes),
                facts.precision,
            ],
        )
    )
    if facts.iteration is not None:
        yield f"saved at epoch {facts.iteration:,}"
    if facts.leftovers:
        yield f"beside the tensors, harmless: {', '.join(facts.leftovers)}"
    for problem in facts.problems:
        yield f"problem: {problem}"


def _pair(judged: Sequence[_Judged]) -> tuple[str, ...] | None:
    """Reasons why G and D do not belong together, or None where there is no pair to judge."""
    from engine.pretrains.facts import belong

    known = [each.facts for each in judged if each.facts is not None]
    g = [facts for facts in known if facts.what == "generator"]
    d = [facts for facts in known if facts.what == "discriminator"]
    if len(g) == len(d) == 1:
        return belong(g[0], d[0])
    if len(judged) == len(known) == 2 and (g or d):
        return belong(*known)
    return None


def _pair_lines(reasons: tuple[str, ...] | None) -> Iterator[str]:
    from engine.pretrains.words import BELONG

    if reasons is None:
        return
    if not reasons:
        yield BELONG
    for reason in reasons:
        yield f"they do not belong together: {clean(reason)}"


def _is_base(folder: Path, judged: Sequence[_Judged]) -> bool:
    inside = [each.facts for each in judged if each.path.parent == folder]
    return any(facts is not None and facts.what == "xtts model" for facts in inside)


def _missing(folder: Path) -> str:
    """What an XTTS base lacks, "" when it is whole."""
    from engine.xtts import base

    try:
        base.check(folder)
    except BaseModelError as error:
        return clean(str(error))
    return ""


def _values(judged: _Judged) -> dict[str, Any]:
    facts = None if judged.facts is None else dataclasses.asdict(judged.facts)
    return {"path": str(judged.path), "facts": facts, "refused": judged.refused}
