"""Lines of styled text: what the console's own widgets draw.

A line is a list of (text, style) pairs. Text is never parsed as markup, and every character that a
terminal could act on is made visible when it is drawn.
"""

from __future__ import annotations

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from voicetui.cells import shown

Span = tuple[str, str]
Line = list[Span]

STYLES = (
    "dim",
    "bold",
    "good",
    "bad",
    "warn",
    "accent",
    "title",
    "head",
    "one",
    "two",
    "three",
    "faint",
    "cursor",
    "chosen",
    "inverse",
)


# What a screen with such widgets has for its COMPONENT_CLASSES. Textual works out the styles of each
# anew for every node that changes: a widget of its own would have them worked out hundreds of times.
STYLE_CLASSES = frozenset(f"is-{name}" for name in STYLES)


class Styled(Widget):
    """Base of widgets that draw lines by Textual's line API, on screens that have STYLE_CLASSES."""

    def style_of(self, name: str) -> Style:
        """A style by its short name, without background except for "cursor" and "inverse"."""
        if not name:
            return Style.null()
        styles = self.screen.get_component_rich_style
        return Style.combine([styles(f"is-{part}", partial=True) for part in name.split()])

    def strip_of(self, line: Line, width: int, under: str = "") -> Strip:
        """A line as wide as asked, on the widget's background or on the style `under`.

        Where it is cut, a mark tells so.
        """
        ascii_only = getattr(self.app, "ascii_only", False)
        cut = shown("…", ascii_only=ascii_only)
        # Of 16 colours, few can be read on that of the cursor.
        one_style = under == "cursor" and getattr(self.app, "few_colours", False)
        segments: list[Segment] = []
        used = 0
        for text, name in line:
            text = shown(text, ascii_only=ascii_only)
            length = cell_len(text)
            if used + length > width:
                room = width - used
                is_cut = used + cell_len(text.rstrip()) > width
                text = set_cell_size(text, room - 1) + cut if is_cut else set_cell_size(text, room)
                length = room
            segments.append(Segment(text, self.style_of("" if one_style else name)))
            used += length
            if used >= width:
                break
        if used < width:
            segments.append(Segment(" " * (width - used)))
        strip = Strip(segments, width)
        base = self.rich_style + self.style_of(under) if under else self.rich_style
        return strip.apply_style(base)


def plain(line: Line) -> str:
    """The text of a line."""
    return "".join(text for text, _ in line)


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Text in exactly `width` cells, with "…" where it is cut."""
    text = shown(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""
    pad = " " * (width - length)
    return pad + text if right else text + pad


def wrapped(text: str, width: int) -> list[str]:
    """Text broken at spaces into lines of at most `width` cells."""
    lines: list[str] = []
    current = ""
    for word in shown(" ".join(text.split())).split(" "):
        if current and cell_len(current) + 1 + cell_len(word) <= width:
            current += " " + word
            continue
        if current:
            lines.append(current)
        *whole, current = chop_cells(word, width) if cell_len(word) > width > 0 else [word]
        lines += whole
    return [*lines, current] if current or not lines else lines
