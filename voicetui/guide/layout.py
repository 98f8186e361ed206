"""Texts of the guide as lines of a given width, and where something stands in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

from voicetui.guide import Block, Topic
from voicetui.widgets.styled import Line, Span, fitted, plain

_CODE_OR_KEY = re.compile(r"`([^`]+)`|\{(\w+\.\w+)\}")
# Longer lines are hard to read.
_MOST_WIDTH = 92
_INDENT = 2
KeyName = Callable[[str], str]


@dataclass(frozen=True)
class Laid:
    """A text laid out; `owners` has the block of each line."""

    lines: tuple[Line, ...]
    owners: tuple[int, ...]

    def find(self, wanted: str) -> list[int]:
        """The lines at which `wanted` begins, once for each block, whatever the case."""
        found = []
        numbered = zip(self.owners, range(len(self.lines)), strict=True)
        for _, group in groupby(numbered, key=lambda pair: pair[0]):
            numbers = [number for _, number in group]
            texts = [" ".join(plain(self.lines[number]).split()) for number in numbers]
            place = " ".join(texts).casefold().find(wanted.casefold())
            if place >= 0:
                ends = [len(" ".join(texts[: count + 1])) for count in range(len(texts))]
                found.append(
                    next(n for n, end in zip(numbers, ends, strict=True) if place < end + 1)
                )
        return found


def lay_out(topic: Topic, width: int, key_name: KeyName) -> Laid:
    """A topic as lines of `width` cells. `key_name` gives the keys of an id of the table."""
    room = max(20, min(width, _MOST_WIDTH))
    lines: list[Line] = [[]]
    owners = [-1]
    column = max((cell_len(block.label) for block in topic.blocks), default=0) + 2
    for number, block in enumerate(topic.blocks):
        drawn = list(_block(block, room, column, key_name))
        lines += drawn
        owners += [number] * len(drawn)
    return Laid(tuple(lines), tuple(owners))


def _block(block: Block, width: int, column: int, key_name: KeyName) -> Iterator[Line]:
    margin: Span = (" " * _INDENT, "")
    if block.kind == "gap":
        yield []
    elif block.kind == "heading":
        yield [margin, (block.text, "title")]
    elif block.kind == "kept":
        yield [margin, ("  ", ""), *_spans(block.text, key_name)]
    elif block.kind == "item":
        yield from _hanging([margin, ("• ", "dim")], block.text, width, key_name)
    elif block.kind == "labelled":
        label: Span = (fitted(block.label, column), "bold")
        # Without a label it adds a detail to the one above.
        style = "" if block.label else "dim"
        yield from _hanging([margin, label], block.text, width, key_name, style)
    else:
        yield from _hanging([margin], block.text, width, key_name)


def _hanging(
    head: Line, text: str, width: int, key_name: KeyName, style: str = ""
) -> Iterator[Line]:
    """A text behind its head, further lines below its beginning."""
    indent = cell_len(plain(head))
    for index, line in enumerate(_flow(_spans(text, key_name, style), max(10, width - indent))):
        yield [*head, *line] if index == 0 else [(" " * indent, ""), *line]


def _spans(text: str, key_name: KeyName, style: str = "") -> list[Span]:
    spans: list[Span] = []
    end = 0
    for match in _CODE_OR_KEY.finditer(text):
        spans.append((text[end : match.start()], style))
        code, key = match.groups()
        spans.append((code, "accent") if code else (key_name(key), "inverse"))
        end = match.end()
    return [*spans, (text[end:], style)]


def _flow(spans: Sequence[Span], width: int) -> list[Line]:
    """Spans broken at spaces into lines."""
    lines: list[Line] = [[]]
    used = 0
    for word in _words(spans):
        length = sum(cell_len(text) for text, _ in word)
        if used and used + 1 + length > width:
            lines.append([])
            used = 0
        if used:
            lines[-1].append((" ", ""))
            used += 1
        lines[-1] += word
        used += length
    return lines


def _words(spans: Sequence[Span]) -> Iterator[Line]:
    """What stands between spaces; a word may have parts of different styles."""
    word: Line = []
    for text, style in spans:
        for index, part in enumerate(re.split(r"(\s+)", text)):
            if index % 2:
                if word:
                    yield word
                word = []
            elif part:
                word.append((part, style))
    if word:
        yield word
