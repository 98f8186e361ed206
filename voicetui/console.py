"""Opens the console on this terminal, and goes on without it when it ends before the work does."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from voicetui import exit_codes, keymap
from voicetui.signals import Signals

if TYPE_CHECKING:
    from voicetui.app import Opening
    from voicetui.driver import Screen
    from voicetui.host import Host

# So long a frozen terminal may keep an ended console from closing.
_PATIENCE_SECONDS = 1.5
_LOOK_SECONDS = 0.1
_LAST_WORDS = "ended at once; the last saved checkpoint is whole\n"


def open_console(opening: Opening, *, mouse: bool = False) -> int:
    """Run the console; gives the exit code.

    What still works when it ends (the terminal is gone, the person left it, a screen crashed) goes
    on here as a plain log. Raises SettingError, before anything opens, when keys.toml is wrong.
    """
    _settle_textual()
    own_keys = keymap.load()
    from multiprocessing import resource_tracker

    from voicetui import farewell, glyphs
    from voicetui.app import Console, crash_text
    from voicetui.driver import Screen
    from voicetui.host import Host

    # Started from inside the app, it would find stand-ins for stdout and stderr, and fail.
    resource_tracker.ensure_running()
    sys.setswitchinterval(0.001)
    terminal = Screen(sys.stdout.fileno(), "ascii" if glyphs.is_ascii_terminal() else "utf-8")

    def end_now(number: int) -> None:
        terminal.reset(_LAST_WORDS)
        # The one place where the process is cut off; what was committed stays whole.
        os._exit(128 + number)

    signals = Signals()
    with signals.installed(), signals.guarded():
        host = Host(signals, end_now)
        with host.watching():
            console = Console(host, terminal, opening, own_keys)
            with _Closer(terminal, host):
                console.run(mouse=mouse)
        crash = console.crash
        if crash is not None:
            terminal.reset()
        is_there = not terminal.gone
        if is_there and crash is None:
            terminal.say(
                "".join(f"{line}\n" for line in farewell.lines(host.jobs, console.followed))
            )
        terminal.close()
        if is_there and crash is not None:
            print(crash_text(crash), file=sys.stderr, flush=True)
        _go_on_plainly(host)
    return exit_codes.FAILED if crash is not None or console.return_code else _code(host)


def _settle_textual() -> None:
    """What Textual reads from the environment when it is imported."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
    os.environ.setdefault("ESCDELAY", "60")


class _Closer:
    """Lets a console close whose terminal takes no bytes any more."""

    def __init__(self, terminal: Screen, host: Host) -> None:
        self._terminal = terminal
        self._host = host
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="voicetui-closer", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        since: float | None = None
        while not self._over.wait(_LOOK_SECONDS):
            if self._host.signals.hung_up:
                self._terminal.leave()
            if not self._is_ending():
                since = None
                continue
            since = time.monotonic() if since is None else since
            # Not sooner: what is written while closing gives the terminal back.
            if time.monotonic() - since >= _PATIENCE_SECONDS:
                self._terminal.leave()

    def _is_ending(self) -> bool:
        host = self._host
        return host.signals.reason is not None and not host.live and not host.on_the_road


def _go_on_plainly(host: Host) -> None:
    """Tell what still works as plain lines, until it ends."""
    if not host.live and not host.on_the_road:
        return
    from voicetui.run import attend

    attend(host.sessions_to_the_end(), host.signals, host.stop_all)


def _code(host: Host) -> int:
    """The exit code: that of the signal, else of the newest work that ended here."""
    if host.signals.reason is not None:
        return exit_codes.of_reason(host.signals.reason)
    outcomes = [job.outcome for job in host.jobs if job.outcome is not None]
    return exit_codes.of_outcome(outcomes[-1]) if outcomes else exit_codes.DONE
