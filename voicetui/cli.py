"""The command line: which commands there are, and what becomes of their errors."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from engine import __version__
from engine.errors import StopRequested, VoicetuiError
from engine.text import clean
from voicetui import exit_codes
from voicetui.commands import doctor, pretrains, tables, vocab, watch, work
from voicetui.commands.options import wants_console
from voicetui.exit_codes import SessionEnded
from voicetui.output import show, tell

_PREPARE_AND_TRAIN = "Make a voice"
_WATCH = "Look after a running job"
_TABLES = "What there is"
_PRETRAINS = "pretrains"

_COMMANDS: tuple[tuple[Callable[..., None], str, str], ...] = (
    (watch.open_project, _PREPARE_AND_TRAIN, "voicetui\nvoicetui open anna"),
    (
        work.new,
        _PREPARE_AND_TRAIN,
        "voicetui new anna --language en --source recordings/\n"
        "voicetui new anna --language de --profile accent --set epochs=20 --source *.wav",
    ),
    (
        work.prepare,
        _PREPARE_AND_TRAIN,
        "voicetui prepare anna\nvoicetui prepare anna --set asr_model=small",
    ),
    (
        work.train,
        _PREPARE_AND_TRAIN,
        "voicetui train anna\n"
        "voicetui train anna --more 15\n"
        "voicetui train anna --json > events.jsonl",
    ),
    (
        work.export,
        _PREPARE_AND_TRAIN,
        "voicetui export anna\nvoicetui export anna --checkpoint last --name anna-2",
    ),
    (
        vocab.vocab,
        _PREPARE_AND_TRAIN,
        "voicetui vocab anna --dry-run\nvoicetui vocab anna --size 1000 --text more.txt",
    ),
    (work.say, _PREPARE_AND_TRAIN, 'voicetui say anna "Good morning." -o morning.wav'),
    (
        work.fetch,
        _PREPARE_AND_TRAIN,
        "voicetui fetch xtts-v2.0.3 --accept-licence\nvoicetui fetch small",
    ),
    (work.demo, _PREPARE_AND_TRAIN, "voicetui demo\nvoicetui demo --dir try-it"),
    (watch.status, _WATCH, "voicetui status anna\nvoicetui status anna --json"),
    (watch.attach, _WATCH, "voicetui attach anna\nvoicetui stop anna && voicetui attach anna"),
    (watch.stop, _WATCH, "voicetui stop anna"),
    (watch.save, _WATCH, "voicetui save anna"),
    (watch.pause, _WATCH, "voicetui pause anna"),
    (watch.resume, _WATCH, "voicetui resume anna"),
    (tables.settings, _TABLES, "voicetui settings"),
    (tables.profiles, _TABLES, "voicetui profiles"),
    (tables.bases, _TABLES, "voicetui bases"),
    (tables.keys, _TABLES, "voicetui keys\nvoicetui keys --json"),
    (doctor.doctor, _TABLES, "voicetui doctor\nvoicetui doctor anna --json"),
)


class _Group(TyperGroup):
    """Lists the commands by what they are for."""

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            assert command is not None
            panel = getattr(command, "rich_help_panel", None) or "Commands"
            panels.setdefault(panel, []).append((name, command.get_short_help_str(formatter.width)))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


def _print_version(wanted: bool) -> None:
    if wanted:
        show(f"voicetui {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Make a voice for XTTS v2: recordings in, a fine-tuned model out."""


def _examples(lines: str) -> str:
    # \b keeps the lines as they are; help texts are wrapped otherwise.
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines.splitlines())


def _make_app() -> typer.Typer:
    # Plain help: rich would cost a third of the time and sends colour codes.
    app = typer.Typer(
        cls=_Group,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(
        epilog=_examples(
            "voicetui demo\nvoicetui new anna --language en --source recordings/\n"
            "voicetui prepare anna && voicetui train anna && voicetui export anna"
        )
        + "\n\nExit codes: 0 done, 1 failed, 2 wrong use or bad input, 3 refused (says which "
        "flag allows it), 130 and 143 stopped by Ctrl-C and SIGTERM with everything saved.",
    )(_root)
    for function, panel, examples in _COMMANDS:
        app.command(_name(function), rich_help_panel=panel, epilog=_examples(examples))(function)
    app.add_typer(_make_pretrains(), name=_PRETRAINS, rich_help_panel=_TABLES)
    return app


def _make_pretrains() -> typer.Typer:
    group = typer.Typer(cls=_Group, help=pretrains.HELP, epilog=_examples(pretrains.EXAMPLES))
    for function, examples in pretrains.COMMANDS:
        group.command(_name(function), epilog=_examples(examples))(function)
    return group


def _name(function: Callable[..., None]) -> str:
    # "open" is a builtin, which no function of ours may hide.
    return function.__name__.partition("_")[0]


def _completed(arguments: Sequence[str]) -> list[str]:
    """The command line with what may be left out: 'voicetui' and 'voicetui DIR' open the console."""
    given = list(arguments)
    if not given:
        return ["open"] if wants_console() else ["--help"]
    if given == [_PRETRAINS]:
        return [*given, "--help"]
    first = given[0]
    is_command = first in {_PRETRAINS, *(_name(function) for function, _, _ in _COMMANDS)}
    if not is_command and not first.startswith("-") and os.path.isdir(first):
        return ["open", *given]
    return given


def run(arguments: Sequence[str]) -> int:
    """Run a command line and give its exit code. Errors are told on stderr, in a line."""
    try:
        code = _make_app()(_completed(arguments), prog_name="voicetui", standalone_mode=False)
    except SessionEnded as ended:
        return exit_codes.of_outcome(ended.outcome)
    except StopRequested as stop:
        tell(f"stopped by {stop.reason}")
        return exit_codes.of_reason(stop.reason)
    except VoicetuiError as error:
        tell(f"error: {clean(str(error))}")
        return exit_codes.of_type(type(error))
    except typer.TyperException as error:
        return _wrong_use(error)
    except Exception as error:  # noqa: BLE001 - the program's boundary: a line, never a traceback
        from voicetui import crashes

        tell(f"error: {crashes.report(error)}")
        return exit_codes.FAILED
    return code if isinstance(code, int) else exit_codes.DONE


def _wrong_use(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    tell(f"error: {clean(error.format_message())}")
    if context is not None:
        tell(f"'{context.command_path} --help' shows how to use it.")
    return exit_codes.WRONG_USE


def _open_closed_streams() -> None:
    """A parent may start us without stdin, stdout or stderr: nothing is read or shown there then."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def main() -> None:
    """The console script."""
    _open_closed_streams()
    faulthandler.enable()
    sys.exit(run(sys.argv[1:]))
