"""Texts compared as they are spoken: how alike two are, and whether one goes in a circle."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from engine.dataset.given.text import is_wide

# Nobody says the same words five times in a row, but recognisers that lost the thread do.
MOST_REPEATS = 4
_APOSTROPHES = "'’"


def agreement(one: str, other: str) -> float:
    """How alike two texts are, 0 to 1.

    One minus the word errors (insertions, deletions and substitutions, Levenshtein's distance) over
    the words of the longer text. Words are compared without case and marks; in scripts without
    spaces each character is a word.
    """
    left, right = units(one), units(other)
    longer = max(len(left), len(right))
    return 1.0 - _distance(left, right) / longer if longer else 1.0


def units(text: str) -> list[str]:
    """The words of a text as they are compared."""
    found: list[str] = []
    word = ""
    for character in unicodedata.normalize("NFKC", text).casefold():
        if character in _APOSTROPHES:
            continue
        # Vowel signs of Hindi and Arabic are marks, and parts of their word.
        inside = unicodedata.category(character)[0] in "LMN"
        if inside and not is_wide(character):
            word += character
            continue
        found += [part for part in (word, character if inside else "") if part]
        word = ""
    return [*found, word] if word else found


def repeats(text: str) -> int:
    """How often the same words follow each other at most; 1 when none do."""
    words = units(text)
    most = 1 if words else 0
    for length in range(1, len(words) // 2 + 1):
        run = 0
        for before, after in zip(words, words[length:], strict=False):
            run = run + 1 if before == after else 0
            most = max(most, run // length + 1)
    return most


def _distance(left: Sequence[str], right: Sequence[str]) -> int:
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (one != other))
    return row[-1]
