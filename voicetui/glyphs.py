"""What takes the place of our signs where the terminal knows only ASCII."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping

from rich.cells import cell_len

_PAIRS = {
    "·": ".",
    "•": "*",
    "…": "~",
    "→": ">",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "✓": "+",
    "✗": "x",
    "●": "*",
    "○": "o",
    "◆": "*",
    "◇": "o",
    "▶": ">",
    "▸": ">",
    "▾": "v",
    "▲": "^",
    "▼": "v",
    "★": "*",
    "⚠": "!",
    "─": "-",
    "━": "=",
    "│": "|",
    "┃": "|",
    "╌": "-",
    "╵": "'",
    "‖": "=",
    "■": "#",
    "┆": ":",
    "┼": "+",
    "├": "+",
    "┤": "+",
    "└": "+",
    "┘": "+",
    "┌": "+",
    "┐": "+",
    "┴": "+",
    "┬": "+",
    "█": "#",
    "▓": "#",
    "▒": "=",
    "░": ".",
    "▁": "_",
    "▂": "_",
    "▃": "-",
    "▄": "-",
    "▅": "=",
    "▆": "=",
    "▇": "#",
    "▏": "|",
    "▎": "|",
    "▍": "|",
    "▌": "|",
    "▋": "#",
    "▊": "#",
    "▉": "#",
    "▀": "=",
    "▐": "|",
    "°": " ",
    "×": "x",
    "±": "~",
    "≈": "~",
    "≤": "<",
    "≥": ">",
    "–": "-",
    "’": "'",
    "“": '"',
    "”": '"',
    "␛": "?",
}
# One sign for one sign, so that columns stay where they are.
TO_ASCII: Mapping[int, str] = {ord(sign): plain for sign, plain in _PAIRS.items()}


def to_ascii(text: str) -> str:
    """A text as wide as it was, in ASCII; what has no sign of ours is "?" in each of its cells."""
    text = text.translate(TO_ASCII)
    if text.isascii():
        return text
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text)


# Whether Python found the locale C, POSIX or one that is not installed, and took it for UTF-8
# (PEP 540).
_MISTAKEN = bool(sys.flags.utf8_mode)


def is_ascii_terminal(
    environment: Mapping[str, str] = os.environ, *, mistaken: bool = _MISTAKEN
) -> bool:
    """Whether only ASCII can be shown: by $VOICETUI_ASCII (1 or 0), the terminal, the locale."""
    wanted = environment.get("VOICETUI_ASCII", "")
    if wanted in ("0", "1"):
        return wanted == "1"
    # The kernel's own console has letters for a few hundred signs, and none of our dots.
    if environment.get("TERM") == "linux":
        return True
    return charset(environment, mistaken=mistaken).lower().replace("-", "") != "utf8"


def charset(environment: Mapping[str, str] = os.environ, *, mistaken: bool = _MISTAKEN) -> str:
    """What the terminal's locale encodes text in.

    Where Python was `mistaken`, it may have changed LC_CTYPE (PEP 538): the others tell.
    """
    if not mistaken:
        return locale.getencoding()
    named = environment.get("LC_ALL") or environment.get("LANG") or ""
    if not named:
        # Containers set none, and most terminals know UTF-8; tmux goes by the locale.
        return "ASCII" if environment.get("TMUX") else "UTF-8"
    return "UTF-8" if named.lower().replace("-", "").endswith("utf8") else "ASCII"
