"""Whether a piece of a recording can be trained on, and the numbers that tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from engine.dataset.clips import Reason
from engine.dataset.segment import Piece
from engine.dataset.transcripts import Segment

# Whisper's own thresholds for a failed decoding (openai/whisper, transcribe.py).
LEAST_LOGPROB = -1.0
MOST_COMPRESSION = 2.4
# Geometric mean of the word probabilities. Texts that belong to their audio score 0.6 and more,
# with the smallest model too.
LEAST_CONFIDENCE = 0.4


class Tokenizer(Protocol):
    """How the base counts and knows text (`engine.xtts.vocab.Vocabulary`)."""

    def count(self, text: str) -> int: ...

    def unknown(self, text: str) -> set[str]: ...


def judge(
    piece: Piece, segments: Sequence[Segment], tokenizer: Tokenizer, most_tokens: int
) -> tuple[Reason | None, dict[str, float], set[str]]:
    """Why a piece must be dropped (None: it is kept), its scores, and its unknown characters.

    `segments` are those of the recognised text that lie in the piece.
    """
    if not piece.words:
        return piece.reason, {}, set()
    text = piece.text
    tokens, unknown = tokenizer.count(text), tokenizer.unknown(text)
    logs = [math.log(max(word.probability, 1e-6)) for word in piece.words]
    scores = {
        "confidence": round(math.exp(sum(logs) / len(logs)), 4),
        "tokens": float(tokens),
    }
    if segments:
        scores["logprob"] = min(segment.avg_logprob for segment in segments)
        scores["no_speech"] = max(segment.no_speech_prob for segment in segments)
        scores["compression"] = max(segment.compression_ratio for segment in segments)
    found = {
        Reason.UNKNOWN_CHARACTERS: bool(unknown),
        Reason.TOO_MANY_TOKENS: tokens > most_tokens,
        Reason.REPETITION: scores.get("compression", 0.0) > MOST_COMPRESSION,
        Reason.LOW_CONFIDENCE: scores["confidence"] < LEAST_CONFIDENCE
        or scores.get("logprob", 0.0) < LEAST_LOGPROB,
    }
    reason = piece.reason or next((reason for reason, holds in found.items() if holds), None)
    return reason, scores, unknown
