"""The text of a clip: whether it can be learned, what differs, and how it is divided with its audio."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.dataset.clips import Word
from engine.text import clean

if TYPE_CHECKING:
    from engine.dataset.judge import Tokenizer

Op = Literal["equal", "replace", "delete", "insert"]


@dataclass(frozen=True)
class Verdict:
    """Whether a text can be learned. `message` says why not; `tokens` None: nobody counted."""

    text: str
    ok: bool
    message: str = ""
    tokens: int | None = None


@dataclass(frozen=True)
class Difference:
    """A run of words that two texts share (`left` as the first has them), or that differ."""

    op: Op
    left: tuple[str, ...]
    right: tuple[str, ...]


def check(text: str, tokenizer: Tokenizer | None, most_tokens: int) -> Verdict:
    """Judge a text that a person wrote; white space is made plain. Raises DatasetError.

    Without a tokenizer (`engine.xtts.vocab.Vocabulary`) nobody counts, and unknown characters are
    found by the next preparation or training.
    """
    text = " ".join(text.split())
    if not any(character.isalnum() for character in text):
        return Verdict(
            text, False, "The text has no words. Write what is spoken, or drop the clip."
        )
    if clean(text) != text:
        return Verdict(
            text,
            False,
            f"The text holds characters that nobody can speak: {clean(text)!r}. Remove them.",
        )
    if tokenizer is None:
        return Verdict(text, True)
    tokens, unknown = tokenizer.count(text), tokenizer.unknown(text)
    message = ""
    if unknown:
        listed = " ".join(clean(character) for character in sorted(unknown))
        message = f"The base's vocabulary does not know: {listed}. Write it in other characters."
    elif tokens > most_tokens:
        message = (
            f"The text has {tokens} tokens, {most_tokens} is the most (max_text_tokens). "
            "Split the clip."
        )
    return Verdict(text, not message, message, tokens)


def differences(left: str, right: str) -> list[Difference]:
    """How two texts differ, word by word; case and punctuation do not count."""
    ours, theirs = left.split(), right.split()
    matcher = difflib.SequenceMatcher(
        None, [_key(word) for word in ours], [_key(word) for word in theirs], autojunk=False
    )
    return [
        Difference(op, tuple(ours[i1:i2]), tuple(theirs[j1:j2]))
        for op, i1, i2, j1, j2 in matcher.get_opcodes()
    ]


def _key(word: str) -> str:
    plain = "".join(c for c in word.casefold() if not unicodedata.category(c).startswith("P"))
    return plain or word


def joined(words: Sequence[Word]) -> str:
    """The text of recognised words."""
    return " ".join("".join(word.text for word in words).split())


def divide(text: str, words: Sequence[Word], index: int) -> tuple[str, str]:
    """A clip's text divided before its word `index`, also when a person has changed the text."""
    left, right = joined(words[:index]), joined(words[index:])
    heard = joined(words)
    if text == heard or not left or not right:
        return (left, right) if text == heard else (text, "") if left else ("", text)
    position = _mapped(heard, text, len(left))
    # A mark belongs to the word before it, an opening one to the word behind.
    while position < len(text) and unicodedata.category(text[position]) in ("Po", "Pe", "Pf"):
        position += 1
    return cut(text, position)


def cut(text: str, position: int) -> tuple[str, str]:
    """The text in two, between the words nearest to a position."""
    gaps = [0, *(i for i, character in enumerate(text) if character.isspace()), len(text)]
    if len(gaps) > 2:
        position = min(gaps, key=lambda gap: abs(gap - position))
    return text[:position].strip(), text[position:].strip()


def _mapped(source: str, target: str, position: int) -> int:
    """The place in one text that belongs to a place in another, nearly the same one."""
    matcher = difflib.SequenceMatcher(None, source, target, autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        if i1 <= position <= i2 and i2 > i1:
            return j1 + round((position - i1) * (j2 - j1) / (i2 - i1))
    return len(target)
