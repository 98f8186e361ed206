"""Hearing a wav file from a console that may run far away, and copying text out of it.

Where sound can be played it is played. Over SSH it cannot, so a ready line for the person's own
shell is copied instead. Whether a copy arrived is known to nobody on this side of a terminal, so it
is also shown, and written to a file.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App

from engine import places
from engine.errors import DiskFullError
from engine.files import write_bytes
from engine.text import clean

CLIPBOARD_NAME = "clipboard.txt"
_SSH_PORT = "22"
_TMUX_SECONDS = 1.0
# What plays a wav file and then ends, in the order in which they are tried.
_PLAYERS: tuple[tuple[str, ...], ...] = (
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"),
)


@dataclass(frozen=True)
class Copied:
    """What became of a text that was to be copied; `told` says it to a person."""

    text: str
    told: str


@dataclass(frozen=True)
class Heard:
    """How a wav file can be heard. `command` fetches it to a person's own machine."""

    path: Path
    playing: bool
    command: str
    told: str


def listen(app: App[Any], path: Path) -> Heard:
    """Play a wav file, or copy the line that fetches it to where it can be heard."""
    command = fetch_command(path)
    player = _player()
    if player is not None and _play(player, path):
        return Heard(path, True, command, f"Playing with {player[0]}.")
    copied = copy(app, command)
    return Heard(
        path, False, command, f"No sound here; run the line on your own machine. {copied.told}"
    )


def fetch_command(*paths: Path, environ: Mapping[str, str] | None = None) -> str:
    """The scp line that brings files of this machine to the person's own."""
    environ = os.environ if environ is None else environ
    # "client address, client port, server address, server port": the address that reached us.
    parts = environ.get("SSH_CONNECTION", "").split()
    host, port = (parts[2], parts[3]) if len(parts) == 4 else (socket.gethostname(), _SSH_PORT)
    if ":" in host:
        host = f"[{host}]"
    quoted = [shlex.quote(f"{_user()}@{host}:{path.absolute()}") for path in paths]
    return " ".join(["scp", *([] if port == _SSH_PORT else ["-P", port]), *quoted, "."])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # containers run processes of users without a name
        return "USER"


def _player(environ: Mapping[str, str] | None = None) -> tuple[str, ...] | None:
    environ = os.environ if environ is None else environ
    if not _has_sound(environ):
        return None
    return next((player for player in _PLAYERS if shutil.which(player[0])), None)


def _has_sound(environ: Mapping[str, str]) -> bool:
    """Whether the person who sits before the terminal would hear what is played here."""
    if environ.get("PULSE_SERVER") or environ.get("PIPEWIRE_REMOTE"):
        return True
    # The sound card of a machine at the other end of a wire is heard by nobody.
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    with contextlib.suppress(OSError):
        return "no soundcards" not in Path("/proc/asound/cards").read_text(errors="replace")
    return False


def _play(player: tuple[str, ...], path: Path) -> bool:
    try:
        process = subprocess.Popen(
            [*player, str(path.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    # Somebody must take note of its end, or it stays as a zombie.
    threading.Thread(target=process.wait, name="voicetui-player", daemon=True).start()
    return True


def copy(app: App[Any], text: str) -> Copied:
    """Copy a text by the road that has a chance here, and write it to a file in any case."""
    if os.environ.get("TMUX"):
        road = (
            "In tmux's buffer (prefix ]) and in"
            if _into_tmux(text)
            else "tmux refused it; it is in"
        )
    else:
        # A file name that is not UTF-8 cannot travel this way whole.
        app.copy_to_clipboard(os.fsencode(text).decode(errors="replace"))
        # Whether it arrived there is not known.
        road = "Sent to your clipboard, else it is in"
    path = places.state_dir() / CLIPBOARD_NAME
    try:
        write_bytes(path, os.fsencode(text) + b"\n")
    except (OSError, DiskFullError):
        return Copied(text, f"{road} no file: {clean(str(path))} cannot be written")
    # One line of 80 columns.
    return Copied(text, f"{road} {clean(_short(path))}")


def _into_tmux(text: str) -> bool:
    # -w also hands it to the terminal outside (from tmux 3.2 on).
    for options in (("-w",), ()):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(
                ["tmux", "load-buffer", *options, "-"],
                input=os.fsencode(text),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TMUX_SECONDS,
                check=False,
            )
            if done.returncode == 0:
                return True
    return False


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
