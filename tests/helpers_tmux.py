"""A real tmux with one window, as people have it on a remote machine."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

VOICETUI = str(Path(sys.executable).with_name("voicetui"))


class Tmux:
    """A tmux server of its own. Close it in the end."""

    def __init__(
        self, environment: Mapping[str, str], *, columns: int = 80, rows: int = 24
    ) -> None:
        self._socket = f"voicetui-{uuid.uuid4().hex[:8]}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("TMUX")}
        self._environment = kept | {"LANG": "C.UTF-8"} | dict(environment)
        size = ["-x", str(columns), "-y", str(rows)]
        self._run("-u", "-f", "/dev/null", "new-session", "-d", "-s", "main", *size, "bash --norc")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def type(self, *command: str) -> None:
        """Type a command into the shell and press Enter."""
        self._run("send-keys", "-t", "main", "-l", shlex.join(command))
        self.press("Enter")

    def write(self, text: str) -> None:
        """Type text."""
        self._run("send-keys", "-t", "main", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names, one after the other."""
        for key in keys:
            self._run("send-keys", "-t", "main", key)

    def screen(self) -> str:
        """What the window shows."""
        return self._run("capture-pane", "-p", "-t", "main")

    def buffer(self) -> str:
        """What was copied last."""
        return self._run("show-buffer")

    def wait_for(self, text: str, within: float = 30.0) -> str:
        """Wait until the window shows a text; gives all that it shows."""
        deadline = time.monotonic() + within
        while text not in (seen := self.screen()):
            assert time.monotonic() < deadline, f"waited in vain for {text!r}:\n{seen}"
            time.sleep(0.05)
        return seen

    def wait_without(self, text: str, within: float = 30.0) -> str:
        """Wait until the window shows a text no more."""
        deadline = time.monotonic() + within
        while text in (seen := self.screen()):
            assert time.monotonic() < deadline, f"still there: {text!r}:\n{seen}"
            time.sleep(0.05)
        return seen

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-t", "main", "-x", str(columns), "-y", str(rows))

    def new_window(self) -> None:
        """Another shell in place of the first, which goes on unseen."""
        self._run("new-window", "-t", "main", "bash --norc")

    def close_window(self, number: int) -> None:
        """What a closed terminal does: SIGHUP to all that ran in it."""
        self._run("kill-window", "-t", f"main:{number}")

    def close(self) -> None:
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False
        )
