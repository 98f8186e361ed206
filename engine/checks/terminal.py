"""What the terminal can do, as its facts and tmux tell it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from engine.checks.finding import Finding, Surroundings
from engine.text import clean

_COLUMNS = 80
_ROWS = 24
_TMUX_SECONDS = 2.0
# Since 3.2, `tmux load-buffer -w` passes a copy on to the outer terminal.
_TMUX_COPIES = (3, 2)
# tmux waits this long after Esc for the rest of a key; its default was 500 ms up to 3.5.
_SLOW_ESCAPE_MS = 100


def size(at: Surroundings) -> Iterator[Finding]:
    """Whether the console fits."""
    facts = at.terminal
    if not facts.is_tty:
        yield Finding("ok", "there is none here; commands print plain lines")
        return
    seen = f"{facts.columns}x{facts.rows}"
    if facts.columns < _COLUMNS or facts.rows < _ROWS:
        yield Finding(
            "warning",
            f"{seen}; the console is made for {_COLUMNS}x{_ROWS} and more",
            "Make the window larger, or its letters smaller.",
        )
    else:
        yield Finding("ok", seen)


def colours(at: Surroundings) -> Iterator[Finding]:
    """How many colours can be shown."""
    facts = at.terminal
    if not facts.is_tty:
        return
    term = clean(facts.term) or "not set"
    if facts.no_color:
        yield Finding("ok", "none, as NO_COLOR asks")
    elif facts.colours >= 256:
        count = "16.7 million" if facts.colours > 256 else str(facts.colours)
        yield Finding("ok", f"{count} (TERM is {term})")
    else:
        yield Finding(
            "warning",
            f"{facts.colours or 'none'} (TERM is {term})",
            "If the terminal can show more, run 'export TERM=xterm-256color' before voicetui.",
        )


def letters(at: Surroundings) -> Iterator[Finding]:
    """Whether signs beyond ASCII can be shown."""
    facts = at.terminal
    if not facts.is_tty:
        return
    if facts.encoding.lower().replace("-", "") == "utf8":
        yield Finding("ok", "UTF-8: charts are drawn with braille dots")
    else:
        yield Finding(
            "warning",
            f"{clean(facts.encoding) or 'ASCII'}: charts are drawn with plain letters",
            "Set a UTF-8 locale before voicetui: 'export LANG=C.UTF-8'.",
        )


def tmux(at: Surroundings) -> Iterator[Finding]:
    """tmux's version and the options that the console meets."""
    if not at.terminal.is_tty:
        return
    if at.terminal.multiplexer == "screen":
        yield Finding("ok", "GNU screen keeps the console open when the connection is lost")
    elif at.terminal.multiplexer == "tmux":
        yield from _tmux()
    elif at.environment.get("SSH_TTY"):
        yield Finding(
            "warning",
            "not in use: with the connection the console is gone (a run goes on)",
            "Start 'tmux' first and voicetui in it; 'tmux attach' brings it back.",
        )


def _tmux() -> Iterator[Finding]:
    version = _run("-V").removeprefix("tmux ")
    yield Finding("ok", version)
    escape = _option("escape-time")
    if escape.isdecimal() and int(escape) > _SLOW_ESCAPE_MS:
        yield Finding(
            "warning",
            f"{escape} ms: the Esc key acts late",
            "Run 'tmux set -s escape-time 20', and put 'set -s escape-time 20' into ~/.tmux.conf.",
            "tmux escape-time",
        )
    else:
        yield Finding("ok", f"{escape} ms", name="tmux escape-time")
    inner = _option("default-terminal")
    if inner.startswith(("tmux", "screen")) and inner.endswith(("256color", "direct")):
        yield Finding("ok", inner, name="tmux default-terminal")
    else:
        yield Finding(
            "warning",
            f"{inner}: fewer colours, or wrong ones",
            "Put 'set -g default-terminal tmux-256color' into ~/.tmux.conf and start tmux anew.",
            "tmux default-terminal",
        )
    keys = _option("extended-keys")
    yield Finding("ok", f"{keys}; no key of the console needs them", name="tmux extended-keys")


def clipboard(at: Surroundings) -> Iterator[Finding]:
    """How a copy gets from here to the person's own machine."""
    facts = at.terminal
    if not facts.is_tty:
        return
    if facts.multiplexer == "screen":
        yield Finding(
            "warning",
            "GNU screen lets no copy through; texts are shown and written to a file",
            "Use tmux in its place.",
        )
    elif facts.multiplexer == "tmux":
        yield _tmux_clipboard()
    else:
        yield Finding("ok", "by OSC 52, where the terminal allows it; shown and in a file too")


def _tmux_clipboard() -> Finding:
    version = re.search(r"(\d+)\.(\d+)", _run("-V"))
    if version and (int(version[1]), int(version[2])) < _TMUX_COPIES:
        return Finding(
            "warning",
            "this tmux is too old to pass copies on; texts are shown and written to a file",
            "Install tmux 3.2 or newer.",
        )
    setting = _option("set-clipboard")
    if setting == "off":
        return Finding(
            "warning",
            "tmux's set-clipboard is off, so copies stay in tmux",
            "Run 'tmux set -s set-clipboard on', and put it into ~/.tmux.conf.",
        )
    return Finding("ok", f"by 'tmux load-buffer -w' (set-clipboard is {setting})")


def _option(name: str) -> str:
    """An option of the server, or of all sessions where this tmux keeps it there."""
    return _run("show", "-sv", name) or _run("show", "-gv", name) or "unknown"


def _run(*arguments: str) -> str:
    """What tmux answers; "" when it does not know. Raises FileNotFoundError and TimeoutExpired."""
    done = subprocess.run(
        ["tmux", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TMUX_SECONDS,
        check=False,
    )
    return clean(done.stdout.decode(errors="replace").strip()) if done.returncode == 0 else ""
