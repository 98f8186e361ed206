"""Which punctuation ends a sentence or a clause, in the scripts of the 17 languages."""

from __future__ import annotations

SENTENCE = ".!?…。！？．؟۔।॥"
_CLAUSE = ",;:，；：、،؛–—"
# What may stand behind the mark: closing quotes (German ones are “ and «) and brackets.
CLOSING = "\"'”’“‘»›«‹)]}」』）】"
# French puts a space between them, wide or narrow.
_BEHIND = CLOSING + " \t\n\u00a0\u202f"


def ends_sentence(word: str) -> bool:
    """Whether a sentence ends with this word."""
    return word.rstrip(_BEHIND).endswith(tuple(SENTENCE))


def ends_clause(word: str) -> bool:
    """Whether a part of a sentence ends with this word."""
    return word.rstrip(_BEHIND).endswith(tuple(_CLAUSE))
