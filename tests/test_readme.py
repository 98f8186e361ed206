"""The README tells what the program does, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import errors
from voicetui import cli, exit_codes

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def _commands() -> set[str]:
    app = cli._make_app()
    return {command.name or command.callback.__name__ for command in app.registered_commands}


def test_the_reference_names_every_command_and_no_other() -> None:
    reference = README.partition("## Commands")[2].partition("## Where things are")[0]
    rows = "\n".join(line for line in reference.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`voicetui ([a-z-]+)", rows)) == _commands()


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
