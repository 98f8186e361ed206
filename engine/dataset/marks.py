"""Which punctuation ends a sentence or a clause, in the scripts of the 17 languages."""

from __future__ import annotations

_SENTENCE = ".!?…。！？．؟۔।॥"
_CLAUSE = ",;:，；：、،؛–—"
# What may stand behind the mark: closing quotes and brackets.
_CLOSING = "\"'”’»›)]}」』）】"


def ends_sentence(word: str) -> bool:
    """Whether a sentence ends with this word."""
    return word.rstrip().rstrip(_CLOSING).endswith(tuple(_SENTENCE))


def ends_clause(word: str) -> bool:
    """Whether a part of a sentence ends with this word."""
    return word.rstrip().rstrip(_CLOSING).endswith(tuple(_CLAUSE))
