"""Commands that do the work: new, prepare, train, export, say, fetch, demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from engine.errors import FailedError, InputError
from engine.events import fields_of
from engine.text import clean, did_you_mean
from voicetui.commands.options import (
    Checkpoint,
    Json,
    Mouse,
    Plain,
    ProjectDir,
    Sets,
    project_with,
    shown,
    values_of,
    wants_console,
)
from voicetui.output import show

if TYPE_CHECKING:
    from engine.project import Project
    from engine.session import Session


def new(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to make.", show_default=False)
    ],
    language: Annotated[
        str, typer.Option(help="Language of the recordings: en, de, zh-cn …", show_default=False)
    ],
    more: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", help="More sources, so that '--source *.wav' works.", show_default=False
        ),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--source",
            metavar="PATH",
            help="A recording or a folder of them; may be given again.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the voice; that of the folder unless given.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIR",
            help="Base to start from: a folder with its six files, or a name that "
            "'voicetui bases' lists; xtts-v2.0.3 unless given.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Training profile; standard unless given."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a setting of the project; 'voicetui settings' lists them.",
            show_default=False,
        ),
    ] = None,
    allow_new_language: Annotated[
        bool,
        typer.Option(
            "--allow-new-language",
            help="Take a language that the base does not know; 'voicetui vocab' adds it.",
        ),
    ] = False,
) -> None:
    """Make a voice project from recordings."""
    from engine import profile as profiles
    from engine import project, recent
    from engine.xtts import base as bases

    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"{clean(str(folder))} is a file. The project's folder comes first: "
            "voicetui new DIR --language en --source PATH."
        )
    made = project.create(
        folder,
        name=name if name is not None else folder.resolve().name,
        language=language,
        sources=[*(source or []), *(more or [])],
        base=base or project.DEFAULT_BASE,
        profile_name=profile or profiles.DEFAULT,
        values=values_of(sets),
        allow_new_language=allow_new_language,
    )
    # The console lists it from now on.
    recent.remember(folder)
    show(f"made {shown(folder)}: voice {clean(made.name)}, {made.language}, {made.profile}")
    if not made.sources:
        show(f"next: name its recordings as sources in {shown(folder / project.FILE_NAME)}")
    if bases.vocab_of(made.base_reference) is None:
        show(f"next: voicetui fetch {made.base}")
    show(f"next: voicetui prepare {shown(folder)}")
    if made.new_language:
        show(f"then: voicetui vocab {shown(folder)}  (teaches the base {clean(made.language)})")


def prepare(
    folder: ProjectDir,
    sets: Sets = None,
    plain: Plain = False,
    mouse: Mouse = False,
    as_json: Json = False,
) -> None:
    """Turn the recordings into clips with their texts."""
    from voicetui import preparing

    project = project_with(folder, sets)
    if wants_console(plain=plain, as_json=as_json):
        _open_on(folder, preparing.session(project, may_fetch=True), mouse=mouse)
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        runner.complete(preparing.session(project, may_fetch=True))
        step = "vocab" if project.new_language else "train"
        runner.say(f"next: voicetui {step} {shown(folder)}")


def _open_on(folder: Path, session: Session, *, mouse: bool) -> NoReturn:
    """Show a session in the console, from its beginning."""
    from voicetui.console import open_console

    raise typer.Exit(
        open_console(lambda console: console.open_session(folder, session), mouse=mouse)
    )


def train(
    folder: ProjectDir,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest run; refuse if there is none.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin a new run beside the earlier ones.")
    ] = False,
    inexact: Annotated[
        bool,
        typer.Option("--inexact", help="Go on even where settings, data or versions changed."),
    ] = False,
    more: Annotated[
        int | None,
        typer.Option(
            "--more",
            metavar="N",
            min=1,
            max=10_000,
            help="Go on with the newest run for N epochs more, also when it is finished.",
            show_default=False,
        ),
    ] = None,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Measure which batch fits into this machine; train nothing."),
    ] = False,
    sets: Sets = None,
    plain: Plain = False,
    mouse: Mouse = False,
    as_json: Json = False,
) -> None:
    """Train the voice; an unfinished run goes on where it stopped.

    Ctrl-C stops safely after the current step; a second one ends at once, and the last saved
    checkpoint stays whole. Closing the terminal does not stop it: see 'voicetui attach'.
    """
    from engine.xtts import train as training

    if resume and fresh:
        raise InputError("--resume and --fresh exclude each other; give one of them.")
    if fresh and more is not None:
        raise InputError("--more continues a run and --fresh begins one; give one of them.")
    project = project_with(folder, sets)
    if plan:
        _plan(project, as_json=as_json)
        return
    if more is not None:
        from engine.training import runs

        project, resume = runs.with_more(project, more), True

    def begin() -> Session:
        return training.session(project, resume=resume, fresh=fresh, inexact=inexact)

    if wants_console(plain=plain, as_json=as_json):
        _open_on(folder, begin(), mouse=mouse)
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        runner.complete(begin())
        runner.say(f"next: voicetui export {shown(folder)}")


def _plan(project: Project, *, as_json: bool) -> None:
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        from engine.xtts import plan_process
        from voicetui import plain_training

        runner.say("measuring a training step with the longest clips; this takes up to a minute")
        found = plan_process.measure(project, check=runner.raise_if_stopped, emit=lambda _: None)
        for line in plain_training.plan_lines(found):
            runner.say(line)
        runner.result(fields_of(found))
    if not found.fits:
        raise FailedError(found.why)


def export(
    folder: ProjectDir,
    checkpoint: Checkpoint = "best",
    name: Annotated[
        str | None,
        typer.Option(help="Folder below export/; the name of the voice unless given."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an export of the same name.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a model folder that coqui's XTTS and AllTalk load as it is."""
    from voicetui.run import running

    project = project_with(folder)
    with running(as_json=as_json) as runner:
        from engine.xtts import export

        runner.complete(export.session(project, checkpoint=checkpoint, name=name, force=force))
        runner.say(f'next: voicetui say {shown(folder)} "Hello." -o hello.wav')


def say(
    folder: ProjectDir,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to speak.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The wav file to write.", show_default=False
        ),
    ],
    checkpoint: Checkpoint = "best",
    voice: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Speak as a voice that the base learned before.",
            show_default=False,
        ),
    ] = "",
    language: Annotated[
        str,
        typer.Option(
            metavar="CODE",
            help="Language of the text; the one that the voice was trained in unless given.",
            show_default=False,
        ),
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Start of the random choices.")] = 0,
    as_json: Json = False,
) -> None:
    """Speak a text with a checkpoint of the voice; DIR may be an export as well."""
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        from engine import languages
        from engine.xtts import speak, speak_export

        code = languages.normal(language)
        if speak_export.is_export(folder):
            spoken = speak_export.say(
                folder, text, out, voice=voice, language=code, seed=seed,
                check=runner.raise_if_stopped,
            )  # fmt: skip
        else:
            spoken = speak.say(
                project_with(folder), text, out, which=checkpoint, earlier=voice, language=code,
                seed=seed, check=runner.raise_if_stopped,
            )  # fmt: skip
        runner.say(f"{shown(spoken.path)}: {spoken.seconds:.1f} s, spoken with step {spoken.step}")
        runner.result({"path": str(spoken.path), "seconds": spoken.seconds, "step": spoken.step})


def fetch(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A base of 'voicetui bases', or a Whisper model: small, large-v3 …",
            show_default=False,
        ),
    ],
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the licence of the base.")
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="Take the base from this folder, for a machine without the network.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring a base or a speech recognition model to this machine.

    What was fetched before an interruption is kept, and the same command goes on from there.
    """
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        from engine.dataset.hearing import whisper_fetch
        from engine.xtts import base as bases
        from engine.xtts import fetch

        progress, check = runner.progress(name), runner.raise_if_stopped
        if name in whisper_fetch.REPOSITORIES:
            if source is not None:
                raise InputError("--from is for bases; give a Whisper folder as asr_model instead.")
            path = whisper_fetch.fetch(name, progress=progress, check=check)
        elif name not in bases.known():
            raise InputError(_nothing_called(name, [*bases.known(), *whisper_fetch.REPOSITORIES]))
        elif source is not None:
            path = fetch.import_folder(name, source, progress=progress, check=check)
        else:
            path = fetch.fetch(name, accept_licence=accept_licence, progress=progress, check=check)
        runner.say(f"{name} is in {shown(path)}")
        runner.result({"name": name, "path": str(path)})


def _nothing_called(name: str, names: list[str]) -> str:
    hint = did_you_mean(name, names)
    return f"There is nothing called {clean(name)!r} to fetch.{hint} Names: {', '.join(names)}."


def demo(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where the demo voice is made.")
    ] = Path("voicetui-demo"),
    plain: Plain = False,
    mouse: Mouse = False,
    as_json: Json = False,
) -> None:
    """Make a voice from bundled speech, the whole road in a minute or two.

    Its base is tiny and holds random weights, so that nothing must be fetched: what the voice
    speaks is noise.
    """
    if wants_console(plain=plain, as_json=as_json):
        from voicetui.console import open_console

        raise typer.Exit(open_console(lambda console: console.open_demo(folder), mouse=mouse))
    from voicetui.run import running

    with running(as_json=as_json) as runner:
        from voicetui.demo import road

        result = road.run(folder, runner.complete)
        runner.say(f"done: {shown(result)}")
        runner.say(
            "It speaks noise, because the demo's base holds random weights. For a real voice:"
        )
        for line in (
            "voicetui fetch xtts-v2.0.3 --accept-licence",
            "voicetui new my-voice --language en --source PATH",
            "voicetui prepare my-voice && voicetui train my-voice && voicetui export my-voice",
        ):
            runner.say(f"    {line}")
