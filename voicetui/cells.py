"""Text in the form in which terminals agree how many cells it takes.

A character that takes more or fewer cells than we count moves everything behind it. So what
terminals draw in different ways is left out or replaced, and Rich's table of widths is mended.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

import rich.cells
from rich.cells import CellTable, cell_len

from engine.text import clean
from voicetui.glyphs import TO_ASCII, to_ascii

# Joins emoji to one in some terminals; chooses the look and width of the sign before it; tints it.
_DISPUTED = re.compile("[\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f3fb-\U0001f3ff]")
# Letters that show nothing: Hangul fillers.
_BLANK = re.compile("[\u115f\u1160\u3164\uffa0]")
# Latin, Greek, Cyrillic, kana, Han, Hangul, and the signs that the console draws with.
_CERTAIN = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038e-\u03a1"
    "\u03a3-\u0482\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff"
    f"\uac00-\ud7a3{''.join(map(chr, TO_ASCII))}]*"
)
_LONGEST_KEPT = 1000


def is_certain(text: str) -> bool:
    """Whether every terminal draws the text in as many cells as we count."""
    return _CERTAIN.fullmatch(text) is not None


def shown(text: str, *, ascii_only: bool = False) -> str:
    """A text as the terminal gets it: no control character, every width beyond doubt.

    With `ascii_only` each cell that ASCII cannot fill shows "?".
    """
    if not is_certain(text):
        text = _settled(text) if len(text) <= _LONGEST_KEPT else _settled.__wrapped__(text)
    return to_ascii(text) if ascii_only and not text.isascii() else text


@lru_cache(4096)
def _settled(text: str) -> str:
    # What was hidden may have stood between a sign and its marks; then they are too many.
    safe = clean(_BLANK.sub("\ufffd", _DISPUTED.sub("", text)))
    # A mark without a letter would be drawn onto what stands before the text.
    return f"◌{safe}" if safe and not cell_len(safe[0]) else safe


def settle_widths() -> None:
    """Let Rich count marks that stand beside their letter, as those of Hindi do, as one cell.

    Rich 15 counts none for them, tmux, xterm and most others one: whole lines were too wide.
    """
    rich_cells: Any = rich.cells
    table: CellTable = rich_cells.load_cell_table("auto")
    widths = tuple(part for entry in table.widths for part in _mended(*entry))
    if widths == tuple(table.widths):
        return
    mended = CellTable(table.unicode_version, widths, table.narrow_to_wide)
    rich_cells.load_cell_table = lambda _version="auto": mended
    rich.cells.get_character_cell_size.cache_clear()
    rich.cells.cached_cell_len.cache_clear()


def _mended(start: int, end: int, width: int) -> list[tuple[int, int, int]]:
    """A range of the table without the marks that take a cell; what is not listed takes one."""
    if width or start > 0xFFFF:
        return [(start, end, width)]
    codes = [code for code in range(start, end + 1) if unicodedata.category(chr(code)) != "Mc"]
    parts: list[tuple[int, int, int]] = []
    for code in codes:
        if parts and parts[-1][1] == code - 1:
            parts[-1] = (parts[-1][0], code, width)
        else:
            parts.append((code, code, width))
    return parts
