"""Whether a piece of a recording can be trained on, and the numbers that tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.dataset.clips import Reason, State
from engine.dataset.hearing.second import Take


class Tokenizer(Protocol):
    """How the base counts and knows text (`engine.xtts.vocab.Vocabulary`)."""

    def count(self, text: str) -> int: ...

    def unknown(self, text: str) -> set[str]: ...


@dataclass(frozen=True)
class Verdict:
    """What becomes of a piece and why, its scores, and the characters that nobody knows."""

    state: State
    reason: Reason | None
    scores: dict[str, float]
    unknown: set[str]


def judge(take: Take, tokenizer: Tokenizer, most_tokens: int) -> Verdict:
    """Judge a piece with its text. The first thing that is wrong is the reason."""
    piece = take.piece
    if not piece.words:
        return Verdict("dropped", piece.reason, {}, set())
    text = piece.text
    tokens, unknown = tokenizer.count(text), tokenizer.unknown(text)
    scores = take.reading.scores | {"tokens": float(tokens)}
    found = {
        Reason.UNKNOWN_CHARACTERS: bool(unknown),
        Reason.TOO_MANY_TOKENS: tokens > most_tokens,
    }
    of_text = next((reason for reason, holds in found.items() if holds), None)
    if reason := piece.reason or of_text or take.fault:
        return Verdict("dropped", reason, scores, unknown)
    return Verdict("suspect" if take.doubt else "kept", take.doubt, scores, unknown)
