"""The one place where text from outside becomes safe to show on a terminal."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from typing import NewType

SafeText = NewType("SafeText", str)

# Format characters that hide or reorder what is read: bidirectional controls and zero-width marks.
_HIDDEN = {"Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
# Joiners that scripts such as Persian and Hindi need to be written correctly.
_KEPT = {"\u200c", "\u200d"}
_MAX_COMBINING = 8


def clean(text: str, *, keep_newlines: bool = False) -> SafeText:
    """Replace every character that a terminal could act on by a visible mark.

    Control characters become their Unicode pictures (ESC is shown as U+241B), other unsafe ones
    become U+FFFD, and stacks of more than eight combining marks or joiners are cut.
    """
    out: list[str] = []
    combining = 0
    for char in text:
        code = ord(char)
        if char == "\n" and keep_newlines:
            combining = 0
            out.append(char)
            continue
        category = unicodedata.category(char)
        if category.startswith("M") or char in _KEPT:
            combining += 1
            if combining <= _MAX_COMBINING:
                out.append(char)
            continue
        combining = 0
        if code < 0x20:
            out.append(chr(0x2400 + code))
        elif code == 0x7F:
            out.append("\u2421")
        elif 0x80 <= code < 0xA0 or category in _HIDDEN:
            out.append("\ufffd")
        else:
            out.append(char)
    return SafeText("".join(out))


def did_you_mean(wanted: str, known: Iterable[str], likeness: float = 0.4) -> str:
    """A hint at the known name that is most like the wanted one, to put behind a sentence.

    Empty when none is at least so alike (0 to 1, `difflib.get_close_matches`).
    """
    near = difflib.get_close_matches(wanted, list(known), 1, likeness)
    return f" Did you mean {near[0]}?" if near else ""
