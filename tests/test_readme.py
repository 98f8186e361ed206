"""The README tells what the program does, no more and no less."""

from __future__ import annotations

import importlib.util
import re
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from engine import errors
from voicetui import cli, exit_codes, keymap

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def _commands(app: Any) -> set[str]:
    """The names of all commands; those of a group as "pretrains list"."""
    own = {command.name or command.callback.__name__ for command in app.registered_commands}
    grouped = {
        f"{group.name} {name}"
        for group in app.registered_groups
        for name in _commands(group.typer_instance)
    }
    return own | grouped


def test_the_reference_names_every_command_and_no_other() -> None:
    reference = README.partition("## Commands")[2].partition("## Where things are")[0]
    rows = "\n".join(line for line in reference.splitlines() if line.startswith("| `"))
    told = re.findall(r"`voicetui (pretrains [a-z-]+|[a-z-]+)", rows)
    assert set(told) == _commands(cli._make_app())


def test_the_exit_codes_are_those_of_the_program() -> None:
    table = README.partition("| exit code |")[2].partition("##")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    codes = {int(code) for cell in cells for code in re.findall(r"\d+", cell)}
    assert codes == {
        exit_codes.DONE,
        exit_codes.of_type(errors.FailedError),
        exit_codes.of_type(errors.InputError),
        exit_codes.of_type(errors.RefusedError),
        exit_codes.INTERRUPTED,
        exit_codes.TERMINATED,
    }


@pytest.mark.parametrize("command", ["uv run voicetui demo", "uv run pytest"])
def test_both_commands_stand_alone_on_their_line(command: str) -> None:
    assert f"\n    pip install uv && {command}\n" in README


def test_every_name_of_a_base_and_profile_exists() -> None:
    from engine.xtts import base

    for name in re.findall(r"xtts-v[\d.]+\d", README):
        assert name in base.known()


def test_the_tables_of_keys_are_those_of_the_program() -> None:
    path = Path(__file__).parents[1] / ".ci" / "keys"
    loader = SourceFileLoader("ci_keys", str(path))
    spec = importlib.util.spec_from_loader("ci_keys", loader)
    assert spec is not None
    script = importlib.util.module_from_spec(spec)
    loader.exec_module(script)
    written = script.SECTION.findall(README)
    assert written == [script.section()], "run .ci/keys"


def test_the_example_of_own_keys_is_taken() -> None:
    section = README.partition("## Keys")[2].partition("<!-- keys")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith('    "')]
    path = keymap.path()
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    assert len(keymap.load()) == len(lines) == 2
