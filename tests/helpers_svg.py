"""Pictures of a console as small SVG files that need no font from the network."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from itertools import groupby

_CELL = 12.2
_FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)
_LINE_CLIP = re.compile(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\n?', re.DOTALL)
_TEXT = re.compile(
    r'<text class="([^"]*)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"[^>]*>([^<]*)</text>'
)
_CELLS = re.compile(
    r'(?:<rect fill="(#\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="24.65" '
    r'shape-rendering="crispEdges"/>)'
)
_ALL_CELLS = re.compile(f"(?:{_CELLS.pattern})+")
_IDENTIFIER = re.compile(r"terminal-\d+")
_LONG_NUMBER = re.compile(r'(?<=")\d+\.\d{4,}(?=")')


def compact(svg: str) -> str:
    """A picture that Textual drew, at a third of its size, and the same for the same screen.

    Spaces around texts become places, which also draws right where renderers swallow spaces.
    """
    svg = _FONT_FACE.sub("", svg)
    svg = _LINE_CLIP.sub("", svg)
    svg = svg.replace("Fira Code, monospace", _FONTS)
    svg = svg.replace("<!-- Generated with Rich https://www.textualize.io -->", "")
    svg = _ALL_CELLS.sub(lambda match: _grounds(match[0]), svg, count=1)
    svg = _TEXT.sub(_placed, svg)
    # Textual numbers its names by what the picture holds: any change would change every line.
    svg = _IDENTIFIER.sub("terminal-0", svg)
    svg = _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.1f}", svg)
    return "\n".join(line.strip() for line in svg.splitlines() if line.strip()) + "\n"


def _grounds(cells: str) -> str:
    """The backgrounds: the commonest as one rectangle, the others as one for each run of cells."""
    found = [
        (fill, float(x), float(y), float(width)) for fill, x, y, width in _CELLS.findall(cells)
    ]
    wide = max(x + width for _, x, _, width in found)
    high = max(y for _, _, y, _ in found) + 24.65
    area = Counter[str]()
    for fill, _, _, width in found:
        area[fill] += round(width)
    common = area.most_common(1)[0][0]
    drawn = [
        f'<g shape-rendering="crispEdges"><rect fill="{common}" width="{wide:.1f}" height="{high:.1f}"/>'
    ]
    for (fill, y), run in groupby(found, key=lambda each: (each[0], each[2])):
        if fill != common:
            each = list(run)
            width = sum(width for *_, width in each)
            drawn.append(
                f'<rect fill="{fill}" x="{each[0][1]:.1f}" y="{y}" width="{width:.1f}" height="24.65"/>'
            )
    return "\n" + "\n".join(drawn) + "</g>\n"


def _placed(match: re.Match[str]) -> str:
    """A text without the spaces around it, on a line of its own."""
    name, x, y, length, raw = match.groups()
    text = unescape(raw).replace("\u00a0", " ")
    inner = text.strip()
    if not inner:
        return ""
    start = len(text) - len(text.lstrip())
    left = float(x) + start * _CELL
    room = float(length) - (len(text) - len(inner)) * _CELL
    # Renderers make one of several spaces.
    kept = raw.replace("&#160;", " ").strip().replace("  ", " \u00a0")
    return f'\n<text class="{name}" x="{left:.1f}" y="{y}" textLength="{room:.1f}">{kept}</text>'
