"""Cutting a text into phrases that XTTS can speak in one go."""

from __future__ import annotations

import re

# Where a speaker would breathe, the best places first.
_BREAKS = (r"(?<=[.!?。！？…।؟])\s*", r"(?<=[,;:，、；：،])\s*", r"\s+")


def split(text: str, limit: int) -> list[str]:
    """The text in phrases of at most `limit` characters, cut at sentence ends where possible.

    Else they are cut at commas, else between words, else inside a word that is longer than that.
    """
    return _phrases(" ".join(text.split()), limit, 0)


def _phrases(text: str, limit: int, level: int) -> list[str]:
    if len(text) <= limit:
        return [text] if text else []
    if level == len(_BREAKS):
        return [text[start : start + limit] for start in range(0, len(text), limit)]
    phrases: list[str] = []
    joinable = False
    for part in filter(None, re.split(_BREAKS[level], text)):
        if len(part) > limit:
            phrases += _phrases(part, limit, level + 1)
            joinable = False
        elif joinable and len(phrases[-1]) + 1 + len(part) <= limit:
            phrases[-1] += f" {part}"
        else:
            phrases.append(part)
            joinable = True
    return phrases
