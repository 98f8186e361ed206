"""What this process's terminal is and can do, for the doctor."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping

from engine.checks.finding import TerminalFacts
from voicetui.glyphs import charset


def terminal_facts(
    size: tuple[int, int] | None = None, environment: Mapping[str, str] = os.environ
) -> TerminalFacts:
    """The facts of the terminal behind stdout; the console, which holds one, gives its size."""
    columns, rows = size or shutil.get_terminal_size()
    return TerminalFacts(
        is_tty=size is not None or sys.stdout.isatty(),
        columns=columns,
        rows=rows,
        encoding=charset(environment),
        colours=_colours(environment),
        term=environment.get("TERM", ""),
        multiplexer=_multiplexer(environment),
        no_color=bool(environment.get("NO_COLOR")),
    )


def _colours(environment: Mapping[str, str]) -> int:
    """As Textual judges it: by COLORTERM, then by the end of TERM."""
    if environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return 1 << 24
    term = environment.get("TERM", "").strip().lower()
    if term in ("", "dumb", "unknown"):
        return 0
    if term.endswith(("-truecolor", "-direct")):
        return 1 << 24
    return 256 if term.endswith("256color") or term in ("tmux", "screen") else 16


def _multiplexer(environment: Mapping[str, str]) -> str:
    if environment.get("TMUX"):
        return "tmux"
    return "screen" if environment.get("STY") else ""
