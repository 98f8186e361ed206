"""Subtitles: SubRip (.srt) and WebVTT (.vtt) as people and programs write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from engine.dataset.given import text as given_text
from engine.dataset.given.flaws import Flaw, Kind
from engine.errors import TranscriptError
from engine.text import clean

# Programs that write subtitles let neighbours overlap by some frames.
_SLIGHT_OVERLAP = 0.5
_TIME = r"(-?)(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{1,2})[.,:]([0-9]{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_INDEX = re.compile(r"\s*[0-9]{1,9}\s*")
# Inside a cue: captions that roll, in which each cue repeats the line above it.
_ROLLING = re.compile(r"<[0-9]{1,4}:[0-9]{2}[0-9:.]*>")
_BLOCKS = ("NOTE", "STYLE", "REGION", "WEBVTT", "X-TIMESTAMP-MAP")


@dataclass(frozen=True)
class Cue:
    """A text with its times in seconds, and its line in the file.

    `doubtful`: it was made of cues that overlap, so that the order of the words is unsure.
    """

    start: float
    end: float
    text: str
    line: int
    doubtful: bool = False


@dataclass(frozen=True)
class Subtitles:
    """Cues in time order that do not overlap, the number of sounds left out, and what was wrong."""

    cues: tuple[Cue, ...]
    sounds: int
    flaws: tuple[Flaw, ...]


class _Block(NamedTuple):
    """A cue as it stands in the file; `times` is None when they cannot be read."""

    line: int
    times: tuple[float, float] | None
    texts: list[str]


def parse(path: Path, text: str) -> Subtitles:
    """The cues of a file. Raises TranscriptError when there is none that can be used."""
    flaws: list[Flaw] = []
    blocks = list(_blocks(given_text.lines(text), flaws))
    if any(_ROLLING.search(line) for block in blocks for line in block.texts):
        blocks = list(_unrolled(blocks))
    sounds = 0
    cues = []
    for block in blocks:
        spoken = given_text.of_subtitles("\n".join(block.texts))
        sounds += spoken.sounds
        if spoken.controls:
            flaws.append(Flaw(Kind.CONTROLS, block.line))
        if block.times is None:
            flaws.append(Flaw(Kind.UNTIMED, block.line))
        elif spoken.text and block.times[1] <= block.times[0]:
            flaws.append(Flaw(Kind.NO_LENGTH, block.line))
        elif spoken.text:
            cues.append(Cue(*block.times, spoken.text, block.line))
    if not cues:
        raise TranscriptError(
            f"{clean(str(path))} holds no cue with times and words.",
            "Cues are times such as 00:01:02,500 --> 00:01:04,000 with text below them.",
        )
    return Subtitles(tuple(_apart(cues, flaws)), sounds, tuple(flaws))


def _blocks(lines: list[str], flaws: list[Flaw]) -> Iterator[_Block]:
    """The cues as they stand; text without times is a flaw."""
    block: _Block | None = None
    passed_over = False
    for number, line in enumerate(lines, 1):
        if "-->" in line:
            if block is not None:
                yield block
            block, passed_over = _Block(number, _times(line), []), False
        elif not line.strip():
            if block is not None:
                yield block
            block, passed_over = None, False
        elif block is not None:
            # Without the empty line between cues the next one's number would be spoken.
            if not (_INDEX.fullmatch(line) and number < len(lines) and "-->" in lines[number]):
                block.texts.append(line)
        elif line.lstrip("\ufeff").startswith(_BLOCKS):
            passed_over = True
        elif not passed_over and not (number < len(lines) and "-->" in lines[number]):
            flaws.append(Flaw(Kind.STRAY, number))
    if block is not None:
        yield block


def _times(line: str) -> tuple[float, float] | None:
    found = _TIMING.fullmatch(line)
    if not found:
        return None
    parts = found.groups()
    return _seconds(parts[:5]), _seconds(parts[5:])


def _seconds(parts: tuple[str | None, ...]) -> float:
    sign, hours, minutes, seconds, fraction = (part or "" for part in parts)
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    # Nothing is spoken before a recording begins.
    return 0.0 if sign else whole + int(fraction.ljust(3, "0")) / 1000


def _unrolled(blocks: list[_Block]) -> Iterator[_Block]:
    """Cues without the lines that stood in the cue before them already."""
    before: list[str] = []
    for block in blocks:
        plain = [given_text.of_subtitles(line).text for line in block.texts]
        fresh = [
            text
            for text, seen in zip(block.texts, plain, strict=True)
            if seen and seen not in before
        ]
        before = [line for line in plain if line] or before
        if fresh:
            yield block._replace(texts=fresh)


def _apart(cues: list[Cue], flaws: list[Flaw]) -> Iterator[Cue]:
    """Cues in time order; those that overlap slightly are parted, others are joined."""
    group: list[Cue] = []
    end = 0.0
    for cue in sorted(cues, key=lambda cue: cue.start):
        if group and cue.start < end:
            border = (cue.start + end) / 2
            slight = end - cue.start <= _SLIGHT_OVERLAP and group[-1].start < cue.start
            if not slight or border >= cue.end:
                group.append(cue)
                end = max(end, cue.end)
                continue
            cue, end = replace(cue, start=border), border
        if group:
            yield _joined(group, end, flaws)
        group, end = [cue], cue.end
    if group:
        yield _joined(group, end, flaws)


def _joined(group: list[Cue], end: float, flaws: list[Flaw]) -> Cue:
    first = group[0]
    # Of the same times they are the lines of one picture.
    doubtful = any((cue.start, cue.end) != (first.start, first.end) for cue in group)
    if doubtful:
        flaws.extend(Flaw(Kind.OVERLAP, cue.line) for cue in group[1:])
    text = " ".join(cue.text for cue in group)
    return Cue(first.start, end, text, first.line, doubtful)
