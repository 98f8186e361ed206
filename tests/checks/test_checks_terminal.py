"""What the doctor says of terminals, with a made tmux on PATH."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.checks import terminal
from engine.checks.finding import Finding, Surroundings, TerminalFacts
from engine.hub import never_stop

GOOD = TerminalFacts(True, 120, 40, "utf-8", 256, "xterm-256color")
IN_TMUX = replace(GOOD, multiplexer="tmux")

TMUX = """#!/bin/sh
[ "$1" = -V ] && echo "tmux {version}" && exit
[ "$2" = {flag} ] || exit 1
case "$3" in
  set-clipboard) echo {clipboard};;
  escape-time) echo {escape};;
  default-terminal) printf 'tmux-256color\\033[2J\\n' | cut -c1-{term};;
  extended-keys) echo off;;
esac
"""


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a tmux with these answers first on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def put(
        version: str = "3.4",
        clipboard: str = "external",
        escape: str = "20",
        term: int = 13,
        flag: str = "-sv",
    ) -> None:
        script = tmp_path / "tmux"
        script.write_text(
            TMUX.format(version=version, clipboard=clipboard, escape=escape, term=term, flag=flag)
        )
        script.chmod(0o755)

    return put


def look(
    find: Callable[[Surroundings], object], facts: TerminalFacts, **environment: str
) -> dict[str, Finding]:
    found = find(Surroundings(None, facts, environment, never_stop))
    assert not isinstance(found, list)
    return {one.name: one for one in found}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (GOOD, "ok"),
        (replace(GOOD, columns=80, rows=24), "ok"),
        (replace(GOOD, columns=79), "warning"),
        (replace(GOOD, rows=23), "warning"),
        (replace(GOOD, is_tty=False, columns=1), "ok"),
    ],
)
def test_size(facts: TerminalFacts, level: str) -> None:
    assert look(terminal.size, facts)[""].level == level


@pytest.mark.parametrize(
    ("facts", "level", "seen"),
    [
        (GOOD, "ok", "256"),
        (replace(GOOD, colours=1 << 24), "ok", "16.7 million"),
        (replace(GOOD, colours=16, term="xterm\x1b"), "warning", "16 (TERM is xterm\u241b)"),
        (replace(GOOD, colours=0, term=""), "warning", "none (TERM is not set)"),
        (replace(GOOD, colours=0, no_color=True), "ok", "NO_COLOR"),
    ],
)
def test_colours(facts: TerminalFacts, level: str, seen: str) -> None:
    found = look(terminal.colours, facts)[""]
    assert found.level == level
    assert seen in found.seen


def test_letters() -> None:
    assert look(terminal.letters, GOOD)[""].level == "ok"
    ascii_only = look(terminal.letters, replace(GOOD, encoding="ANSI_X3.4-1968"))[""]
    assert ascii_only.level == "warning"
    assert "LANG=C.UTF-8" in ascii_only.remedy


def test_without_a_terminal_there_is_nothing_to_say() -> None:
    none = replace(IN_TMUX, is_tty=False)
    for find in (terminal.colours, terminal.letters, terminal.tmux, terminal.clipboard):
        assert look(find, none, SSH_TTY="/dev/pts/1") == {}


@pytest.mark.parametrize("flag", ["-sv", "-gv"])
def test_a_tmux_that_is_set_well(tmux: Callable[..., None], flag: str) -> None:
    tmux(flag=flag)
    found = look(terminal.tmux, IN_TMUX)
    assert {one.level for one in found.values()} == {"ok"}
    assert found["tmux escape-time"].seen == "20 ms"
    assert found["tmux default-terminal"].seen == "tmux-256color"
    assert "load-buffer" in look(terminal.clipboard, IN_TMUX)[""].seen


def test_a_tmux_that_is_not(tmux: Callable[..., None]) -> None:
    tmux(escape="500", clipboard="off", term=4)
    found = look(terminal.tmux, IN_TMUX)
    assert found["tmux escape-time"].level == "warning"
    assert "set -s escape-time 20" in found["tmux escape-time"].remedy
    assert found["tmux default-terminal"].level == "warning"
    assert look(terminal.clipboard, IN_TMUX)[""].level == "warning"


def test_what_tmux_says_is_made_safe(tmux: Callable[..., None]) -> None:
    tmux(term=40)
    assert "\x1b" not in look(terminal.tmux, IN_TMUX)["tmux default-terminal"].seen


def test_an_old_tmux_passes_no_copy_on(tmux: Callable[..., None]) -> None:
    tmux(version="3.1c")
    assert "3.2" in look(terminal.clipboard, IN_TMUX)[""].remedy


def test_screen_and_plain_ssh() -> None:
    in_screen = replace(GOOD, multiplexer="screen")
    assert look(terminal.clipboard, in_screen)[""].level == "warning"
    assert look(terminal.tmux, in_screen)[""].level == "ok"
    assert look(terminal.tmux, GOOD, SSH_TTY="/dev/pts/1")[""].level == "warning"
    assert look(terminal.tmux, GOOD) == {}
    assert "OSC 52" in look(terminal.clipboard, GOOD)[""].seen
