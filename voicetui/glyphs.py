"""What takes the place of our signs where the terminal knows only ASCII."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping

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


def is_ascii_terminal() -> bool:
    """Whether the locale, or $VOICETUI_ASCII=1, says that only ASCII can be shown."""
    if os.environ.get("VOICETUI_ASCII") == "1":
        return True
    return locale.getpreferredencoding(False).lower().replace("-", "") != "utf8"
