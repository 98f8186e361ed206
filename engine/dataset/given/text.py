"""Text that somebody gave: read from its file without guessing, freed of what nobody speaks."""

from __future__ import annotations

import html
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from engine.dataset.marks import CLOSING, SENTENCE
from engine.errors import TranscriptError
from engine.text import clean

# The subtitles of ten hours are a megabyte, one cue a word five; the table of 100,000 clips ten.
MOST_BYTES = 8_000_000
MOST_TABLE_BYTES = 32_000_000
_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_TAG = re.compile(r"<(?:/?[A-Za-z][^<>]{0,200}|[0-9][0-9:.]{3,20})>|\{\\[^{}]{0,200}\}")
_SUNG = re.compile(r"[♩♪♫♬][^♩♪♫♬]*[♩♪♫♬]|[♩♪♫♬]")
_BRACKETS = re.compile(r"\[[^\[\]]{0,200}\]|［[^［］]{0,200}］|【[^【】]{0,200}】")
_ROUND = re.compile(r"\([^()]{0,60}\)|（[^（）]{0,60}）")
# In running text brackets are spoken, but for a word or two that stand like a sentence.
_ALONE = re.compile(
    rf"(?:^|(?<=[{SENTENCE}])|(?<=[{SENTENCE}][{re.escape(CLOSING)}]))\s*\([^\W\d]+(?: [^\W\d]+)?[.!]?\)"
    r"(?=\s*(?:$|[A-Z]))"
)
_TURN = re.compile(r"^\s*(?:-{1,2}|[–—]|>{2,3})\s*")
_LABEL = re.compile(r"^\s*[A-Z][A-Z0-9.'’ -]{1,28}:\s+(?=\S*[a-z])")

# Characters of scripts that put no spaces between words.
_WIDE = (
    (0x2E80, 0x2FDF),
    (0x3000, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF00, 0xFFEF),
    (0x20000, 0x3FFFF),
)
# Sounds of the character before them.
_ATTACHED = frozenset("ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々")
# How long one is spoken, in letters: digits are words, wide characters syllables.
_DIGIT_LETTERS, _WIDE_LETTERS = 4.0, 3.0


class GivenWord(NamedTuple):
    """A word with the space before it, and the line of its file."""

    text: str
    line: int


class Spoken(NamedTuple):
    """What is spoken of a text, how many descriptions of sounds and of control characters were not."""

    text: str
    sounds: int
    controls: int


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """All of a transcript. Raises TranscriptError, also for a file of more than `most` bytes."""
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as handle:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(None, "not a regular file")
            content = handle.read(most + 1)
    except OSError as error:
        reason = clean(error.strerror or type(error).__name__)
        raise _refused(path, 0, f"cannot be read ({reason})", "Check that you may read it.") from (
            error
        )
    if len(content) > most:
        raise _refused(
            path,
            0,
            f"has {status.st_size / 1e6:.0f} MB, and {most / 1e6:.0f} are the most for a text",
            "Check that it is a transcript, or divide it.",
        )
    return content


def decode(path: Path, content: bytes) -> str:
    """The text of UTF-8 bytes, or UTF-16 ones with their mark. Raises TranscriptError."""
    encoding = "utf-16" if content.startswith(_UTF16) else "utf-8-sig"
    if encoding == "utf-8-sig" and b"\0" in content:
        raise _with_nul(path, content[: content.index(b"\0")].decode(errors="ignore"))
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(lines(content[: error.start].decode(encoding, "ignore")))
        if encoding == "utf-16":
            what, remedy = "is damaged UTF-16", "Save it again as UTF-8."
        else:
            what = f"is not UTF-8 (byte 0x{content[error.start]:02x})"
            remedy = (
                "Save it as UTF-8 with a text editor; for a file of old Windows: "
                "iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW."
            )
        raise _refused(path, line, what, remedy) from error
    if "\0" in text:
        raise _with_nul(path, text[: text.index("\0")])
    return unicodedata.normalize("NFC", text)


def _with_nul(path: Path, before: str) -> TranscriptError:
    return _refused(
        path,
        len(lines(before)),
        "holds NUL bytes",
        "It is no text, or UTF-16 without its mark. Save it as UTF-8.",
    )


def lines(text: str) -> list[str]:
    """The lines as a text editor counts them."""
    return _LINE_END.split(text)


def _refused(path: Path, line: int, what: str, remedy: str) -> TranscriptError:
    where = f", line {line}," if line else ""
    return TranscriptError(f"{clean(str(path))}{where} {what}.", remedy)


def of_subtitles(text: str) -> Spoken:
    """What is spoken of a cue: no markup, no sounds, no songs, no names of who speaks."""
    parts = []
    sounds = 0
    for line in lines(_TAG.sub("", text)):
        line, counted = _silenced(html.unescape(line), _SUNG, _BRACKETS, _ROUND)
        parts.append(_LABEL.sub("", _TURN.sub("", line)))
        sounds += counted
    return _plain(" ".join(parts), sounds)


def of_running_text(text: str) -> Spoken:
    """What is spoken of plain text, where round brackets usually are."""
    text, sounds = _silenced(html.unescape(text), _SUNG, _BRACKETS, _ALONE)
    return _plain(text, sounds)


def _silenced(text: str, *patterns: re.Pattern[str]) -> tuple[str, int]:
    sounds = 0
    for pattern in patterns:
        text, count = pattern.subn(" ", text)
        sounds += count
    return text, sounds


def _plain(text: str, sounds: int) -> Spoken:
    text = " ".join(text.split())
    controls = 0
    if not text.isprintable():
        unsafe = {ord(character): None for character in set(text) if clean(character) != character}
        safe = text.translate(unsafe)
        controls = len(text) - len(safe)
        text = " ".join(safe.split())
    return Spoken(text if _is_said(text) else "", sounds, controls)


def words(text: str, line: int) -> Iterator[GivenWord]:
    """The words of a text that is spoken; marks that stand alone go with a neighbour.

    Where a script writes no spaces each character is one, so that a cut can lie anywhere.
    """
    held = ""
    for chunk in text.split():
        for number, piece in enumerate(_pieces(chunk)):
            # No space between characters that are written without.
            space = "" if number or is_wide(piece[0]) else " "
            if held and _is_said(held) and _is_said(piece):
                yield GivenWord(held, line)
                held = ""
            held += space + piece
    if _is_said(held):
        yield GivenWord(held, line)


def _is_said(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _pieces(chunk: str) -> Iterator[str]:
    piece = ""
    last = ""
    for character in chunk:
        if last and _parts(last, character):
            yield piece
            piece, last = "", ""
        piece += character
        if character.isalnum():
            last = character
    yield piece


def _parts(last: str, character: str) -> bool:
    """Whether a word may begin with a character, behind one whose last letter is `last`."""
    if unicodedata.category(character) in ("Ps", "Pi"):
        return is_wide(last)
    if not character.isalnum() or character in _ATTACHED:
        return False
    return is_wide(last) or is_wide(character)


def is_wide(character: str) -> bool:
    """Whether a character belongs to a script without spaces."""
    code = ord(character)
    return code >= 0x2E80 and any(low <= code <= high for low, high in _WIDE)


def letters(word: str) -> float:
    """How long a word is spoken, measured in letters."""
    total = 0.0
    for character in word:
        if character.isdigit():
            total += _DIGIT_LETTERS
        elif character.isalnum():
            total += _WIDE_LETTERS if is_wide(character) else 1.0
    return max(total, 1.0)
