"""Hearing and copying from far away."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from helpers_jobs import make_project
from helpers_terminal import OnTerminal, wait_until
from helpers_tmux import Tmux
from textual.app import App

from engine import places, recent
from voicetui import listening

SSH = "192.0.2.9 51000 198.51.100.7 22"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but what a test puts there; neither tmux, sound nor SSH around."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("TMUX", "PULSE_SERVER", "PIPEWIRE_REMOTE", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def clipboard_file() -> str:
    return (places.state_dir() / listening.CLIPBOARD_NAME).read_text()


def test_the_line_names_the_address_by_which_ssh_came() -> None:
    line = listening.fetch_command(Path("/voice/a.wav"), environ={"SSH_CONNECTION": SSH})
    assert line.startswith("scp ")
    assert line.endswith("@198.51.100.7:/voice/a.wav .")


def test_the_line_names_another_port_and_brackets_ipv6() -> None:
    environ = {"SSH_CONNECTION": "::1 51000 2001:db8::7 2222"}
    line = listening.fetch_command(Path("/voice/a.wav"), environ=environ)
    assert line.startswith("scp -P 2222 ")
    assert "@[2001:db8::7]:/voice/a.wav" in line


def test_a_hostile_name_stays_one_word_of_the_shell() -> None:
    name = "/voice/$(touch x); 'a' b.wav"
    command, place, here = shlex.split(listening.fetch_command(Path(name), environ={}))
    assert (command, here) == ("scp", ".")
    assert place.endswith(f":{name}")


def test_one_line_brings_several_files() -> None:
    words = shlex.split(listening.fetch_command(Path("/a.wav"), Path("/b.wav"), environ={}))
    assert [word.rpartition(":")[2] for word in words[1:3]] == ["/a.wav", "/b.wav"]


def test_sound_is_played_where_there_is_some(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tools, "pw-play", f'printf %s "$1" > {tmp_path}/played')
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    heard = listening.listen(App(), tmp_path / "a.wav")
    assert heard.playing
    assert "pw-play" in heard.told
    wait_until(lambda: (tmp_path / "played").exists(), "the player")
    wait_until(
        lambda: (tmp_path / "played").read_text() == str(tmp_path / "a.wav"), "what was played"
    )


def test_over_ssh_the_line_is_copied_instead(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tools, "pw-play", f"touch {tmp_path}/played")
    monkeypatch.setenv("SSH_CONNECTION", SSH)
    app: App[None] = App()
    heard = listening.listen(app, tmp_path / "a.wav")
    assert not heard.playing
    assert app.clipboard == heard.command
    assert clipboard_file() == heard.command + "\n"
    assert not (tmp_path / "played").exists()


def test_under_tmux_its_buffer_is_used(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tools, "tmux", f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/buffer')
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    app: App[None] = App()
    copied = listening.copy(app, "some text")
    assert (tmp_path / "arguments").read_text().split() == ["load-buffer", "-w", "-"]
    assert (tmp_path / "buffer").read_text() == "some text"
    assert "tmux's buffer" in copied.told
    assert not app.clipboard


def test_an_old_tmux_gets_the_text_without_the_option(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tools, "tmux", f'[ "$2" = -w ] && exit 1; cat > {tmp_path}/buffer')
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    assert "tmux's buffer" in listening.copy(App(), "some text").told
    assert (tmp_path / "buffer").read_text() == "some text"


def test_what_tmux_refused_is_not_called_copied(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tools, "tmux", "exit 1")
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    copied = listening.copy(App(), "some text")
    assert "refused" in copied.told
    assert "clipboard.txt" in copied.told
    assert clipboard_file() == "some text\n"


def test_a_name_that_is_not_utf8_can_be_copied(tools: Path) -> None:
    name = os.fsdecode(b"/voice/\xff.wav")
    listening.copy(App(), name)
    stored = (places.state_dir() / listening.CLIPBOARD_NAME).read_bytes()
    assert stored == b"/voice/\xff.wav\n"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_tmux_itself_has_the_text(home: Path) -> None:
    text = "scp 'a b'$(x)\n漢 [b]"
    window = Tmux({"HOME": str(home)})
    try:
        call = "from voicetui import listening; from textual.app import App; "
        window.type(sys.executable, "-c", f"{call}print(listening.copy(App(), {text!r}).told)")
        window.wait_for("In tmux's buffer")
        assert window.buffer() == text
    finally:
        window.close()


def test_outside_of_tmux_the_terminal_gets_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    folder = make_project(tmp_path / "a voice 漢")
    recent.remember(folder)
    child = OnTerminal.forked("quick", "open")
    try:
        child.wait_for(b"Folder")
        child.press(b"y")
        child.wait_for(b"clipboard.txt")
        child.press(b"q")
        assert child.end() == 0
    finally:
        child.close()
    (copied,) = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", child.seen)
    assert base64.b64decode(copied).decode() == str(folder)
    assert clipboard_file() == f"{folder}\n"
