"""A person's own keys: what keys.toml may hold, where they show, and what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from helpers_console import make_console, screen_text
from helpers_jobs import make_project
from helpers_terminal import OnTerminal

from engine.doctor import Check
from engine.errors import SettingError
from voicetui import cli, keymap, keys
from voicetui.app import Console
from voicetui.screens.doctor import DoctorScreen


def write(text: str) -> Path:
    path = keymap.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_nothing_is_changed() -> None:
    assert keymap.load() == {}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("R", "R"),
        ("shift+r", "R"),
        ("?", "question_mark"),
        (",", "comma"),
        ("f6", "f6"),
        ("Ctrl-X", "ctrl+x"),
        ("ctrl+X", "ctrl+x"),
        ("PgUp", "pageup"),
        ("Enter", "enter"),
        ("x, ctrl+y", "x,ctrl+y"),
        ("ctrl+i", "tab"),
        ("exclamation_mark", "exclamation_mark"),
        ("é", "é"),
    ],
)
def test_keys_are_read_as_people_write_them(written: str, key: str) -> None:
    assert ",".join(keymap.normal(k, "it") for k in keymap._split(written)) == key


def test_own_keys_are_loaded() -> None:
    write('"doctor.again" = "R"\n"list.page_down" = "pagedown,ctrl+f"\n')
    assert keymap.load() == {"doctor.again": "R", "list.page_down": "pagedown,ctrl+f"}


def test_two_keys_can_change_places() -> None:
    write('"doctor.again" = "y"\n"doctor.copy" = "r"\n')
    assert keymap.load() == {"doctor.again": "y", "doctor.copy": "r"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("doctor.again = R", "is not valid TOML"),
        ('doctor.again = "R"', "put the name of a key in quotes"),
        ('"doctor.agin" = "R"', "no key called 'doctor.agin'. Did you mean doctor.again?"),
        ('"doctor.again" = 5', 'must be a key such as "x"'),
        ('"doctor.again" = ""', 'must be a key such as "x"'),
        ('"doctor.again" = "f99"', "'f99', which is no key"),
        ('"doctor.again" = "\\u001b[2J"', "which is no key"),
        ('"doctor.again" = "y"', "y is both doctor.again and doctor.copy"),
        ('"doctor.again" = "?"', r"\? is both doctor.again and everywhere.help"),
        ('"doctor.again" = "ctrl+m"', "Enter is both doctor.again and list.choose"),
        ('"doctor.again" = "Ctrl-B"', "Ctrl-B never arrives inside tmux"),
        ('"everywhere.interrupt" = "X"', "always is Ctrl-C"),
    ],
)
def test_what_is_wrong_is_refused_with_the_file_and_the_reason(text: str, told: str) -> None:
    path = write(text)
    with pytest.raises(SettingError, match=told) as refused:
        keymap.load()
    assert str(refused.value).startswith(str(path))
    assert str(refused.value).isprintable()


def _fine(*_: object) -> list[Check]:
    return [Check("driver", "GPU", "ok", "570", "")]


async def _remapped() -> None:
    write('"doctor.again" = "R"\n')
    runs: list[int] = []

    def look(*_: object) -> list[Check]:
        runs.append(1)
        return _fine()

    def opening(console: Console) -> None:
        console.push_screen(DoctorScreen(look=look))

    app = make_console(opening, keymap.load())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert " R  again" in screen_text(app).splitlines()[-1]
        await pilot.press("r")
        assert len(runs) == 1
        await pilot.press("R")
        assert len(runs) == 2
        await pilot.press("question_mark")
        await pilot.pause()
        row = next(line for line in screen_text(app).splitlines() if "Check everything" in line)
        assert row.split()[0] == "R"


def test_an_own_key_works_and_shows_in_footer_and_help() -> None:
    asyncio.run(_remapped())


def test_the_command_lists_own_keys(capsys: pytest.CaptureFixture[str]) -> None:
    write('"doctor.again" = "R"\n')
    assert cli.run(["keys"]) == 0
    out = capsys.readouterr().out
    assert "  R                doctor.again               Check everything again. (yours)" in out
    assert all(key.id in out for key in keys.TABLE)
    assert str(keymap.path()) in out


def test_a_wrong_file_is_told_before_the_console_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write('"doctor.again" = "y"\n')
    monkeypatch.setenv("TERM", "xterm-256color")
    child = OnTerminal.spawned("quick", str(make_project(tmp_path / "voice")))
    try:
        assert child.end() == 2, child.seen
        shown = child.seen.decode()
    finally:
        child.close()
    assert f"error: {path}: y is both doctor.again and doctor.copy." in " ".join(shown.split())
    assert "\x1b" not in shown
