"""The advice that the console gives, as plain texts that anyone can edit.

A text is read with `topic`. Its first line is `# Title`; then come

    ## Heading
    A paragraph, over any number of lines.
    - an item
    Label :: a paragraph that belongs to a label
        indented lines, kept as they are

Names of settings and commands stand in `backticks`, keys as {scope.action} of the table of keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Literal

Kind = Literal["heading", "text", "item", "labelled", "kept", "gap"]
_LABELLED = re.compile(r"([A-Z][\w ()-]{1,13}) :: (.+)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A piece of a text. `label` is what a labelled one belongs to."""

    kind: Kind
    text: str = ""
    label: str = ""


@dataclass(frozen=True)
class Topic:
    """A text with its short name, which the list of topics shows."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def topic(name: str) -> Topic:
    """The text of a name. Raises FileNotFoundError when there is none."""
    text = resources.files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    return Topic(name, first.removeprefix("# "), tuple(parse(rest)))


def parse(text: str) -> Iterator[Block]:
    """The blocks of a text."""
    for chunk in re.split(r"\n\s*\n", text.strip("\n")):
        yield from _chunk(chunk.splitlines())
        yield Block("gap")


def _chunk(lines: list[str]) -> Iterator[Block]:
    """The blocks of lines without an empty one between them."""
    gathered: list[str] = []
    for line in lines:
        begins = line.startswith(("## ", "- ", "    ")) or _LABELLED.match(line)
        if begins and gathered:
            yield _block(gathered)
            gathered = []
        gathered.append(line)
        if line.startswith(("## ", "    ")):
            yield _block(gathered)
            gathered = []
    if gathered:
        yield _block(gathered)


def _block(lines: list[str]) -> Block:
    if lines[0].startswith("    "):
        return Block("kept", lines[0][4:])
    text = " ".join(line.strip() for line in lines)
    if text.startswith("## "):
        return Block("heading", text[3:])
    if text.startswith("- "):
        return Block("item", text[2:])
    labelled = _LABELLED.fullmatch(text)
    return Block("labelled", labelled[2], labelled[1]) if labelled else Block("text", text)
